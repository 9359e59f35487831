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

// `use(code, from, to)` for rows from ≤ row < to of one code: a column of one value costs next to nothing.
template <typename Use> void each_run(std::span<const std::uint32_t> codes, const Use& use) {
    for (std::uint32_t from = 0; from < codes.size();) {
        std::uint32_t to = from + 1;
        while (to < codes.size() && codes[to] == codes[from]) {
            ++to;
        }
        use(codes[from], from, to);
        from = to;
    }
}

std::unexpected<Error> refused(std::uint64_t index, std::string reason) {
    return fail(Code::unavailable, "seal", "event " + std::to_string(index), std::move(reason));
}

std::unexpected<Error> too_long(std::uint64_t index) {
    return refused(index, "has a name longer than " + std::to_string(dictionary_value_max) + " bytes");
}
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
        column = std::make_unique<BlockColumn>(block.rows);
    }
    times_.reserve(block.rows);
    hours_.reserve(block.rows);
    counts_.reserve(block.rows);
}

Result<void> BlockBuilder::add(const Event& event) {
    if (event.unique_index != block_.first + times_.size() || times_.size() == block_.rows) {
        return refused(event.unique_index, "does not belong here");
    }
    for (const std::string* text :
         {&event.event_name, &event.event_src, &event.environment, &event.event_id, &event.host}) {
        if (text->size() > dictionary_value_max) {
            return too_long(event.unique_index);
        }
    }
    records_.add(event, out_);
    column<Dimension::name>().put(event.event_name);
    column<Dimension::source>().put(event.event_src);
    column<Dimension::environment>().put(event.environment);
    column<Dimension::dataset>().put(event.event_id);
    column<Dimension::host>().put(event.host);
    put_numbers({.scid = event.scid,
                 .rule = event.event_rule_id,
                 .severity = event.severity,
                 .type = event.event_type,
                 .script = !event.spark_script.empty(),
                 .uid = event.origin.uid,
                 .times = {event.event_time_us, event.received_time_us},
                 .count = event.count});
    return {};
}

Result<void> BlockBuilder::add(const ChunkReader& chunk) {
    if (chunk.first() != block_.first + times_.size() || chunk.count() > block_.rows - times_.size()) {
        return refused(chunk.first(), "does not belong here");
    }
    for (BlockColumn* column :
         {&column<Dimension::name>(), &column<Dimension::source>(), &column<Dimension::environment>(),
          &column<Dimension::dataset>(), &column<Dimension::host>()}) {
        column->follow(chunk);
    }
    records_.follow(chunk);
    uid_origin_ = no_code;
    for (std::size_t row = 0; row < chunk.count(); ++row) {
        const auto stored = chunk.stored(row);
        auto added = stored ? add(*stored) : std::unexpected(stored.error());
        if (!added) {
            return added;
        }
    }
    return {};
}

Result<void> BlockBuilder::add(const StoredRow& stored) {
    const Columns& c = stored.chunk.columns();
    const std::size_t row = stored.row;
    const auto uid = uid_of(stored);
    if (!uid) {
        return std::unexpected(uid.error());
    }
    if (!put_texts(stored.chunk, row)) {
        return too_long(stored.chunk.first() + row);
    }
    records_.add(stored, out_);
    const std::uint32_t set = c.bits[row];
    put_numbers({.scid = c.scid[row],
                 .rule = (set & bits::event_rule_id) != 0 ? std::optional(c.event_rule_id[row]) : std::nullopt,
                 .severity = static_cast<Severity>(set & bits::severity_mask),
                 .type = (set & bits::dataset) != 0 ? EventType::dataset : EventType::standard,
                 .script = !stored.chunk.strings()[stored.spark_script].empty(),
                 .uid = *uid,
                 .times = {c.event_time_us[row], c.received_time_us[row]},
                 .count = c.count[row]});
    return {};
}

bool BlockBuilder::put_texts(const ChunkReader& chunk, std::size_t row) {
    const Columns& c = chunk.columns();
    return column<Dimension::name>().put(chunk, c.name[row]) && column<Dimension::source>().put(chunk, c.source[row]) &&
           column<Dimension::environment>().put(chunk, c.environment[row]) &&
           column<Dimension::dataset>().put(chunk, c.event_id[row]) &&
           column<Dimension::host>().put(chunk, c.host[row]);
}

