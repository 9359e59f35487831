// SPDX-License-Identifier: Apache-2.0
// The writer's part of sealing: one small transaction after the other. What an interrupted start left is swept away,
// a block's rows are written, the mark in the last of them makes it the one that is read, then its log values go.
#pragma once

#include "storage/log_state.hpp"
#include "storage/sealer.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

namespace tocsin::storage {

class Sealing {
public:
    // `ready`: called from another thread when due() may have become true.
    Sealing(Env& env, LogState& log, std::function<void()> ready)
        : env_(env), log_(log), sealer_(env, std::move(ready)) {}

    void start();
    void stop() { sealer_.stop(); }

    // Whether step() has something to do now.
    bool due() const;
    // One transaction of at most about 2 ms. LMDB's code.
    int step();
    // After a step that failed: nothing is due until resume(), then the block is begun anew.
    void pause();
    void resume() { paused_ = false; }

    // Not empty: why nothing more is sealed until the next start. Thread-safe.
    std::string stopped_reason() const;

private:
    enum class Stage { off, sweep, unlog, choose, write };
    int sweep();
    int unlog();
    int write();
    int commit(const Sealer::Slice& slice);

    Env& env_;
    LogState& log_;
    Sealer sealer_;
    Stage stage_ = Stage::off;
    bool paused_ = false;
    std::uint64_t last_ = 0; // of the block that is written
    mutable std::mutex mutex_;
    std::string stopped_{};
};

} // namespace tocsin::storage
