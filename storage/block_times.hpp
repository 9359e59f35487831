// SPDX-License-Identifier: Apache-2.0
// The event times of a sealed block: for each 1,024 rows the range of both times and the event times as differences of
// fixed width. Rows far from their neighbours are listed apart, so that one late event does not make a range wide.
#pragma once

#include "storage/dictionary.hpp"
#include "storage/sealed_value.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tocsin::storage {

inline constexpr std::uint32_t rows_per_run = 1'024;

// The dimensions of a sealed block, in the order of their cardinalities in its header.
inline constexpr std::array dimensions = {Dimension::name,   Dimension::source,   Dimension::scid,
                                          Dimension::rule,   Dimension::severity, Dimension::environment,
                                          Dimension::type,   Dimension::dataset,  Dimension::host,
                                          Dimension::script, Dimension::hour,     Dimension::uid};

struct Outlier {
    std::uint32_t row = 0;
    std::int64_t time_us = 0;
    friend bool operator==(const Outlier&, const Outlier&) = default;
};

struct TimeRun {
    std::int64_t min_us = 0; // event time, without outliers
    std::int64_t max_us = 0;
    std::int64_t min_received_us = 0;
    std::int64_t max_received_us = 0;
    std::uint8_t width = 0; // bits of a difference to min_us
    friend bool operator==(const TimeRun&, const TimeRun&) = default;
};

struct BlockHeader {
    std::uint32_t rows = 0;
    std::vector<TimeRun> runs{};
    std::vector<Outlier> outliers{}; // by row
    std::array<std::uint32_t, dimensions.size()> cardinality{};
    friend bool operator==(const BlockHeader&, const BlockHeader&) = default;
};

struct RowTimes {
    std::int64_t event_us = 0;
    std::int64_t received_us = 0;
};

// Fills rows, runs and outliers, appends the values with the times.
void build_times(std::uint64_t block, const std::vector<RowTimes>& rows, BlockHeader& header,
                 std::vector<SealedRow>& out);

SealedRow encode_header(std::uint64_t block, const BlockHeader& header);
// An error where the block is not there, too.
Result<BlockHeader> read_header(const Txn& txn, std::uint64_t block);

// Times of single rows; the last part is kept.
class TimeReader {
public:
    TimeReader(const Txn& txn, std::uint64_t block, const BlockHeader& header)
        : cursor_(txn, Tree::sealed), block_(block), header_(header) {}
    Result<std::int64_t> at(std::uint32_t row);

private:
    Result<void> open(std::uint32_t run);
    Cursor cursor_;
    std::uint64_t block_;
    const BlockHeader& header_;
    std::uint32_t run_ = UINT32_MAX; // whose bytes are:
    std::string_view packed_{};
    std::string_view key_{};
};

} // namespace tocsin::storage
