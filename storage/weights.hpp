// SPDX-License-Identifier: Apache-2.0
// The rows of a sealed block whose `count` is not 1, so that sums need no record: most events stand for themselves.
#pragma once

#include "storage/lmdb_env.hpp"
#include "storage/sealed_value.hpp"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tocsin::storage {

// counts[row]; appends nothing where all are 1.
void put_weights(std::uint64_t block, std::span<const std::uint32_t> counts, std::vector<SealedRow>& out);

using Weights = std::vector<std::pair<std::uint32_t, std::uint64_t>>; // row, count; ascending
Result<Weights> read_weights(const Txn& txn, std::uint64_t block);

} // namespace tocsin::storage
