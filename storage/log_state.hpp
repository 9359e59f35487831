// SPDX-License-Identifier: Apache-2.0
// What the writer knows of the log between two commits: the tail, the blocks before it, the known idempotency keys, the
// next index. append() stages, committed() keeps, rollback() takes back. Only the writer's thread touches it.
#pragma once

#include "storage/chunk_codec.hpp"
#include "storage/chunk_writer.hpp"
#include "storage/idempotency.hpp"
#include "storage/retention.hpp"
#include "storage/schema.hpp"
#include "storage/view.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>

namespace tocsin::storage {

class LogState {
public:
    struct Bounds {
        std::size_t tail_events = 65'536;
        std::int64_t window_us = 0;
        std::size_t keys_max = 0;
    };
    LogState(const StoreMeta& meta, const Bounds& bounds);

    // Reads blocks, keys and totals, replays what is newer than the checkpoint. Makes checkpoints on the way where the
    // tail is full.
    Result<void> load(Env& env, std::int64_t now_us);

    // Puts events with consecutive indexes from next_index() on. LMDB's code.
    int append(Txn& txn, std::span<const Event* const> events);
    void committed();
    void rollback();

    std::uint64_t next_index() const { return next_; }
    Idempotency& keys() { return keys_; }
    bool wants_checkpoint() const;
    // Counters, totals, summary and keys of the tail to disk in a transaction of its own; a new tail begins. LMDB's
    // code.
    int checkpoint(Env& env);
    View view() const;

    const Blocks& blocks() const { return *blocks_; }
    const TailAge& tail_age() const { return uses_.age; }
    void change_block(const BlockSummary& block);
    void remove_block(std::uint64_t first);

    // The oldest block whose events are still in the log alone.
    const BlockSummary* unsealed() const;
    std::uint64_t sealed() const { return sealed_; }
    void set_sealed(std::uint64_t last) { sealed_ = last; }

private:
    // What retention asks of the tail.
    struct Uses {
        TailAge age{};
        std::vector<Holding> holdings{};
        std::size_t latest = 0; // of holdings
    };
    Result<void> load_totals(const Txn& txn);
    Result<void> load_blocks(const Txn& txn);
    Result<void> load_keys(const Txn& txn, std::int64_t now_us);
    Result<std::uint64_t> find_ends(const Txn& txn);
    bool can_replay() const;
    Result<bool> replay_some(Env& env, std::uint64_t last);
    Result<void> replay_chunk(ChunkReader& chunk);
    void count(const Event& event);
    void find_first();
    void replace_blocks(Blocks blocks);
    std::shared_ptr<Segment> new_segment() const;
    BlockSummary summary() const;
    static void hold(Uses& uses, const Event& event, std::uint64_t bytes);

    Bounds bounds_;
    std::uint64_t first_ = 0;
    std::uint64_t next_;
    std::uint64_t checkpoint_;
    std::uint64_t sealed_;
    std::shared_ptr<const Blocks> blocks_ = std::make_shared<const Blocks>();
    std::shared_ptr<Segment> tail_;
    Idempotency keys_;
    ChunkWriter chunk_{};
    std::array<std::uint64_t, 4> by_severity_{};
    Uses uses_{};

    // Where the current transaction began.
    struct Mark {
        Segment::Mark tail{};
        std::uint64_t first = 0;
        std::uint64_t next = 0;
        std::array<std::uint64_t, 4> by_severity{};
        Uses uses{};
    };
    Mark mark_{};
};

} // namespace tocsin::storage
