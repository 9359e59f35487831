// SPDX-License-Identifier: Apache-2.0
#include "jobs/pace.hpp"

#include <gtest/gtest.h>

namespace tocsin::jobs {
namespace {

// How many begin at this time.
int begin_all(Pace& pace, std::int64_t now_us) {
    int begun = 0;
    for (; begun < 1'000 && pace.due_us() <= now_us; ++begun) {
        pace.begin(now_us);
    }
    return begun;
}

TEST(Pace, SomeAtOnceThenOneAGap) {
    Pace pace({.gap_us = 100, .burst = 8});
    EXPECT_EQ(begin_all(pace, 5'000), 8);
    EXPECT_EQ(pace.due_us(), 5'100);
    EXPECT_EQ(begin_all(pace, 5'099), 0);
    EXPECT_EQ(begin_all(pace, 5'100), 1);
    EXPECT_EQ(begin_all(pace, 5'350), 2);
    EXPECT_EQ(pace.due_us(), 5'400) << "a late look loses nothing";
}

TEST(Pace, AQuietTimeSavesNoMoreThanABurst) {
    Pace pace({.gap_us = 100, .burst = 3});
    begin_all(pace, 0);
    EXPECT_EQ(begin_all(pace, 250), 2);
    EXPECT_EQ(begin_all(pace, 1'000'000), 3);
}

TEST(Pace, NewLimitsHoldAtOnce) {
    Pace pace({.gap_us = 1'000'000, .burst = 1});
    begin_all(pace, 0);
    pace.set({.gap_us = 100, .burst = 1});
    EXPECT_EQ(begin_all(pace, 10), 1);
    EXPECT_EQ(pace.due_us(), 110);
}

TEST(Pace, WithoutAGapThereIsNoLimit) {
    Pace pace({.gap_us = 0, .burst = 1});
    EXPECT_EQ(begin_all(pace, 0), 1'000);
}

} // namespace
} // namespace tocsin::jobs
