// SPDX-License-Identifier: Apache-2.0
// Reads the clocks, and notices between two looks that the machine slept (boot time ran ahead of monotonic time) or
// that somebody set the wall clock (it moved against boot time).
#pragma once

#include "core/clock.hpp"
#include "core/heartbeat.hpp"

#include <cstdint>

namespace tocsin::heartbeats {

class ClockWatch {
public:
    // Both are noticed from here: the shortest interval and grace. Less adds up until it is as much; a clock that is
    // slewed takes boot time along, so nothing shows.
    static constexpr std::int64_t noticed_us = 100'000;

    struct Sight {
        Now now{};
        std::int64_t slept_us = 0;   // since the look before
        std::int64_t stepped_us = 0; // forwards, or backwards where negative
    };

    explicit ClockWatch(const Clock& clock);
    Sight look();

private:
    struct Reading {
        Now now{};
        std::int64_t monotonic_us = 0;
    };
    Reading read() const;

    const Clock& clock_;
    std::int64_t asleep_us_ = 0; // boot time minus monotonic time
    std::int64_t offset_us_ = 0; // wall time minus boot time
};

} // namespace tocsin::heartbeats
