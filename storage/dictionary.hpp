// SPDX-License-Identifier: Apache-2.0
// The values of one dimension of a sealed block in their order, each with the rows that hold it. Cut into parts that
// are found by the first value they hold, so that looking one value up reads one part.
#pragma once

#include "storage/blocks.hpp"
#include "storage/keys.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/posting.hpp"
#include "storage/sealed_value.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::storage {

inline constexpr std::size_t dictionary_value_max = 255; // a longer one would not fit its key

class DictionaryWriter {
public:
    DictionaryWriter(BlockPlace block, Dimension dimension, std::vector<SealedRow>& out)
        : block_(block), dimension_(dimension), out_(out) {}
    // Values ascending, each once, at most dictionary_value_max bytes; rows ascending, one at least.
    void add(std::string_view value, std::span<const std::uint32_t> rows);
    void finish();

private:
    void begin_part(std::string_view value);

    BlockPlace block_;
    Dimension dimension_;
    std::vector<SealedRow>& out_;
    std::uint32_t ordinal_ = 0;
    std::string part_first_{};
    std::string last_{};
    std::string body_{}; // of the part; empty: none is begun
    std::string entry_{};
    std::string scratch_{};
};

// Walks the values of one dimension. Views live as long as the transaction.
class DictionaryReader {
public:
    DictionaryReader(const Txn& txn, BlockPlace block, Dimension dimension)
        : cursor_(txn, Tree::sealed), block_(block), dimension_(dimension) {}

    // Stands at the first value that is not below; false where there is none.
    Result<bool> seek(std::string_view value);
    Result<bool> next();

    std::string_view value() const { return value_; }
    std::uint32_t ordinal() const { return ordinal_; } // 0 for the first value of the block
    const Posting& posting() const { return posting_; }

private:
    Result<bool> open(const Cursor::Found& found);
    Result<bool> read_entry();

    Cursor cursor_;
    BlockPlace block_;
    Dimension dimension_;
    std::string_view key_{};
    ByteReader in_{std::string_view{}};
    std::string value_{};
    std::uint32_t ordinal_ = 0;
    std::uint32_t next_ordinal_ = 0;
    Posting posting_{};
};

// One dimension of a block, whole: what each of its rows holds.
struct CodedRows {
    std::vector<std::string> values{};  // by code; [0]: none
    std::vector<std::uint32_t> codes{}; // by row; empty: all hold the only value
};
Result<CodedRows> read_codes(const Txn& txn, BlockPlace block, Dimension dimension);
// The rows that hold one value.
Result<RowSet> rows_of(const Txn& txn, BlockPlace block, Dimension dimension, std::string_view value);

// ---- sums of `count` by hour ----

using HourSums = std::vector<std::pair<std::uint32_t, std::uint64_t>>; // ascending hours

class SumsWriter {
public:
    SumsWriter(std::uint64_t block, Dimension dimension, std::vector<SealedRow>& out)
        : block_(block), dimension_(dimension), out_(out) {}
    // For every value of the dictionary, in its order.
    void add(const HourSums& sums);
    void finish();

private:
    std::uint64_t block_;
    Dimension dimension_;
    std::vector<SealedRow>& out_;
    std::uint32_t ordinal_ = 0;
    std::uint32_t part_ordinal_ = 0;
    std::uint16_t part_ = 0;
    std::string body_{};
};

// Hours that are wanted as a whole, and those that are wanted in part.
struct HourWindow {
    std::uint32_t from = 0;
    std::uint32_t to = UINT32_MAX; // the first that is not wanted as a whole
    bool part_before = false;      // of the hour before `from`
    bool part_after = false;       // of `to`
    bool has(std::uint32_t hour) const { return hour >= from && hour < to; }
    bool has_part(std::uint32_t hour) const { return (part_before && hour + 1 == from) || (part_after && hour == to); }
};
// Adds to sums[ordinal] what its value has in the window's whole hours. What is in those wanted in part is given back.
Result<std::uint64_t> add_sums(const Txn& txn, std::uint64_t block, Dimension dimension, const HourWindow& window,
                               std::vector<std::uint64_t>& sums);
// Those of all values: use(ordinal, hour, sum), by ordinal, then by hour.
Result<void> each_sum(const Txn& txn, std::uint64_t block, Dimension dimension,
                      const std::function<void(std::uint32_t, std::uint32_t, std::uint64_t)>& use);
// By the value's ordinal.
Result<HourSums> read_sums(const Txn& txn, std::uint64_t block, Dimension dimension, std::uint32_t ordinal);

} // namespace tocsin::storage
