// SPDX-License-Identifier: Apache-2.0
#include "storage/block_times.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace tocsin::storage {

namespace {

constexpr std::size_t outliers_each_side = 12; // of a run: bounds the header
constexpr std::size_t rows_with_outliers = 64; // fewer rows have no outliers
constexpr std::uint64_t margin_us_min = 1'000'000;
constexpr std::uint8_t width_max = 56; // what one unaligned look at eight bytes can give; wider ones take all 64
constexpr std::size_t look_bytes = 8;

std::uint64_t distance(std::int64_t low, std::int64_t high) {
    return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
}

// What lies within is no outlier.
struct Bounds {
    std::int64_t low = INT64_MIN;
    std::int64_t high = INT64_MAX;
};

Bounds usual(std::vector<std::int64_t> times) {
    if (times.size() < rows_with_outliers) {
        return {};
    }
    const auto low = times.begin() + outliers_each_side;
    const auto high = times.end() - 1 - outliers_each_side;
    std::ranges::nth_element(times, low);
    std::nth_element(low, high, times.end());
    const std::uint64_t spread = distance(*low, *high);
    const std::uint64_t margin = std::max(margin_us_min, spread > UINT64_MAX / 2 ? UINT64_MAX : 2 * spread);
    Bounds out;
    if (margin < distance(INT64_MIN, *low)) {
        out.low = static_cast<std::int64_t>(static_cast<std::uint64_t>(*low) - margin);
    }
    if (margin < distance(*high, INT64_MAX)) {
        out.high = static_cast<std::int64_t>(static_cast<std::uint64_t>(*high) + margin);
    }
    return out;
}

std::size_t packed_bytes(std::uint8_t width, std::size_t rows) {
    return (rows * width + 7) / 8;
}

std::uint32_t rows_of(const BlockHeader& header, std::size_t run) {
    return std::min(rows_per_run, header.rows - static_cast<std::uint32_t>(run) * rows_per_run);
}

class BitPacker {
public:
    explicit BitPacker(std::string& out) : out_(out) {}
    void put(std::uint64_t value, std::uint8_t width) {
        for (unsigned done = 0; done < width;) {
            if (used_ == 0) {
                out_ += '\0';
            }
            const unsigned fits = std::min(8U - used_, width - done);
            const auto bits = static_cast<unsigned>(value >> done) & ((1U << fits) - 1);
            out_.back() = static_cast<char>(static_cast<unsigned char>(out_.back()) | (bits << used_));
            done += fits;
            used_ = (used_ + fits) % 8;
        }
    }

private:
    std::string& out_;
    unsigned used_ = 0; // bits of the last byte
};

// The packed number at a row; false where it lies beyond the bytes.
bool unpack(std::string_view packed, std::uint8_t width, std::uint32_t row, std::uint64_t& out) {
    const std::size_t bit = std::size_t{row} * width;
    if ((bit + width + 7) / 8 > packed.size()) {
        return false;
    }
    char raw[look_bytes] = {};
    std::memcpy(raw, packed.data() + bit / 8, std::min(look_bytes, packed.size() - bit / 8));
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < look_bytes; ++i) {
        word |= std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i);
    }
    word >>= bit % 8; // 0 for a width of 64
    out = width >= 64 ? word : word & ((std::uint64_t{1} << width) - 1);
    return true;
}

struct RunTimes {
    TimeRun run{};
    std::vector<Outlier> outliers{};
};

RunTimes run_of(const std::vector<RowTimes>& rows, std::size_t from, std::size_t to) {
    std::vector<std::int64_t> times;
    times.reserve(to - from);
    for (std::size_t row = from; row < to; ++row) {
        times.push_back(rows[row].event_us);
    }
    const Bounds within = usual(std::move(times));
    RunTimes out;
    TimeRun& run = out.run;
    run = {INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, 0};
    for (std::size_t row = from; row < to; ++row) {
        const RowTimes& at = rows[row];
        run.min_received_us = std::min(run.min_received_us, at.received_us);
        run.max_received_us = std::max(run.max_received_us, at.received_us);
        if (at.event_us < within.low || at.event_us > within.high) {
            out.outliers.push_back({static_cast<std::uint32_t>(row), at.event_us});
            continue;
        }
        run.min_us = std::min(run.min_us, at.event_us);
        run.max_us = std::max(run.max_us, at.event_us);
    }
    const auto bits = static_cast<std::uint8_t>(std::bit_width(distance(run.min_us, run.max_us)));
    run.width = bits > width_max ? std::uint8_t{64} : bits;
    return out;
}

} // namespace

void build_times(std::uint64_t block, const std::vector<RowTimes>& rows, BlockHeader& header,
                 std::vector<SealedRow>& out) {
    header.rows = static_cast<std::uint32_t>(rows.size());
    std::string body;
    std::uint32_t body_run = 0;
    for (std::size_t from = 0; from < rows.size(); from += rows_per_run) {
        const std::size_t to = std::min(rows.size(), from + rows_per_run);
        const RunTimes times = run_of(rows, from, to);
        const auto number = static_cast<std::uint32_t>(from / rows_per_run);
        header.runs.push_back(times.run);
        header.outliers.insert(header.outliers.end(), times.outliers.begin(), times.outliers.end());
        if (!body.empty() && body.size() + packed_bytes(times.run.width, to - from) > sealed_part_bytes) {
            out.push_back(seal_row(Tree::sealed, sealed_key::times(block, body_run), body));
            body.clear();
        }
        if (body.empty()) {
            body_run = number;
        }
        BitPacker packer(body);
        for (std::size_t row = from; row < to; ++row) {
            const bool apart = rows[row].event_us < times.run.min_us || rows[row].event_us > times.run.max_us;
            packer.put(apart ? 0 : distance(times.run.min_us, rows[row].event_us), times.run.width);
        }
    }
    if (!body.empty()) {
        out.push_back(seal_row(Tree::sealed, sealed_key::times(block, body_run), body));
    }
}

