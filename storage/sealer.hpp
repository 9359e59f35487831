// SPDX-License-Identifier: Apache-2.0
// The thread that builds sealed blocks from what is in the log, beside the writer, which takes what is ready in slices.
// What waits to be taken is bounded: the thread waits where the writer is slower.
#pragma once

#include "storage/block_build.hpp"
#include "storage/blocks.hpp"
#include "storage/lmdb_env.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace tocsin::storage {

class Sealer {
public:
    // `ready` is called on the thread when there is something to take.
    Sealer(Env& env, std::function<void()> ready) : env_(env), ready_(std::move(ready)) {}
    ~Sealer() { stop(); }
    Sealer(const Sealer&) = delete;
    Sealer& operator=(const Sealer&) = delete;

    void start();
    void stop();

    // Begins this block; what was built of another is dropped. All calls are the writer's.
    void build(const BlockSummary& block);
    void drop();
    bool has_something() const;

    struct Slice {
        std::vector<SealedRow> rows{};
        bool last = false;            // the block is whole with these
        std::optional<Error> error{}; // it cannot be built
    };
    // At most `bytes` where there is more than one row.
    Slice take(std::size_t bytes);

private:
    void run();
    void build_block(const BlockSummary& block, std::uint64_t number);
    Result<bool> read_some(BlockBuilder& builder, const BlockSummary& block);
    // Waits for room; false where the block is wanted no more.
    bool hand_over(std::vector<SealedRow> rows, std::uint64_t number, bool last);
    void report(Error error, std::uint64_t number);

    Env& env_;
    std::function<void()> ready_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::optional<BlockSummary> wanted_{};
    std::uint64_t number_ = 0; // of the order; an older one is void
    std::deque<SealedRow> rows_{};
    std::size_t bytes_ = 0;
    bool whole_ = false;
    std::optional<Error> error_{};
    bool stopping_ = false;
    std::thread thread_{};
};

} // namespace tocsin::storage
