// SPDX-License-Identifier: Apache-2.0
#include "storage/sealed_filter.hpp"

#include "storage/block_build.hpp"
#include "storage/dead_rows.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::storage {

namespace {

template <typename T, typename Spell>
std::vector<std::string> spelled(const std::vector<T>& values, const Spell& spell) {
    std::vector<std::string> out;
    out.reserve(values.size());
    std::ranges::transform(values, std::back_inserter(out), spell);
    return out;
}

std::uint32_t end_of_run(const BlockHeader& header, std::size_t run) {
    return std::min(header.rows, static_cast<std::uint32_t>(run + 1) * rows_per_run);
}

} // namespace

SealedFilter::SealedFilter(const Filter& filter) : filter_(filter) {
    std::vector<std::string> names;
    std::vector<std::string> prefixes;
    for (const NamePattern& name : filter.event_name) {
        (name.prefix ? prefixes : names).push_back(name.text);
    }
    want(Dimension::name, std::move(names), std::move(prefixes));
    want(Dimension::source, filter.event_src);
    want(Dimension::scid, spelled(filter.scid, number_value));
    want(Dimension::rule, spelled(filter.event_rule_id, number_value));
    want_severities();
    want(Dimension::environment, filter.environment);
    want(Dimension::type,
         spelled(filter.event_type, [](EventType type) { return small_value(static_cast<std::uint8_t>(type)); }));
    want(Dimension::dataset, filter.event_id);
    want(Dimension::host, filter.host);
}

void SealedFilter::want(Dimension dimension, std::vector<std::string> values, std::vector<std::string> prefixes) {
    if (values.empty() && prefixes.empty()) {
        return;
    }
    // Values by a prefix are a range, and a value or a range inside of another one must not be added twice.
    std::ranges::sort(prefixes);
    std::vector<std::string> apart;
    for (std::string& prefix : prefixes) {
        if (apart.empty() || !prefix.starts_with(apart.back())) {
            apart.push_back(std::move(prefix));
        }
    }
    std::erase_if(values, [&apart](const std::string& value) {
        return std::ranges::any_of(apart, [&value](const std::string& prefix) { return value.starts_with(prefix); });
    });
    std::ranges::sort(values);
    values.erase(std::ranges::unique(values).begin(), values.end());
    wanted_.push_back({dimension, std::move(values), std::move(apart)});
}

void SealedFilter::want_severities() {
    std::vector<std::string> left;
    for (std::uint8_t rank = 0; rank < 4; ++rank) {
        const auto severity = static_cast<Severity>(rank);
        const bool named =
            filter_.severity.empty() || std::ranges::find(filter_.severity, severity) != filter_.severity.end();
        if (named && (!filter_.min_severity || severity >= *filter_.min_severity)) {
            left.push_back(small_value(rank));
        }
    }
    if (left.size() != 4) {
        wanted_.push_back({Dimension::severity, std::move(left)}); // none left: nothing matches
    }
}

bool SealedFilter::fits(std::int64_t event_us) const {
    return (!filter_.since_us || event_us >= *filter_.since_us) && (!filter_.until_us || event_us < *filter_.until_us);
}

// Rows that may fit: whole runs by their range, rows apart from it by their own time.
RowSet SealedFilter::by_time(const BlockHeader& header) const {
    RowSet rows(header.rows);
    for (std::size_t run = 0; run < header.runs.size(); ++run) {
        const TimeRun& range = header.runs[run];
        if ((!filter_.since_us || range.max_us >= *filter_.since_us) &&
            (!filter_.until_us || range.min_us < *filter_.until_us)) {
            rows.add_range(static_cast<std::uint32_t>(run) * rows_per_run, end_of_run(header, run));
        }
    }
    for (const Outlier& apart : header.outliers) {
        fits(apart.time_us) ? rows.add(apart.row) : rows.remove(apart.row);
    }
    return rows;
}

void SealedFilter::by_received(SealedRows& left) const {
    const auto& since = filter_.received_since_us;
    const auto& until = filter_.received_until_us;
    if (!since && !until) {
        return;
    }
    left.unsure.assign(left.header.runs.size(), false);
    for (std::size_t run = 0; run < left.header.runs.size(); ++run) {
        const TimeRun& range = left.header.runs[run];
        if ((since && range.max_received_us < *since) || (until && range.min_received_us >= *until)) {
            left.rows.remove_range(static_cast<std::uint32_t>(run) * rows_per_run, end_of_run(left.header, run));
        } else {
            left.unsure[run] = (since && range.min_received_us < *since) || (until && range.max_received_us >= *until);
        }
    }
    if (std::ranges::find(left.unsure, true) == left.unsure.end()) {
        left.unsure.clear();
    }
}

