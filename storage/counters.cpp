// SPDX-License-Identifier: Apache-2.0
#include "storage/counters.hpp"

#include "storage/keys.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <unordered_map>

namespace tocsin::storage {

namespace {

constexpr std::chrono::seconds view_patience{5}; // a view and a transaction that fit, around a checkpoint

// The number on disk plus `more`; a damaged one is an error.
int add_one(Txn& txn, Tree tree, std::string_view key, std::uint64_t more) {
    if (more == 0) {
        return 0;
    }
    const auto before = read_count(txn, tree, key);
    if (!before) {
        return MDB_CORRUPTED;
    }
    return txn.put(tree, key, fixed_key(*before + more));
}

// Calls use(hour, count) for each published row of the tail with this name.
template <typename Use> void tail_rows_of(const View& view, std::string_view name, const Use& use) {
    std::uint32_t known = no_code;
    for (std::size_t at = 0; at < view.rows; ++at) {
        const Columns& c = view.tail->columns(at / rows_per_chunk);
        const std::size_t row = at % rows_per_chunk;
        const std::uint32_t code = c.name[row];
        if (code == known || (known == no_code && view.tail->string(code) == name)) {
            known = code; // equal strings have one code
            use(hour_of(c.event_time_us[row]), c.count[row]);
        }
    }
}

} // namespace

Tally tally(const Segment& segment, std::size_t rows) {
    std::unordered_map<std::uint64_t, std::uint64_t> sums; // hour and code of the name
    Tally out;
    for (std::size_t at = 0; at < rows; ++at) {
        const Columns& c = segment.columns(at / rows_per_chunk);
        const std::size_t row = at % rows_per_chunk;
        sums[(static_cast<std::uint64_t>(hour_of(c.event_time_us[row])) << 32) | c.name[row]] += c.count[row];
        out.by_severity[c.bits[row] & bits::severity_mask] += c.count[row];
    }
    for (const auto& [key, sum] : sums) {
        const std::string_view name = segment.string(static_cast<std::uint32_t>(key));
        out.by_hour[{static_cast<std::uint32_t>(key >> 32), name}] += sum;
        out.by_name[name] += sum;
    }
    return out;
}

int add_counts(Txn& txn, const Tally& counts) {
    int rc = 0;
    for (const auto& [key, sum] : counts.by_hour) {
        rc = rc != 0 ? rc : add_one(txn, Tree::counters, counter_key(key.first, Dimension::name, key.second), sum);
    }
    for (const auto& [name, sum] : counts.by_name) {
        rc = rc != 0 ? rc : add_one(txn, Tree::totals, total_key(Dimension::name, name), sum);
    }
    for (std::size_t i = 0; i < counts.by_severity.size(); ++i) {
        const std::string key = total_key(Dimension::severity, to_string(static_cast<Severity>(i)));
        rc = rc != 0 ? rc : add_one(txn, Tree::totals, key, counts.by_severity[i]);
    }
    return rc;
}

Result<std::uint64_t> read_count(const Txn& txn, Tree tree, std::string_view key) {
    const auto value = txn.get(tree, key);
    if (!value) {
        return std::unexpected(value.error());
    }
    if (!*value) {
        return 0;
    }
    const auto number = read_fixed<std::uint64_t>(**value);
    if (!number) {
        return fail(Code::unavailable, "read", std::string(tree_name(tree)), "a number is damaged; restore a backup");
    }
    return *number;
}

Result<std::pair<View, Txn>> consistent(Env& env, const Publisher& publisher) {
    const auto end = std::chrono::steady_clock::now() + view_patience;
    for (;;) {
        View view = publisher.take();
        auto txn = Txn::read(env);
        if (!txn) {
            return std::unexpected(txn.error());
        }
        const auto checkpoint = read_count(*txn, Tree::meta, meta::checkpoint);
        if (!checkpoint) {
            return std::unexpected(checkpoint.error());
        }
        if (*checkpoint == view.checkpoint) {
            return std::pair(std::move(view), std::move(*txn));
        }
        if (std::chrono::steady_clock::now() > end) {
            return fail(Code::unavailable, "read", "counters", "a checkpoint is being made; ask again");
        }
        std::this_thread::yield(); // between a checkpoint's commit and its publication: microseconds
    }
}

Result<std::vector<std::pair<std::uint32_t, std::uint64_t>>>
count_by_hour(const Txn& txn, const View& view, std::string_view name, std::pair<std::uint32_t, std::uint32_t> hours) {
    std::map<std::uint32_t, std::uint64_t> sums;
    Cursor cursor(txn, Tree::counters);
    std::uint32_t hour = hours.first;
    while (hour < hours.second) { // from hour to hour that is there at all
        const std::string wanted = counter_key(hour, Dimension::name, name);
        const auto found = cursor.at_or_after(wanted);
        if (!found) {
            return std::unexpected(found.error());
        }
        if (!*found) {
            break;
        }
        if ((*found)->key == wanted) {
            sums[hour] += read_fixed<std::uint64_t>((*found)->value).value_or(0);
        }
        const auto there = ByteReader((*found)->key).fixed<std::uint32_t>();
        hour = std::max(there, hour + 1);
    }
    tail_rows_of(view, name, [&sums, hours](std::uint32_t at, std::uint64_t count) {
        if (at >= hours.first && at < hours.second) {
            sums[at] += count;
        }
    });
    return std::vector<std::pair<std::uint32_t, std::uint64_t>>(sums.begin(), sums.end());
}

Result<std::uint64_t> count_total(const Txn& txn, const View& view, std::string_view name) {
    auto sum = read_count(txn, Tree::totals, total_key(Dimension::name, name));
    if (sum) {
        tail_rows_of(view, name, [&sum](std::uint32_t, std::uint64_t count) { *sum += count; });
    }
    return sum;
}

} // namespace tocsin::storage
