// SPDX-License-Identifier: Apache-2.0
// The rows of a sealed block whose events have expired. They are kept beside the block's indexes, which may list such
// rows until the block is compacted; whoever reads leaves them out.
#pragma once

#include "storage/dictionary.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/row_set.hpp"
#include "storage/sealed_value.hpp"

#include <cstdint>
#include <optional>

namespace tocsin::storage {

SealedRow encode_dead(BlockPlace block, const RowSet& dead);
// No rows where nothing has expired.
Result<RowSet> read_dead(const Txn& txn, BlockPlace block);

// Whether single events have expired; knows the block it looked at last.
class DeadReader {
public:
    explicit DeadReader(const Txn& txn) : txn_(txn) {}
    // Of an index up to which events are sealed. Also true where its block has gone.
    Result<bool> is_dead(std::uint64_t index);

private:
    Result<bool> open(std::uint64_t index);
    const Txn& txn_;
    BlockPlace block_{};
    std::optional<RowSet> dead_{};
};

} // namespace tocsin::storage