// ---- header ----

SealedRow encode_header(std::uint64_t block, const BlockHeader& header) {
    std::string body;
    put_varint(body, header.rows);
    for (const TimeRun& run : header.runs) {
        put_zigzag(body, run.min_us);
        put_varint(body, distance(run.min_us, run.max_us));
        put_zigzag(body, run.min_received_us);
        put_varint(body, distance(run.min_received_us, run.max_received_us));
        put_varint(body, run.width);
    }
    put_varint(body, header.outliers.size());
    std::uint32_t last = 0;
    for (const Outlier& outlier : header.outliers) {
        put_varint(body, outlier.row - last);
        put_zigzag(body, outlier.time_us);
        last = outlier.row;
    }
    for (const std::uint32_t values : header.cardinality) {
        put_varint(body, values);
    }
    return seal_row(Tree::sealed, sealed_key::header(block), body);
}

namespace {
bool decode_header(std::string_view bytes, BlockHeader& header) {
    ByteReader in(bytes);
    const std::uint64_t rows = in.varint();
    if (rows == 0 || rows > UINT32_MAX || rows / rows_per_run > bytes.size()) {
        return false;
    }
    header.rows = static_cast<std::uint32_t>(rows);
    header.runs.resize(static_cast<std::size_t>((rows + rows_per_run - 1) / rows_per_run));
    bool good = true;
    for (TimeRun& run : header.runs) {
        const auto far = [&in](std::int64_t from) {
            return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + in.varint());
        };
        run.min_us = in.zigzag();
        run.max_us = far(run.min_us);
        run.min_received_us = in.zigzag();
        run.max_received_us = far(run.min_received_us);
        const std::uint64_t width = in.varint();
        run.width = static_cast<std::uint8_t>(width);
        good = good && (width <= width_max || width == 64);
    }
    const std::uint64_t outliers = in.varint();
    std::uint64_t row = 0;
    for (std::uint64_t i = 0; i < outliers && in.ok(); ++i) {
        row += in.varint();
        good = good && row < rows;
        header.outliers.push_back({static_cast<std::uint32_t>(row), in.zigzag()});
    }
    for (std::uint32_t& values : header.cardinality) {
        values = in.done() ? 0 : static_cast<std::uint32_t>(in.varint()); // a dimension that came later
    }
    return good && in.done();
}
} // namespace

Result<BlockHeader> read_header(const Txn& txn, std::uint64_t block) {
    const std::string key = sealed_key::header(block);
    const auto value = txn.get(Tree::sealed, key);
    if (!value) {
        return std::unexpected(value.error());
    }
    if (!*value) {
        return sealed_damaged(key, "its header is missing; the block");
    }
    const auto opened = open_sealed(key, **value);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    BlockHeader header;
    if (!decode_header(opened->checked, header)) {
        return sealed_damaged(key, "header");
    }
    return header;
}

// ---- times of rows ----

Result<void> TimeReader::open(std::uint32_t run) {
    const std::string wanted = sealed_key::times(block_, run);
    const auto found = cursor_.at_or_before(wanted);
    if (!found) {
        return std::unexpected(found.error());
    }
    const std::string head = sealed_key::times(block_, 0).substr(0, sizeof(block_) + 1);
    if (!*found || !(*found)->key.starts_with(head)) {
        return sealed_damaged(wanted, "a part of its times is missing; the block");
    }
    key_ = (*found)->key;
    const auto opened = open_sealed(key_, (*found)->value);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    std::size_t offset = 0;
    for (std::uint32_t at = ByteReader(key_.substr(head.size())).fixed<std::uint32_t>(); at < run; ++at) {
        offset += packed_bytes(header_.runs[at].width, rows_of(header_, at));
    }
    const std::size_t size = packed_bytes(header_.runs[run].width, rows_of(header_, run));
    if (offset + size > opened->checked.size()) {
        return sealed_damaged(key_, "length of its times");
    }
    packed_ = opened->checked.substr(offset, size);
    run_ = run;
    return {};
}

Result<std::int64_t> TimeReader::at(std::uint32_t row) {
    const auto apart = std::ranges::lower_bound(header_.outliers, row, {}, &Outlier::row);
    if (apart != header_.outliers.end() && apart->row == row) {
        return apart->time_us;
    }
    const std::uint32_t number = row / rows_per_run;
    if (header_.runs[number].width == 0) {
        return header_.runs[number].min_us;
    }
    if (run_ != number) {
        if (auto opened = open(number); !opened) {
            return std::unexpected(opened.error());
        }
    }
    const TimeRun& run = header_.runs[number];
    std::uint64_t difference = 0;
    if (!unpack(packed_, run.width, row % rows_per_run, difference)) {
        return sealed_damaged(key_, "length of its times");
    }
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(run.min_us) + difference);
}

} // namespace tocsin::storage
