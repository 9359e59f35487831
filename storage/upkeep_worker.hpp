// SPDX-License-Identifier: Apache-2.0
// The thread on which upkeep is worked out, one piece of work at a time. The writer takes its slices when it has time;
// what waits to be taken is bounded: the thread waits where the writer is slower.
#pragma once

#include "storage/upkeep_slice.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace tocsin::storage {

class UpkeepWorker {
public:
    // Gives its slices to Emit, the last one marked; or says why it cannot.
    using Work = std::move_only_function<Result<void>(const Emit&)>;

    // `ready` is called on the thread when there is something to take.
    explicit UpkeepWorker(std::function<void()> ready) : ready_(std::move(ready)) {}
    ~UpkeepWorker() { stop(); }
    UpkeepWorker(const UpkeepWorker&) = delete;
    UpkeepWorker& operator=(const UpkeepWorker&) = delete;

    void start();
    void stop();

    // All calls are the writer's. What was made of earlier work is dropped.
    void begin(Work work);
    void drop();
    bool has_something() const;

    struct Taken {
        std::optional<UpkeepSlice> slice{};
        std::optional<Error> error{}; // nothing more comes
    };
    Taken take();

private:
    void run();
    // Waits for room; false where the work is wanted no more.
    bool hand_over(UpkeepSlice slice, std::uint64_t number);
    void report(Error error, std::uint64_t number);

    std::function<void()> ready_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::optional<Work> wanted_{};
    std::uint64_t number_ = 0; // of the work; an older one is void
    std::deque<UpkeepSlice> slices_{};
    std::size_t bytes_ = 0;
    std::optional<Error> error_{};
    bool stopping_ = false;
    std::thread thread_{};
};

} // namespace tocsin::storage
