// SPDX-License-Identifier: Apache-2.0
// What is done to a store beside the intake (blocks sealed, expired, compacted) is worked out on a thread of its own
// and written by the writer, a small transaction at a time. This is one of them.
#pragma once

#include "storage/blocks.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/sealed_value.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::storage {

struct TreeChange {
    enum class What : std::uint8_t { put, erase, add };
    What what = What::put;
    Tree tree = Tree::meta;
    std::string key{};
    std::string value{};    // put
    std::uint64_t more = 0; // add: to the number that is there
};

struct UpkeepSlice {
    std::vector<TreeChange> changes{};
    std::vector<std::uint64_t> expires{};                   // ascending; void where one of them was pinned meanwhile
    std::optional<BlockSummary> block{};                    // as it is from then on
    std::array<std::uint64_t, 4> gone{};                    // events that expire, by severity
    std::optional<std::array<std::int64_t, 4>> oldest_us{}; // with the last: received_time of what is left, by severity
    bool last = false;                                      // nothing follows

    void put(SealedRow row) {
        bytes += row.value.size();
        changes.push_back({TreeChange::What::put, row.tree, std::move(row.key), std::move(row.value), 0});
    }
    void put(Tree tree, std::string key, std::string value) {
        bytes += value.size();
        changes.push_back({TreeChange::What::put, tree, std::move(key), std::move(value), 0});
    }
    void erase(Tree tree, std::string key) {
        changes.push_back({TreeChange::What::erase, tree, std::move(key), {}, 0});
    }
    void add(Tree tree, std::string key, std::uint64_t more) {
        changes.push_back({TreeChange::What::add, tree, std::move(key), {}, more});
    }
    std::size_t bytes = 0; // of what is put
};

// LMDB's code.
int apply(Txn& txn, const UpkeepSlice& slice);

// Hands a slice over; waits for room; false where the work is wanted no more.
using Emit = std::function<bool(UpkeepSlice)>;

inline constexpr std::size_t slice_bytes = std::size_t{256} * 1024; // of a slice: well below 2 ms, its flush apart

} // namespace tocsin::storage
