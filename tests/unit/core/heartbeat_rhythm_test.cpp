// SPDX-License-Identifier: Apache-2.0
#include "core/heartbeat_rhythm.hpp"

#include "core/json.hpp"
#include "core/limits.hpp"
#include "tests/unit/core/watch_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::watches {
namespace {

constexpr WatchDefaults learning{.learn = true};

// Beats at 0 and after each gap.
Watch beaten(const std::vector<std::int64_t>& gaps_s, const WatchDefaults& defaults = {}) {
    Watch watch{.key = {"pump", 3}};
    std::int64_t us = 0;
    apply_beat(watch, beat_at(us), defaults, at(us));
    for (const std::int64_t gap_s : gaps_s) {
        us += gap_s * second;
        apply_beat(watch, beat_at(us), defaults, at(us));
    }
    return watch;
}

TEST(Rhythm, TheMedianOfTheGaps) {
    const Watch watch = beaten({10, 11, 10, 9, 300, 10, 12});
    const auto pace = pace_of(*watch.rhythm, rhythm_gaps_shown);
    ASSERT_TRUE(pace);
    EXPECT_EQ(pace->interval_us, 10 * second);
    EXPECT_EQ(pace->grace_us, 290 * second) << "what the longest gap needed";
    EXPECT_EQ(pace_of(*beaten({10, 10, 10}).rhythm, 3)->grace_us, 5 * second) << "half of the interval at least";
    EXPECT_EQ(pace_of(*watch.rhythm, rhythm_gaps_learned), std::nullopt) << "one is missing";
}

TEST(Rhythm, OnlyTheNewestGapsCount) {
    const Watch watch = beaten({1, 1, 1, 1, 1, 1, 60, 60, 60, 60, 60, 60, 60, 60});
    EXPECT_EQ(pace_of(*watch.rhythm, rhythm_gaps_learned)->interval_us, 60 * second);
    EXPECT_LE(sizeof(Rhythm), 40U) << "bounded, whatever is sent";
}

TEST(Rhythm, BeyondTheBoundsThereIsNone) {
    Watch watch{.key = {"pump", 3}};
    for (std::int64_t us = 0; us < second; us += 20'000) {
        apply_beat(watch, beat_at(us), {}, at(us));
    }
    EXPECT_EQ(pace_of(*watch.rhythm, rhythm_gaps_shown), std::nullopt) << "50 a second";
}

TEST(Rhythm, ARunIsOneBeat) {
    Watch watch{.key = {"pump", 3}};
    for (std::int64_t s = 0; s <= 500; s += 100) {
        beat(watch, s * second, BeatKind::start);
        beat(watch, (s + 5) * second, BeatKind::alive);
        beat(watch, (s + 30) * second, s % 200 == 0 ? BeatKind::finish : BeatKind::fail);
    }
    EXPECT_EQ(pace_of(*watch.rhythm, rhythm_gaps_shown)->interval_us, 100 * second);
}

TEST(Rhythm, IsProposedAndAlarmsNobody) {
    const Watch watch = beaten({10, 10, 10, 10, 10, 10, 10, 10, 10});
    EXPECT_EQ(watch.state, WatchState::fresh);
    EXPECT_EQ(next_due_boot_us(watch), std::nullopt);
    std::string text;
    json::append_object(text, watch);
    EXPECT_THAT(text, testing::HasSubstr(R"("suggested_interval_s":10.0)"));
    text.clear();
    json::append_object(text, beaten({10, 10}));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("suggested"))) << "too few to say";
}

TEST(Rhythm, LearnedItIsWatched) {
    Watch watch = beaten({10, 10, 10, 10, 10, 10, 14}, learning);
    EXPECT_EQ(watch.state, WatchState::fresh) << "eight beats, seven gaps";
    apply_beat(watch, beat_at(84 * second), learning, at(84 * second));
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_EQ(watch.interval_us, 10 * second);
    EXPECT_EQ(watch.grace_us, 5 * second);
    EXPECT_TRUE(watch.rhythm.empty()) << "no longer needed";
    EXPECT_THAT(time_passed(watch, at(99 * second)), testing::ElementsAre(Transition::missed));
}

TEST(Rhythm, OlderBeatsMakeNoGap) {
    Watch watch = beaten({10, 10});
    const Watch before = watch;
    apply_beat(watch, beat_at(5 * second), {}, at(30 * second));
    EXPECT_EQ(watch, before);
}

TEST(Rhythm, AutoRegisterComesFirst) {
    Watch watch{.key = {"pump", 3}};
    apply_beat(watch, beat_at(0), {.auto_register = true, .learn = true}, at(0));
    EXPECT_EQ(watch.interval_us, WatchDefaults{}.interval_us);
    EXPECT_TRUE(watch.rhythm.empty());
}

} // namespace
} // namespace tocsin::watches
