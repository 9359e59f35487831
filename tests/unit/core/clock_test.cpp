// SPDX-License-Identifier: Apache-2.0
#include "core/clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>

namespace tocsin {
namespace {

TEST(SystemClock, WallTimeIsMicrosecondsSinceTheEpoch) {
    const auto before =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
    const std::int64_t wall_us = SystemClock().wall_us();
    const auto after =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
    EXPECT_GE(wall_us, before.count());
    EXPECT_LE(wall_us, after.count() + 1);
}

TEST(SystemClock, BootTimeNeverStepsBack) {
    const SystemClock clock;
    std::int64_t last = clock.boot_us();
    EXPECT_GT(last, 0);
    for (int i = 0; i < 1000; ++i) {
        const std::int64_t now = clock.boot_us();
        ASSERT_GE(now, last);
        last = now;
    }
}

TEST(SystemClock, BootTimeIsTheKernels) {
    timespec now{};
    ASSERT_EQ(clock_gettime(CLOCK_BOOTTIME, &now), 0);
    const std::int64_t ours_us = SystemClock().boot_us();
    EXPECT_GE(ours_us, std::int64_t{now.tv_sec} * 1'000'000);
    EXPECT_LT(ours_us, (std::int64_t{now.tv_sec} + 10) * 1'000'000);
}

TEST(SystemClock, MonotonicTimeIsTheKernels) {
    const SystemClock clock;
    timespec now{};
    ASSERT_EQ(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    const std::int64_t ours_us = clock.monotonic_us();
    EXPECT_GE(ours_us, std::int64_t{now.tv_sec} * 1'000'000);
    EXPECT_LE(ours_us, clock.boot_us()) << "it stands still while the machine sleeps";
}

} // namespace
} // namespace tocsin