Result<SealedFilter::Side> SealedFilter::look_up(const Txn& txn, BlockPlace block, const Wanted& wanted) const {
    Side side;
    DictionaryReader dictionary(txn, block, wanted.dimension);
    const auto take = [&side, &dictionary] {
        side.rows += dictionary.posting().rows;
        side.postings.push_back(dictionary.posting());
    };
    for (const std::string& value : wanted.values) {
        const auto there = dictionary.seek(value);
        if (!there) {
            return std::unexpected(there.error());
        }
        if (*there && dictionary.value() == value) {
            take();
        }
    }
    for (const std::string& prefix : wanted.prefixes) {
        auto there = dictionary.seek(prefix);
        for (; there && *there && dictionary.value().starts_with(prefix); there = dictionary.next()) {
            take();
        }
        if (!there) {
            return std::unexpected(there.error());
        }
    }
    return side;
}

// The rarest side first, and no posting is read once nothing is left. A side that every row is on says nothing.
Result<void> SealedFilter::by_values(const Txn& txn, SealedRows& left) const {
    std::vector<Side> sides;
    for (const Wanted& wanted : wanted_) {
        auto side = look_up(txn, left.block, wanted);
        if (!side) {
            return std::unexpected(side.error());
        }
        if (side->rows == 0) {
            left.rows = RowSet(left.block.rows);
            return {};
        }
        if (side->rows < left.block.rows) {
            sides.push_back(std::move(*side));
        }
    }
    std::ranges::sort(sides, {}, &Side::rows);
    for (const Side& side : sides) {
        if (left.rows.empty()) {
            return {};
        }
        RowSet rows(left.block.rows);
        for (const Posting& posting : side.postings) {
            if (!add_rows(posting, rows)) {
                return sealed_damaged(index_key(left.block.first), "a posting");
            }
        }
        left.rows &= rows;
    }
    return {};
}

// Rows of the runs that lie across a bound of the event time, one by one.
Result<void> SealedFilter::exact_times(const Txn& txn, SealedRows& left) const {
    if (!filter_.since_us && !filter_.until_us) {
        return {};
    }
    TimeReader times(txn, left.block.first, left.header);
    for (std::uint32_t run = 0; run < left.header.runs.size(); ++run) {
        const TimeRun& range = left.header.runs[run];
        if (fits(range.min_us) && fits(range.max_us)) {
            continue;
        }
        const std::uint32_t end = end_of_run(left.header, run);
        for (auto row = left.rows.at_or_after(run * rows_per_run); row && *row < end;
             row = left.rows.at_or_after(*row + 1)) {
            const auto at = times.at(*row);
            if (!at) {
                return std::unexpected(at.error());
            }
            if (!fits(*at)) {
                left.rows.remove(*row);
            }
        }
    }
    return {};
}

Result<bool> SealedFilter::holds(const Txn& txn, const SealedRows& left) {
    const auto summary = txn.get(Tree::blocks, index_key(left.block.first));
    return summary ? Result<bool>(*summary && **summary == left.summary) : std::unexpected(summary.error());
}

Result<std::optional<SealedRows>> SealedFilter::select(const Txn& txn, std::uint64_t first, std::uint64_t low,
                                                       std::uint64_t high) const {
    const auto summary = txn.get(Tree::blocks, index_key(first));
    if (!summary || !*summary) {
        return summary ? Result<std::optional<SealedRows>>(std::nullopt) : std::unexpected(summary.error());
    }
    auto header = read_header(txn, first);
    if (!header) {
        return std::unexpected(header.error());
    }
    SealedRows left{.block = {first, header->rows}, .summary = std::string(**summary), .header = std::move(*header)};
    left.rows = by_time(left.header);
    left.rows.remove_range(0, static_cast<std::uint32_t>(std::min<std::uint64_t>(low - first, left.block.rows)));
    left.rows.remove_range(static_cast<std::uint32_t>(std::min<std::uint64_t>(high - first + 1, left.block.rows)),
                           left.block.rows);
    by_received(left);
    const auto dead = read_dead(txn, left.block);
    if (!dead) {
        return std::unexpected(dead.error());
    }
    left.rows -= *dead;
    if (left.rows.empty()) {
        return std::nullopt;
    }
    auto done = by_values(txn, left);
    done = done && !left.rows.empty() ? exact_times(txn, left) : done;
    if (!done) {
        return std::unexpected(done.error());
    }
    return left.rows.empty() ? std::nullopt : std::optional(std::move(left));
}

} // namespace tocsin::storage
