// SPDX-License-Identifier: Apache-2.0
#include "storage/block_build.hpp"

#include "storage/keys.hpp"
#include "storage/weights.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace tocsin::storage {

namespace {
constexpr std::int64_t no_time_us = std::numeric_limits<std::int64_t>::min();
} // namespace

std::string number_value(std::int64_t number) {
    return fixed_key(static_cast<std::uint64_t>(number) ^ (std::uint64_t{1} << 63)); // negative ones first
}

std::int64_t read_number(std::string_view value) {
    return static_cast<std::int64_t>(read_fixed<std::uint64_t>(value).value_or(0) ^ (std::uint64_t{1} << 63));
}

std::string small_value(std::uint8_t number) {
    return {static_cast<char>(number)};
}

std::string hour_value(std::uint32_t hour) {
    return fixed_key(hour);
}

std::string uid_value(std::uint32_t uid) {
    return fixed_key(uid);
}

std::optional<std::string_view> value_of(const Event& event, Dimension dimension, std::string& space) {
    switch (dimension) {
    case Dimension::name:
        return event.event_name;
    case Dimension::source:
        return event.event_src;
    case Dimension::environment:
        return event.environment;
    case Dimension::dataset:
        return event.event_id;
    case Dimension::host:
        return event.host;
    case Dimension::scid:
        return space = number_value(event.scid);
    case Dimension::rule:
        return event.event_rule_id ? std::optional<std::string_view>(space = number_value(*event.event_rule_id))
                                   : std::nullopt;
    case Dimension::severity:
        return space = small_value(static_cast<std::uint8_t>(event.severity));
    case Dimension::type:
        return space = small_value(static_cast<std::uint8_t>(event.event_type));
    case Dimension::script:
        return space = small_value(event.spark_script.empty() ? 0 : 1);
    case Dimension::hour:
        return space = hour_value(hour_of(event.event_time_us));
    case Dimension::uid:
        return event.origin.uid ? std::optional<std::string_view>(space = uid_value(*event.origin.uid)) : std::nullopt;
    }
    return std::nullopt;
}

BlockBuilder::BlockBuilder(BlockPlace block) : block_(block), records_(block.first) {
    for (auto& column : columns_) {
        column = std::make_unique<Column>(block.rows);
    }
    times_.reserve(block.rows);
    hours_.reserve(block.rows);
    counts_.reserve(block.rows);
}

Result<void> BlockBuilder::add(const Event& event) {
    const auto refuse = [&event](std::string reason) {
        return fail(Code::unavailable, "seal", "event " + std::to_string(event.unique_index), std::move(reason));
    };
    if (event.unique_index != block_.first + times_.size() || times_.size() == block_.rows) {
        return refuse("does not belong here");
    }
    for (const std::string* text :
         {&event.event_name, &event.event_src, &event.environment, &event.event_id, &event.host}) {
        if (text->size() > dictionary_value_max) {
            return refuse("has a name longer than " + std::to_string(dictionary_value_max) + " bytes");
        }
    }
    records_.add(event, out_);
    for (std::size_t at = 0; at < dimensions.size(); ++at) {
        const auto value = value_of(event, dimensions[at], space_);
        value ? put(at, *value) : put_code(at, no_code);
    }
    times_.push_back({event.event_time_us, event.received_time_us});
    hours_.push_back(hour_of(event.event_time_us));
    counts_.push_back(static_cast<std::uint32_t>(event.count));
    return {};
}

void BlockBuilder::skip() {
    records_.add_hole(out_);
    for (std::size_t at = 0; at < columns_.size(); ++at) {
        put_code(at, no_code);
    }
    hours_.push_back(0); // of no value
    times_.push_back(times_.empty() ? RowTimes{.event_us = no_time_us, .received_us = no_time_us} : times_.back());
    counts_.push_back(1);
}

// Rows that have expired and stand before all others take the times of the first that is there.
void BlockBuilder::fill_times() {
    const auto known = std::ranges::find_if(times_, [](const RowTimes& row) { return row.event_us != no_time_us; });
    std::fill(times_.begin(), known, known == times_.end() ? RowTimes{} : *known);
}

HourSums BlockBuilder::sums_of(std::span<const std::uint32_t> rows) const {
    HourSums sums;
    bool sorted = true;
    for (const std::uint32_t row : rows) {
        const std::uint32_t hour = hours_[row];
        if (!sums.empty() && sums.back().first == hour) {
            sums.back().second += counts_[row];
        } else {
            sorted = sorted && (sums.empty() || sums.back().first < hour);
            sums.emplace_back(hour, counts_[row]);
        }
    }
    if (!sorted) {
        std::ranges::sort(sums);
        std::size_t last = 0;
        for (std::size_t i = 1; i < sums.size(); ++i) {
            if (sums[i].first == sums[last].first) {
                sums[last].second += sums[i].second;
            } else {
                sums[++last] = sums[i];
            }
        }
        sums.resize(last + 1);
    }
    return sums;
}

// Rows are sorted by the code of their value (a counting sort, which keeps their order), values by their bytes.
void BlockBuilder::index(std::size_t dimension) {
    Column& column = *columns_[dimension];
    const std::uint32_t values = column.values.count();
    std::vector<std::uint32_t> ends(values + 1, 0); // [code]: where its rows end; [0] those without a value
    for (const std::uint32_t code : column.codes) {
        ++ends[code];
    }
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    std::vector<std::uint32_t> at(values + 1, 0);
    std::copy(ends.begin(), ends.end() - 1, at.begin() + 1);
    std::vector<std::uint32_t> rows(column.codes.size());
    for (std::uint32_t row = 0; row < column.codes.size(); ++row) {
        rows[at[column.codes[row]]++] = row;
    }
    std::vector<std::uint32_t> order(values);
    std::iota(order.begin(), order.end(), 1U);
    std::ranges::sort(order, {}, [&column](std::uint32_t code) { return column.values.at(code); });
    DictionaryWriter dictionary(block_, dimensions[dimension], out_);
    SumsWriter sums(block_.first, dimensions[dimension], out_);
    for (const std::uint32_t code : order) {
        const std::span<const std::uint32_t> mine(rows.begin() + ends[code - 1], rows.begin() + ends[code]);
        dictionary.add(column.values.at(code), mine);
        sums.add(sums_of(mine));
    }
    dictionary.finish();
    sums.finish();
    header_.cardinality[dimension] = values;
    columns_[dimension].reset();
}

void BlockBuilder::finish() {
    records_.finish(out_);
    for (std::size_t dimension = 0; dimension < dimensions.size(); ++dimension) {
        index(dimension);
    }
    put_weights(block_.first, counts_, out_);
    fill_times();
    build_times(block_.first, times_, header_, out_);
    out_.push_back(encode_header(block_.first, header_));
}

} // namespace tocsin::storage
