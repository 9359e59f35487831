// SPDX-License-Identifier: Apache-2.0
// What is left of expired events: sums of `count` by hour and one value of one dimension. Tree `archive`, keyed as
// `counters` are. Kept for a time of its own; then only the totals of names and severities remember them.
#pragma once

#include "storage/keys.hpp"
#include "storage/lmdb_env.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::storage {

inline constexpr std::array archived = {Dimension::name, Dimension::source, Dimension::scid, Dimension::severity,
                                        Dimension::environment};
bool is_archived(Dimension dimension);

// Calls use(hour, value, sum) for each sum of one dimension with from ≤ hour < to.
using EachArchived = std::function<void(std::uint32_t, std::string_view, std::uint64_t)>;
Result<void> each_archived(const Txn& txn, Dimension dimension, std::pair<std::uint32_t, std::uint32_t> hours,
                           const EachArchived& use);

// Forgets up to `limit` sums of hours before this one, the oldest first, in the archive and in `counters`; what goes
// of names and severities is added to the totals of what is forgotten. True: there is more. `rc`: LMDB's code.
bool forget_archived(Txn& txn, std::uint32_t before, std::size_t limit, int& rc);

} // namespace tocsin::storage
