// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/clock_watch.hpp"

#include "fakes.hpp"

#include <gtest/gtest.h>

namespace tocsin::heartbeats {
namespace {

TEST(ClockWatch, TimeThatGoesOnIsNothing) {
    FakeClock clock;
    ClockWatch watch(clock);
    for (int i = 0; i < 100; ++i) {
        clock.go(1'000 * second);
        const ClockWatch::Sight sight = watch.look();
        EXPECT_EQ(sight.now.wall_us, clock.wall);
        EXPECT_EQ(sight.now.boot_us, clock.boot);
        EXPECT_EQ(sight.slept_us, 0);
        EXPECT_EQ(sight.stepped_us, 0);
    }
}

TEST(ClockWatch, ASleepIsSeenOnce) {
    FakeClock clock;
    clock.nap(77 * second); // before it looks
    ClockWatch watch(clock);
    clock.go(5 * second);
    clock.nap(3'600 * second);
    EXPECT_EQ(watch.look().slept_us, 3'600 * second);
    EXPECT_EQ(watch.look().slept_us, 0);
}

TEST(ClockWatch, AStepIsSeenOnceInItsDirection) {
    FakeClock clock;
    ClockWatch watch(clock);
    clock.wall += 10 * second;
    EXPECT_EQ(watch.look().stepped_us, 10 * second);
    clock.wall -= 25 * second;
    clock.nap(second);
    const ClockWatch::Sight both = watch.look();
    EXPECT_EQ(both.stepped_us, -25 * second);
    EXPECT_EQ(both.slept_us, second);
    EXPECT_EQ(watch.look().stepped_us, 0);
}

TEST(ClockWatch, LittleStepsAddUp) {
    FakeClock clock;
    ClockWatch watch(clock);
    clock.wall += ClockWatch::noticed_us - 1;
    EXPECT_EQ(watch.look().stepped_us, 0);
    clock.wall += 1;
    EXPECT_EQ(watch.look().stepped_us, ClockWatch::noticed_us);
}

// Loses the processor between its clocks, the first time.
class StutteringClock final : public Clock {
public:
    std::int64_t wall_us() const override { return times++ == 0 ? 1'000 * second : 1'500 * second; }
    std::int64_t boot_us() const override { return times == 0 ? 0 : 500 * second; }
    mutable int times = 0;
};

TEST(ClockWatch, AStutterIsNoStep) {
    const StutteringClock clock;
    ClockWatch watch(clock);
    EXPECT_GE(clock.times, 2) << "read again";
    EXPECT_EQ(watch.look().stepped_us, 0);
}

} // namespace
} // namespace tocsin::heartbeats
