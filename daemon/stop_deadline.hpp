// SPDX-License-Identifier: Apache-2.0
// A stop that hangs ends all the same: a thread of its own waits for the stop to finish and calls `overrun` with the
// name of the step that did not, from that thread, when the time is up. The io thread cannot be trusted with it: it may
// be what hangs.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace tocsin::daemon {

class StopDeadline {
public:
    StopDeadline(std::chrono::milliseconds limit, std::function<void(const std::string& step)> overrun);
    ~StopDeadline() = default; // the stop is finished: asks the thread to end and joins it
    StopDeadline(const StopDeadline&) = delete;
    StopDeadline& operator=(const StopDeadline&) = delete;

    void step(std::string name);

private:
    void wait(const std::stop_token& token, std::chrono::milliseconds limit);

    std::function<void(const std::string&)> overrun_;
    std::mutex mutex_{};
    std::condition_variable_any finished_{};
    std::string step_ = "begin";
    std::jthread thread_; // last: ends before what it uses
};

} // namespace tocsin::daemon
