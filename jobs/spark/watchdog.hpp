// SPDX-License-Identifier: Apache-2.0
// Tells the service manager that the helper still supervises. A script runs as the helper's user, so it could stop it
// by a signal; WatchdogSec= in the unit then ends both.
#pragma once

#include <cstdint>
#include <string>

namespace tocsin::jobs::spark {

class Watchdog {
public:
    // From $WATCHDOG_USEC, $WATCHDOG_PID and $NOTIFY_SOCKET; without them it does nothing.
    Watchdog();
    // When the next sign is due, on CLOCK_MONOTONIC; far away where nobody waits for one.
    std::int64_t due_us() const { return due_us_; }
    // Gives it where it is due.
    void tick(std::int64_t now_us);

private:
    std::string socket_{};
    std::int64_t period_us_ = 0;
    std::int64_t due_us_ = INT64_MAX;
};

} // namespace tocsin::jobs::spark
