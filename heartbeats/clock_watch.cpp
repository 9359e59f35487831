// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/clock_watch.hpp"

namespace tocsin::heartbeats {
namespace {

// A thread that loses its processor between two clocks would see a step: then they are read again.
constexpr std::int64_t reading_us_max = 1'000;
constexpr int readings_max = 5;

} // namespace

ClockWatch::ClockWatch(const Clock& clock) : clock_(clock) {
    const Reading first = read();
    asleep_us_ = first.now.boot_us - first.monotonic_us;
    offset_us_ = first.now.wall_us - first.now.boot_us;
}

ClockWatch::Reading ClockWatch::read() const {
    Reading reading;
    for (int i = 0; i < readings_max; ++i) {
        const std::int64_t before_us = clock_.boot_us();
        reading.now.wall_us = clock_.wall_us();
        reading.monotonic_us = clock_.monotonic_us();
        reading.now.boot_us = clock_.boot_us();
        if (reading.now.boot_us - before_us <= reading_us_max) {
            break;
        }
    }
    return reading;
}

ClockWatch::Sight ClockWatch::look() {
    const Reading reading = read();
    Sight sight{.now = reading.now};
    const std::int64_t slept_us = reading.now.boot_us - reading.monotonic_us - asleep_us_;
    if (slept_us >= noticed_us) {
        sight.slept_us = slept_us;
        asleep_us_ += slept_us;
    }
    const std::int64_t stepped_us = reading.now.wall_us - reading.now.boot_us - offset_us_;
    if (stepped_us >= noticed_us || stepped_us <= -noticed_us) {
        sight.stepped_us = stepped_us;
        offset_us_ += stepped_us;
    }
    return sight;
}

} // namespace tocsin::heartbeats
