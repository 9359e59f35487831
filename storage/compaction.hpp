// SPDX-License-Identifier: Apache-2.0
// Writes a sealed block anew without what has expired: first its records, value by value, then its indexes, dimension
// by dimension, last its times. After each of these transactions the block is whole: who reads leaves dead rows out,
// wherever they are still listed.
#pragma once

#include "storage/upkeep_slice.hpp"

namespace tocsin::storage {

Result<void> compact_block(Env& env, const BlockSummary& block, const Emit& emit);

} // namespace tocsin::storage
