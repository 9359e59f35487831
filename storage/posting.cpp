// SPDX-License-Identifier: Apache-2.0
#include "storage/posting.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace tocsin::storage {

namespace {

constexpr std::uint32_t coding_bits = 2;
constexpr std::uint64_t coding_mask = 3;
constexpr std::size_t row_bytes_max = 5; // of a varint

void put_list(std::string& out, std::span<const std::uint32_t> rows) {
    const std::size_t start = out.size();
    out.resize(start + rows.size() * row_bytes_max);
    char* at = out.data() + start;
    std::uint32_t next = 0;
    for (const std::uint32_t row : rows) {
        at = put_varint(at, row - next);
        next = row + 1;
    }
    out.resize(static_cast<std::size_t>(at - out.data()));
}

// Pairs: rows left out, rows that follow (one more than is written).
void put_runs(std::string& out, std::span<const std::uint32_t> rows) {
    std::uint32_t next = 0;
    for (std::size_t at = 0; at < rows.size();) {
        std::size_t end = at + 1;
        while (end < rows.size() && rows[end] == rows[end - 1] + 1) {
            ++end;
        }
        put_varint(out, rows[at] - next);
        put_varint(out, end - at - 1);
        next = rows[end - 1] + 1;
        at = end;
    }
}

// As many bytes as the rows need, the first row in the lowest bit of the first one.
void put_bitmap(std::string& out, std::span<const std::uint32_t> rows, std::uint32_t universe) {
    const std::size_t start = out.size();
    out.append((universe + 7) / 8, '\0');
    for (const std::uint32_t row : rows) {
        char& byte = out[start + row / 8];
        byte = static_cast<char>(static_cast<unsigned char>(byte) | (1U << (row % 8)));
    }
}

std::size_t count_runs(std::span<const std::uint32_t> rows) {
    std::size_t runs = rows.empty() ? 0 : 1;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        runs += rows[i] != rows[i - 1] + 1 ? 1U : 0U;
    }
    return runs;
}

// `use(low, high)` for rows low ≤ row < high; `universe` rows in all. False where the bytes make no sense.
template <typename Use> bool each_in_list(const Posting& posting, std::uint64_t universe, const Use& use) {
    ByteReader in(posting.bytes);
    std::uint64_t next = 0;
    for (std::uint32_t i = 0; i < posting.rows; ++i) {
        const std::uint64_t gap = in.varint();
        if (!in.ok() || gap >= universe - next) {
            return false;
        }
        const auto row = static_cast<std::uint32_t>(next + gap);
        use(row, row + 1);
        next = row + std::uint64_t{1};
    }
    return in.done();
}

template <typename Use> bool each_run(const Posting& posting, std::uint64_t universe, const Use& use) {
    ByteReader in(posting.bytes);
    std::uint64_t next = 0;
    std::uint64_t sum = 0;
    while (in.ok() && in.left() != 0) {
        const std::uint64_t gap = in.varint();
        const std::uint64_t more = in.varint();
        if (!in.ok() || gap >= universe - next || more >= universe - next - gap) {
            return false;
        }
        const std::uint64_t low = next + gap;
        next = low + more + 1;
        use(static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(next));
        sum += more + 1;
    }
    return in.done() && sum == posting.rows;
}

// `use(number, bits)` for every 64 rows.
template <typename Use> bool each_word(const Posting& posting, std::uint64_t universe, const Use& use) {
    if (posting.bytes.size() != (universe + 7) / 8) {
        return false;
    }
    for (std::size_t at = 0; at < posting.bytes.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0; // lowest bit first
        std::memcpy(&word, posting.bytes.data() + at, std::min(sizeof(word), posting.bytes.size() - at));
        use(at / sizeof(word), std::endian::native == std::endian::little ? word : std::byteswap(word));
    }
    return true;
}

} // namespace

