// SPDX-License-Identifier: Apache-2.0
// Makes the rows of a sealed block from its events: records while they come, indexes when all have come. Pure: the same
// events give the same bytes, so that a check of a store can build a block again and compare.
#pragma once

#include "core/event.hpp"
#include "storage/block_times.hpp"
#include "storage/records.hpp"
#include "storage/tail.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::storage {

class BlockBuilder {
public:
    explicit BlockBuilder(BlockPlace block);

    // The next event, by index. An error: it cannot be in a sealed block.
    Result<void> add(const Event& event);
    // The next event has expired: its row is in no index.
    void skip();
    // Ends the value of records: the next event begins another one.
    void cut() { records_.finish(out_); }
    // After the last one: the rest of the records and the indexes; the header comes last.
    void finish();
    // What is ready to be written, in order; it is the caller's now.
    std::vector<SealedRow> take() { return std::exchange(out_, {}); }
    std::size_t rows() const { return times_.size(); }

private:
    // One dimension while it is collected: a code for each row.
    struct Column {
        explicit Column(std::uint32_t rows) : values(rows) { codes.reserve(rows); }
        StringStore values;
        std::vector<std::uint32_t> codes{};
        std::uint32_t last = no_code; // given; most values follow themselves
    };
    void put(std::size_t dimension, std::string_view value) {
        Column& column = *columns_[dimension];
        if (column.last == no_code || column.values.at(column.last) != value) {
            column.last = column.values.intern(value);
        }
        put_code(dimension, column.last);
    }
    void put_code(std::size_t dimension, std::uint32_t code) { columns_[dimension]->codes.push_back(code); }
    void index(std::size_t dimension);
    void fill_times();
    HourSums sums_of(std::span<const std::uint32_t> rows) const;

    BlockPlace block_;
    RecordWriter records_;
    std::array<std::unique_ptr<Column>, dimensions.size()> columns_{};
    std::vector<RowTimes> times_{};
    std::vector<std::uint32_t> hours_{};
    std::vector<std::uint32_t> counts_{};
    BlockHeader header_{};
    std::string space_{};
    std::vector<SealedRow> out_{};
};

// What an event has of a dimension, as its dictionary spells it; `space` is the caller's, for what is not in the event.
// None: no filter asks for its absence.
std::optional<std::string_view> value_of(const Event& event, Dimension dimension, std::string& space);

// How a dimension's values stand in its dictionary, in their own order.
std::string number_value(std::int64_t number); // scid, rule
std::int64_t read_number(std::string_view value);
std::string small_value(std::uint8_t number); // severity, type, script
std::string hour_value(std::uint32_t hour);
std::string uid_value(std::uint32_t uid);

} // namespace tocsin::storage
