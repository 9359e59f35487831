// SPDX-License-Identifier: Apache-2.0
// Time as an argument: wall clock for what people read, boot-time clock (runs in suspend, never steps) for deadlines.
#pragma once

#include <cstdint>

namespace tocsin {

class Clock {
public:
    virtual ~Clock() = default;
    virtual std::int64_t wall_us() const = 0; // since the epoch, UTC
    virtual std::int64_t boot_us() const = 0; // CLOCK_BOOTTIME
    // CLOCK_MONOTONIC: stands still while the machine sleeps, so it is behind boot_us() by the time slept.
    virtual std::int64_t monotonic_us() const { return boot_us(); }
};

class SystemClock final : public Clock {
public:
    std::int64_t wall_us() const override;
    std::int64_t boot_us() const override;
    std::int64_t monotonic_us() const override;
};

} // namespace tocsin
