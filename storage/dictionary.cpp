// SPDX-License-Identifier: Apache-2.0
#include "storage/dictionary.hpp"

#include <algorithm>

namespace tocsin::storage {

namespace {
constexpr std::size_t sum_bytes_max = 5 + 10;     // of an hour and its count
constexpr std::size_t sum_head_bytes_max = 5 + 5; // ordinal and number of pairs
constexpr std::size_t part_bytes = sealed_part_bytes - sealed_head_bytes;
constexpr std::size_t sums_in_part = (part_bytes - sum_head_bytes_max) / sum_bytes_max;

std::size_t shared_prefix(std::string_view a, std::string_view b) {
    return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}
} // namespace

// ---- writing a dictionary ----

void DictionaryWriter::begin_part(std::string_view value) {
    part_first_ = value;
    last_.clear();
    body_.clear();
    put_varint(body_, ordinal_);
}

void DictionaryWriter::add(std::string_view value, std::span<const std::uint32_t> rows) {
    if (body_.empty()) {
        begin_part(value);
    }
    for (bool fresh = ordinal_ == 0;; fresh = true) {
        entry_.clear();
        const std::size_t shared = shared_prefix(last_, value);
        put_varint(entry_, shared);
        put_string(entry_, value.substr(shared));
        put_posting(entry_, rows, block_.rows, scratch_);
        if (fresh || body_.size() + entry_.size() <= part_bytes) {
            break;
        }
        finish();
        begin_part(value); // which shares nothing with a value of another part
    }
    body_ += entry_;
    last_ = value;
    ++ordinal_;
}

void DictionaryWriter::finish() {
    if (!body_.empty()) {
        out_.push_back(seal_row(Tree::sealed, sealed_key::dictionary(block_.first, dimension_, part_first_), body_));
        body_.clear();
    }
}

// ---- reading one ----

Result<bool> DictionaryReader::open(const Cursor::Found& found) {
    if (!found) {
        return std::unexpected(found.error());
    }
    if (!*found || !(*found)->key.starts_with(sealed_key::dictionary(block_.first, dimension_, {}))) {
        return false;
    }
    key_ = (*found)->key;
    const auto opened = open_sealed(key_, (*found)->value);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    in_ = ByteReader(opened->checked);
    next_ordinal_ = static_cast<std::uint32_t>(in_.varint());
    value_.clear();
    return true;
}

// The next entry of the part; false at its end.
Result<bool> DictionaryReader::read_entry() {
    if (in_.done()) {
        return false;
    }
    const std::uint64_t shared = in_.varint();
    const std::string_view rest = in_.string();
    posting_ = read_posting(in_, block_.rows);
    if (!in_.ok() || shared > value_.size()) {
        return sealed_damaged(key_, "dictionary");
    }
    value_.resize(static_cast<std::size_t>(shared));
    value_ += rest;
    ordinal_ = next_ordinal_++;
    return true;
}

Result<bool> DictionaryReader::next() {
    for (;;) {
        auto entry = read_entry();
        if (!entry || *entry) {
            return entry;
        }
        auto part = open(cursor_.next());
        if (!part || !*part) {
            return part;
        }
    }
}

Result<bool> DictionaryReader::seek(std::string_view value) {
    // One byte more than any value that is there keeps the order and fits LMDB's key.
    const std::string key = sealed_key::dictionary(block_.first, dimension_, value.substr(0, dictionary_value_max + 1));
    auto there = open(cursor_.at_or_before(key));
    if (there && !*there) {
        there = open(cursor_.at_or_after(key));
    }
    if (!there || !*there) {
        return there;
    }
    do {
        there = next();
    } while (there && *there && value_ < value);
    return there;
}

Result<CodedRows> read_codes(const Txn& txn, BlockPlace block, Dimension dimension) {
    CodedRows out{.values = {std::string{}}, .codes = std::vector<std::uint32_t>(block.rows, 0)};
    DictionaryReader dictionary(txn, block, dimension);
    auto there = dictionary.seek({});
    for (; there && *there; there = dictionary.next()) {
        if (!put_code(dictionary.posting(), static_cast<std::uint32_t>(out.values.size()), out.codes)) {
            return sealed_damaged(index_key(block.first), "a posting");
        }
        out.values.emplace_back(dictionary.value());
    }
    return there ? Result<CodedRows>(std::move(out)) : std::unexpected(there.error());
}

Result<RowSet> rows_of(const Txn& txn, BlockPlace block, Dimension dimension, std::string_view value) {
    RowSet rows(block.rows);
    DictionaryReader dictionary(txn, block, dimension);
    const auto there = dictionary.seek(value);
    if (!there) {
        return std::unexpected(there.error());
    }
    if (*there && dictionary.value() == value && !add_rows(dictionary.posting(), rows)) {
        return sealed_damaged(index_key(block.first), "a posting");
    }
    return rows;
}

// ---- sums ----

void SumsWriter::add(const HourSums& sums) {
    for (std::size_t at = 0; at < sums.size();) {
        std::size_t room = body_.size() > part_bytes ? 0 : part_bytes - body_.size();
        if (!body_.empty() && room < sum_head_bytes_max + sum_bytes_max) {
            finish();
        }
        if (body_.empty()) {
            // A value that goes on in a further part is never at its 0: that is how a reader knows where to begin.
            const unsigned further = part_ordinal_ == ordinal_ ? part_ + 1U : 1U;
            part_ = static_cast<std::uint16_t>(at == 0 ? 0U : further);
            part_ordinal_ = ordinal_;
            room = part_bytes;
        }
        const std::size_t fit = std::min(sums_in_part, (room - sum_head_bytes_max) / sum_bytes_max);
        const std::size_t end = std::min(sums.size(), at + fit);
        put_varint(body_, ordinal_ - part_ordinal_);
        put_varint(body_, end - at);
        std::uint32_t last = 0;
        for (; at < end; ++at) {
            put_varint(body_, sums[at].first - last);
            put_varint(body_, sums[at].second);
            last = sums[at].first;
        }
    }
    ++ordinal_;
}

void SumsWriter::finish() {
    if (!body_.empty()) {
        out_.push_back(seal_row(Tree::sealed, sealed_key::sums(block_, dimension_, part_ordinal_, part_), body_));
        body_.clear();
    }
}

namespace {
// use(ordinal, hour, sum); ordinals are those to the part's first. False where the bytes make no sense.
template <typename Use> bool each_in_part(std::string_view body, const Use& use) {
    ByteReader in(body);
    while (in.ok() && in.left() != 0) {
        const std::uint64_t ordinal = in.varint();
        const std::uint64_t pairs = in.varint();
        std::uint64_t hour = 0;
        for (std::uint64_t i = 0; i < pairs && in.ok(); ++i) {
            hour += in.varint();
            const std::uint64_t sum = in.varint();
            if (in.ok()) {
                use(static_cast<std::uint32_t>(ordinal), static_cast<std::uint32_t>(hour), sum);
            }
        }
    }
    return in.ok();
}

std::string sums_head(std::uint64_t block, Dimension dimension) {
    return sealed_key::sums(block, dimension, 0, 0).substr(0, sizeof(block) + 2);
}

// From where the cursor stands, as long as there are parts and they begin at or before `last`.
template <typename Use>
Result<void> each_part(Cursor& cursor, Cursor::Found found, std::string_view head, std::uint32_t last, const Use& use) {
    for (; found && *found && (*found)->key.starts_with(head); found = cursor.next()) {
        const auto first = ByteReader((*found)->key.substr(head.size())).fixed<std::uint32_t>();
        if (first > last) {
            break;
        }
        const auto opened = open_sealed((*found)->key, (*found)->value);
        if (!opened) {
            return std::unexpected(opened.error());
        }
        const auto shifted = [&use, first](std::uint32_t ordinal, std::uint32_t hour, std::uint64_t sum) {
            use(first + ordinal, hour, sum);
        };
        if (!each_in_part(opened->checked, shifted)) {
            return sealed_damaged((*found)->key, "sums");
        }
    }
    return found ? Result<void>{} : std::unexpected(found.error());
}
} // namespace

Result<void> each_sum(const Txn& txn, std::uint64_t block, Dimension dimension,
                      const std::function<void(std::uint32_t, std::uint32_t, std::uint64_t)>& use) {
    Cursor cursor(txn, Tree::sealed);
    const std::string head = sums_head(block, dimension);
    return each_part(cursor, cursor.at_or_after(head), head, UINT32_MAX, use);
}

Result<std::uint64_t> add_sums(const Txn& txn, std::uint64_t block, Dimension dimension, const HourWindow& window,
                               std::vector<std::uint64_t>& sums) {
    Cursor cursor(txn, Tree::sealed);
    const std::string head = sums_head(block, dimension);
    std::uint64_t in_part = 0;
    bool known = true;
    const auto add = [&sums, &window, &in_part, &known](std::uint32_t ordinal, std::uint32_t hour, std::uint64_t sum) {
        known = known && ordinal < sums.size();
        if (window.has(hour) && known) {
            sums[ordinal] += sum;
        }
        in_part += window.has_part(hour) ? sum : 0;
    };
    const auto done = each_part(cursor, cursor.at_or_after(head), head, UINT32_MAX, add);
    if (!done) {
        return std::unexpected(done.error());
    }
    return known ? Result<std::uint64_t>(in_part) : sealed_damaged(index_key(block), "sums");
}

Result<HourSums> read_sums(const Txn& txn, std::uint64_t block, Dimension dimension, std::uint32_t ordinal) {
    HourSums out;
    Cursor cursor(txn, Tree::sealed);
    const std::string head = sums_head(block, dimension);
    auto found = cursor.at_or_before(sealed_key::sums(block, dimension, ordinal, 0));
    if (found && (!*found || !(*found)->key.starts_with(head))) {
        found = cursor.at_or_after(head);
    }
    const auto mine = [&out, ordinal](std::uint32_t of, std::uint32_t hour, std::uint64_t sum) {
        if (of == ordinal) {
            out.emplace_back(hour, sum);
        }
    };
    const auto done = each_part(cursor, found, head, ordinal, mine);
    return done ? Result<HourSums>(std::move(out)) : std::unexpected(done.error());
}

} // namespace tocsin::storage