void put_posting(std::string& out, std::span<const std::uint32_t> rows, std::uint32_t universe, std::string& scratch) {
    scratch.clear();
    Coding coding = Coding::list;
    const std::size_t bitmap = (universe + 7) / 8;
    if (count_runs(rows) * 2 < rows.size()) {
        coding = Coding::runs;
        put_runs(scratch, rows);
    } else if (rows.size() <= bitmap) { // a row of a list takes a byte at least
        put_list(scratch, rows);
    }
    if (rows.size() > bitmap || scratch.size() > bitmap) {
        if (coding != Coding::runs || scratch.size() > bitmap) {
            scratch.clear();
            coding = Coding::bitmap;
            put_bitmap(scratch, rows, universe);
        }
    }
    put_varint(out, (std::uint64_t{rows.size()} << coding_bits) | static_cast<std::uint64_t>(coding));
    if (coding == Coding::bitmap) {
        out += scratch; // its length is known
    } else {
        put_string(out, scratch);
    }
}

Posting read_posting(ByteReader& in, std::uint32_t universe) {
    const std::uint64_t head = in.varint();
    Posting posting{.rows = static_cast<std::uint32_t>(head >> coding_bits),
                    .coding = static_cast<Coding>(head & coding_mask)};
    if (head >> coding_bits > universe || (head & coding_mask) > static_cast<std::uint64_t>(Coding::runs)) {
        in.bytes(std::numeric_limits<std::uint64_t>::max()); // sets its flag
        return {};
    }
    posting.bytes = posting.coding == Coding::bitmap ? in.bytes((std::uint64_t{universe} + 7) / 8) : in.string();
    return posting;
}

bool add_rows(const Posting& posting, RowSet& rows) {
    const auto range = [&rows](std::uint32_t low, std::uint32_t high) { rows.add_range(low, high); };
    switch (posting.coding) {
    case Coding::list:
        return each_in_list(posting, rows.rows(), [&rows](std::uint32_t row, std::uint32_t) { rows.add(row); });
    case Coding::bitmap:
        return each_word(posting, rows.rows(),
                         [&rows](std::size_t number, std::uint64_t bits) { rows.add_word(number, bits); });
    case Coding::runs:
        return each_run(posting, rows.rows(), range);
    }
    return false;
}

std::optional<std::uint32_t> count_rows(const Posting& posting, const RowSet& rows) {
    std::uint32_t sum = 0;
    bool whole = false;
    switch (posting.coding) {
    case Coding::list:
        whole = each_in_list(posting, rows.rows(),
                             [&rows, &sum](std::uint32_t row, std::uint32_t) { sum += rows.has(row) ? 1U : 0U; });
        break;
    case Coding::bitmap:
        whole = each_word(posting, rows.rows(), [&rows, &sum](std::size_t number, std::uint64_t bits) {
            sum += rows.count_word(number, bits);
        });
        break;
    case Coding::runs:
        whole = each_run(posting, rows.rows(),
                         [&rows, &sum](std::uint32_t low, std::uint32_t high) { sum += rows.count_range(low, high); });
        break;
    }
    return whole ? std::optional(sum) : std::nullopt;
}

bool put_code(const Posting& posting, std::uint32_t code, std::span<std::uint32_t> codes) {
    const auto range = [&codes, code](std::uint32_t low, std::uint32_t high) {
        std::ranges::fill(codes.subspan(low, high - low), code);
    };
    switch (posting.coding) {
    case Coding::list:
        return each_in_list(posting, codes.size(),
                            [&codes, code](std::uint32_t row, std::uint32_t) { codes[row] = code; });
    case Coding::bitmap:
        return each_word(posting, codes.size(), [&codes, code](std::size_t number, std::uint64_t bits) {
            for (; bits != 0; bits &= bits - 1) {
                const std::size_t row = number * 64 + static_cast<std::size_t>(std::countr_zero(bits));
                if (row < codes.size()) { // the last bits of the last word say nothing
                    codes[row] = code;
                }
            }
        });
    case Coding::runs:
        return each_run(posting, codes.size(), range);
    }
    return false;
}

} // namespace tocsin::storage
