// SPDX-License-Identifier: Apache-2.0
#include "daemon/stop_deadline.hpp"

namespace tocsin::daemon {

StopDeadline::StopDeadline(std::chrono::milliseconds limit, std::function<void(const std::string& step)> overrun)
    : overrun_(std::move(overrun)), thread_([this, limit](const std::stop_token& token) { wait(token, limit); }) {}

void StopDeadline::step(std::string name) {
    const std::scoped_lock lock(mutex_);
    step_ = std::move(name);
}

void StopDeadline::wait(const std::stop_token& token, std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    finished_.wait_for(lock, token, limit, [] { return false; });
    if (!token.stop_requested()) {
        overrun_(step_);
    }
}

} // namespace tocsin::daemon
