// SPDX-License-Identifier: Apache-2.0
#include "storage/archive.hpp"

#include "core/event.hpp"
#include "storage/counters.hpp"

#include <algorithm>
#include <map>

namespace tocsin::storage {

namespace {

constexpr std::size_t head_bytes = sizeof(std::uint32_t) + 1; // of a key, before its value

struct Entry {
    std::uint32_t hour = 0;
    char dimension = 0;
    std::string_view value{};
    std::uint64_t sum = 0;
};

Result<Entry> read_entry(const Cursor::Entry& found) {
    const auto sum = read_fixed<std::uint64_t>(found.value);
    if (!sum || found.key.size() < head_bytes) {
        return fail(Code::unavailable, "read", "archive", "a number is damaged; restore a backup");
    }
    ByteReader in(found.key);
    const auto hour = in.fixed<std::uint32_t>();
    return Entry{.hour = hour,
                 .dimension = static_cast<char>(in.fixed<char>()),
                 .value = found.key.substr(head_bytes),
                 .sum = *sum};
}

int add_to(Txn& txn, std::string_view key, std::uint64_t more) {
    const auto before = read_count(txn, Tree::totals, key);
    return before ? txn.put(Tree::totals, key, fixed_key(*before + more)) : MDB_CORRUPTED;
}

// What is left are events that are still stored.
int take_from_counter(Txn& txn, std::string_view key, std::uint64_t less) {
    const auto before = read_count(txn, Tree::counters, key);
    if (!before || *before < less) {
        return MDB_CORRUPTED;
    }
    return *before == less ? txn.erase(Tree::counters, key) : txn.put(Tree::counters, key, fixed_key(*before - less));
}

} // namespace

bool is_archived(Dimension dimension) {
    return std::ranges::find(archived, dimension) != archived.end();
}

Result<void> each_archived(const Txn& txn, Dimension dimension, std::pair<std::uint32_t, std::uint32_t> hours,
                           const EachArchived& use) {
    Cursor cursor(txn, Tree::archive);
    std::uint32_t hour = hours.first;
    while (hour < hours.second) { // from hour to hour that is there at all
        auto found = cursor.at_or_after(counter_key(hour, dimension, {}));
        for (; found && *found; found = cursor.next()) {
            const auto entry = read_entry(**found);
            if (!entry) {
                return std::unexpected(entry.error());
            }
            if (entry->hour != hour || entry->dimension != static_cast<char>(dimension)) {
                // A later dimension of this hour, or another hour, whose entries may begin before the wanted ones.
                hour = entry->hour == hour ? hour + 1 : entry->hour;
                break;
            }
            use(hour, entry->value, entry->sum);
        }
        if (!found) {
            return std::unexpected(found.error());
        }
        if (!*found) {
            return {};
        }
    }
    return {};
}

bool forget_archived(Txn& txn, std::uint32_t before, std::size_t limit, int& rc) {
    std::vector<std::string> keys;
    std::vector<std::pair<std::string, std::uint64_t>> counters; // keyed as the archive is
    std::map<std::string, std::uint64_t> totals;
    {
        Cursor cursor(txn, Tree::archive);
        auto found = cursor.first();
        for (; found && *found && keys.size() < limit; found = cursor.next()) {
            const auto entry = read_entry(**found);
            if (!entry || entry->hour >= before) {
                rc = entry ? rc : MDB_CORRUPTED;
                break;
            }
            if (entry->dimension == static_cast<char>(Dimension::name)) {
                totals[forgotten_key(Dimension::name, entry->value)] += entry->sum;
                counters.emplace_back((*found)->key, entry->sum);
            } else if (entry->dimension == static_cast<char>(Dimension::severity) && !entry->value.empty()) {
                const auto severity = static_cast<Severity>(entry->value.front());
                totals[forgotten_key(Dimension::severity, to_string(severity))] += entry->sum;
            }
            keys.emplace_back((*found)->key);
        }
        rc = rc == 0 && !found ? MDB_CORRUPTED : rc;
    }
    for (const std::string& key : keys) {
        rc = rc != 0 ? rc : txn.erase(Tree::archive, key);
    }
    for (const auto& [key, sum] : counters) {
        rc = rc != 0 ? rc : take_from_counter(txn, key, sum);
    }
    for (const auto& [key, sum] : totals) {
        rc = rc != 0 ? rc : add_to(txn, key, sum);
    }
    return rc == 0 && keys.size() == limit;
}

} // namespace tocsin::storage