Result<std::optional<std::uint32_t>> BlockBuilder::uid_of(const StoredRow& stored) {
    if ((stored.chunk.columns().bits[stored.row] & bits::origin) == 0) {
        return std::nullopt;
    }
    if (stored.origin == no_code || stored.origin != uid_origin_) {
        const auto origin = stored.chunk.origin(stored.origin);
        if (!origin) {
            return std::unexpected(origin.error());
        }
        uid_ = origin->uid;
        uid_origin_ = stored.origin;
    }
    return uid_;
}

void BlockBuilder::put_numbers(const Numbers& row) {
    const std::uint32_t hour = hour_of(row.times.event_us);
    column<Dimension::scid>().put(row.scid, number_value);
    column<Dimension::severity>().put(static_cast<std::uint8_t>(row.severity), small_value);
    column<Dimension::type>().put(static_cast<std::uint8_t>(row.type), small_value);
    column<Dimension::script>().put(static_cast<std::uint8_t>(row.script ? 1 : 0), small_value);
    column<Dimension::hour>().put(hour, hour_value);
    row.rule ? column<Dimension::rule>().put(*row.rule, number_value) : column<Dimension::rule>().put_none();
    row.uid ? column<Dimension::uid>().put(*row.uid, uid_value) : column<Dimension::uid>().put_none();
    times_.push_back(row.times);
    hours_.push_back(hour);
    counts_.push_back(static_cast<std::uint32_t>(row.count));
}

void BlockBuilder::skip() {
    records_.add_hole(out_);
    for (auto& column : columns_) {
        column->put_none();
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
    if (even_) {
        return {{hours_.front(), rows.size()}};
    }
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

bool BlockBuilder::same_hour_and_count() const {
    const auto other_hour = [this](std::uint32_t hour) { return hour != hours_.front(); };
    return std::ranges::none_of(hours_, other_hour) && std::ranges::count(counts_, 1U) == std::ssize(counts_);
}

// Rows are sorted by the code of their value (a counting sort, which keeps their order), values by their bytes.
void BlockBuilder::index(std::size_t dimension) {
    const BlockColumn& column = *columns_[dimension];
    const std::vector<std::uint32_t>& codes = column.codes();
    const std::uint32_t values = column.values().count();
    std::vector<std::uint32_t> ends(values + 1, 0); // [code]: where its rows end; [0] those without a value
    each_run(codes, [&ends](std::uint32_t code, std::uint32_t from, std::uint32_t to) { ends[code] += to - from; });
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    std::vector<std::uint32_t> at(values + 1, 0);
    std::copy(ends.begin(), ends.end() - 1, at.begin() + 1);
    std::vector<std::uint32_t> rows(codes.size());
    each_run(codes, [&rows, &at](std::uint32_t code, std::uint32_t from, std::uint32_t to) {
        for (std::uint32_t& next = at[code]; from < to; ++from) {
            rows[next++] = from;
        }
    });
    std::vector<std::uint32_t> order(values);
    std::iota(order.begin(), order.end(), 1U);
    std::ranges::sort(order, {}, [&column](std::uint32_t code) { return column.values().at(code); });
    DictionaryWriter dictionary(block_, dimensions[dimension], out_);
    SumsWriter sums(block_.first, dimensions[dimension], out_);
    for (const std::uint32_t code : order) {
        const std::span<const std::uint32_t> mine(rows.begin() + ends[code - 1], rows.begin() + ends[code]);
        dictionary.add(column.values().at(code), mine);
        sums.add(sums_of(mine));
    }
    dictionary.finish();
    sums.finish();
    header_.cardinality[dimension] = values;
    columns_[dimension].reset();
}

void BlockBuilder::finish() {
    records_.finish(out_);
    even_ = same_hour_and_count();
    for (std::size_t dimension = 0; dimension < dimensions.size(); ++dimension) {
        index(dimension);
    }
    put_weights(block_.first, counts_, out_);
    fill_times();
    build_times(block_.first, times_, header_, out_);
    out_.push_back(encode_header(block_.first, header_));
}

} // namespace tocsin::storage
