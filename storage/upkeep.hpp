// SPDX-License-Identifier: Apache-2.0
// The writer's part of what is done beside the intake, one small transaction after the other: what an interrupted start
// left is swept away, full blocks are sealed and their log values removed, what has expired goes.
#pragma once

#include "core/clock.hpp"
#include "storage/log_state.hpp"
#include "storage/retention.hpp"
#include "storage/upkeep_worker.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace tocsin::storage {

class Upkeep {
public:
    struct Parts {
        Env& env;
        LogState& log;
        const Clock& clock;
        std::function<Space()> space;
        std::function<void()> ready; // called from another thread when due() may have become true
    };
    Upkeep(Parts parts, const RetentionPolicy& policy);

    void start();
    void stop() { worker_.stop(); }

    // Whether step() has something to do now.
    bool due();
    // In the middle of something, whether it is the writer's turn or not.
    bool busy() const { return !paused_ && stage_ != Stage::off && stage_ != Stage::choose; }
    // When due() may become true by itself.
    std::int64_t look_again_us() const { return retention_.look_again_us(); }
    // One transaction of at most about 2 ms. LMDB's code.
    int step();
    // After a step that failed: nothing is due until resume(), then what was begun is begun anew.
    void pause();
    void resume() { paused_ = false; }
    // Whether room for so many bytes is going to be made.
    bool makes_room(std::uint64_t bytes);

    // Not empty: why nothing more is done until the next start. Thread-safe.
    std::string stopped_reason() const;
    Expired expired() const; // thread-safe

private:
    enum class Stage { off, sweep, unlog, choose, work };
    void find_garbage();
    bool choose();
    void begin();
    int sweep();
    int unlog();
    int work();
    int drop();
    int forget();
    int commit(const UpkeepSlice& slice);
    bool is_void(const Txn& txn, const UpkeepSlice& slice) const;
    void done(UpkeepSlice& slice);

    Parts parts_;
    Retention retention_;
    UpkeepWorker worker_;
    Stage stage_ = Stage::off;
    bool paused_ = false;
    bool look_ = true; // whatever look_again_us() says
    std::optional<UpkeepOrder> order_{};
    std::uint64_t order_expired_ = 0; // events of this order
    std::uint64_t wanted_bytes_ = 0;  // for which there was no room
    // Indexes from … up to, exclusive: values that are of no block.
    std::deque<std::pair<std::uint64_t, std::uint64_t>> garbage_{};
    mutable std::mutex mutex_;
    std::string stopped_{};
    Expired expired_{};
};

} // namespace tocsin::storage
