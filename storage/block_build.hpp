// SPDX-License-Identifier: Apache-2.0
// Makes the rows of a sealed block from its events: records while they come, indexes when all have come. Pure: the same
// events give the same bytes, so that a check of a store can build a block again and compare.
#pragma once

#include "core/event.hpp"
#include "storage/block_column.hpp"
#include "storage/block_times.hpp"
#include "storage/records.hpp"

#include <algorithm>
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
    // All events of a chunk whose columns were read: the same as adding one after the other, in less time.
    Result<void> add(const ChunkReader& chunk);
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
    struct Numbers { // of a row
        std::int64_t scid = 0;
        std::optional<std::int64_t> rule{};
        Severity severity = Severity::info;
        EventType type = EventType::standard;
        bool script = false;
        std::optional<std::uint32_t> uid{};
        RowTimes times{};
        std::uint64_t count = 1;
    };
    template <Dimension dimension> BlockColumn& column() {
        constexpr auto at = std::ranges::find(dimensions, dimension) - dimensions.begin();
        return *columns_[static_cast<std::size_t>(at)];
    }
    Result<void> add(const StoredRow& stored);
    bool put_texts(const ChunkReader& chunk, std::size_t row);
    Result<std::optional<std::uint32_t>> uid_of(const StoredRow& stored);
    void put_numbers(const Numbers& row);
    void index(std::size_t dimension);
    void fill_times();
    HourSums sums_of(std::span<const std::uint32_t> rows) const;
    bool same_hour_and_count() const;

    BlockPlace block_;
    RecordWriter records_;
    std::array<std::unique_ptr<BlockColumn>, dimensions.size()> columns_{};
    std::optional<std::uint32_t> uid_{}; // of the origin that was seen last
    std::uint32_t uid_origin_ = no_code; // … its code in the chunk
    std::vector<RowTimes> times_{};
    std::vector<std::uint32_t> hours_{};
    std::vector<std::uint32_t> counts_{};
    bool even_ = false; // all rows are of one hour and count 1
    BlockHeader header_{};
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
