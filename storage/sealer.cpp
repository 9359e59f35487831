// SPDX-License-Identifier: Apache-2.0
#include "storage/sealer.hpp"

#include "storage/block_build.hpp"
#include "storage/keys.hpp"
#include "storage/log_reader.hpp"

#include <utility>

namespace tocsin::storage {

namespace {

constexpr unsigned values_per_look = 8; // of the log, in one read transaction

// True: there is more. No transaction is open while we wait for the writer.
Result<bool> read_some(Env& env, BlockBuilder& builder, BlockSummary& block, ChunkReader& chunk) {
    const auto txn = Txn::read(env);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    LogReader log(*txn, chunk);
    for (unsigned values = 0; values < values_per_look; ++values) {
        const std::uint64_t next = block.first + builder.rows();
        if (next > block.last) {
            return false;
        }
        auto there = log.at_or_after(next);
        if (!there) {
            return there;
        }
        if (!*there || chunk.first() != next) {
            return fail(Code::unavailable, "seal", "event " + std::to_string(next), "is missing from the log");
        }
        if (auto read = chunk.read_columns(); !read) {
            return std::unexpected(read.error());
        }
        if (auto added = builder.add(chunk); !added) {
            return std::unexpected(added.error());
        }
        for (std::size_t row = 0; row < chunk.count(); ++row) {
            ++block.by_severity[chunk.columns().bits[row] & bits::severity_mask];
        }
    }
    return true;
}

// Slices of what is ready; `slice` keeps what does not fill one. False where the block is wanted no more.
bool hand_over(std::vector<SealedRow> rows, UpkeepSlice& slice, const Emit& emit) {
    for (SealedRow& row : rows) {
        if (!slice.changes.empty() && slice.bytes + row.value.size() > slice_bytes) {
            if (!emit(std::exchange(slice, {}))) {
                return false;
            }
        }
        slice.put(std::move(row));
    }
    return true;
}

} // namespace

Result<void> seal_block(Env& env, const BlockSummary& unsealed, const Emit& emit) {
    BlockSummary block = unsealed;
    block.by_severity.fill(0); // an older version did not count them
    BlockBuilder builder(place_of(block));
    UpkeepSlice slice;
    ChunkReader chunk; // one for all: it keeps its memory
    for (bool more = true; more;) {
        const auto read = read_some(env, builder, block, chunk);
        if (!read) {
            return std::unexpected(read.error());
        }
        more = *read;
        if (!hand_over(builder.take(), slice, emit)) {
            return {};
        }
    }
    builder.finish();
    if (!hand_over(builder.take(), slice, emit)) {
        return {};
    }
    slice.block = block;
    slice.put(Tree::blocks, index_key(block.first), encode_block(block));
    slice.put(Tree::meta, std::string(meta::sealed), fixed_key(block.last));
    slice.last = true;
    emit(std::move(slice));
    return {};
}

} // namespace tocsin::storage
