// SPDX-License-Identifier: Apache-2.0
// Builds the rows of a sealed block from what is in the log, in short read transactions.
#pragma once

#include "storage/upkeep_slice.hpp"

namespace tocsin::storage {

// The last slice makes the block the one that is read.
Result<void> seal_block(Env& env, const BlockSummary& unsealed, const Emit& emit);

} // namespace tocsin::storage
