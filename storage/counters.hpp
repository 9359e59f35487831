// SPDX-License-Identifier: Apache-2.0
// Occurrences (the sum of `count`) by name and hour, by name and by severity for ever. On disk up to the last
// checkpoint; what is newer is counted from the tail's columns, so a sum of both is exact at any instant.
#pragma once

#include "storage/lmdb_env.hpp"
#include "storage/view.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::storage {

struct Tally {
    std::map<std::pair<std::uint32_t, std::string_view>, std::uint64_t> by_hour{}; // (hour, name)
    std::map<std::string_view, std::uint64_t> by_name{};
    std::array<std::uint64_t, 4> by_severity{};
};

// Of the first `rows` rows. The names live as long as the segment.
Tally tally(const Segment& segment, std::size_t rows);

// Adds to what is on disk. LMDB's code.
int add_counts(Txn& txn, const Tally& counts);

Result<std::uint64_t> read_count(const Txn& txn, Tree tree, std::string_view key);

// A view and a transaction at its checkpoint.
Result<std::pair<View, Txn>> consistent(Env& env, const Publisher& publisher);

// (hour, count) of one name in [from, to), from disk and tail. The transaction must stand at the view's checkpoint.
Result<std::vector<std::pair<std::uint32_t, std::uint64_t>>>
count_by_hour(const Txn& txn, const View& view, std::string_view name, std::pair<std::uint32_t, std::uint32_t> hours);
Result<std::uint64_t> count_total(const Txn& txn, const View& view, std::string_view name);

} // namespace tocsin::storage
