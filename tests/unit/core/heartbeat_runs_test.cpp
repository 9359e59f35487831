// SPDX-License-Identifier: Apache-2.0
#include "core/heartbeat_runs.hpp"

#include "core/heartbeat_deadline.hpp"
#include "core/limits.hpp"
#include "tests/unit/core/watch_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::watches {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// interval 60 s, grace 30 s, runs of at most 200 s, beaten at 0
Watch limited() {
    Watch watch = watch_of(60 * second, 30 * second, 200 * second);
    beat(watch, 0);
    return watch;
}

std::vector<std::string> runs_of(const Watch& watch) {
    std::vector<std::string> ids;
    for (const Run& run : watch.plan->runs->under_way) {
        ids.push_back(run.id);
    }
    return ids;
}

TEST(Runs, StartAndFinishMakeOne) {
    Watch watch = limited();
    EXPECT_THAT(beat(watch, 10 * second, BeatKind::start, "r1"), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::started);
    EXPECT_EQ(watch.run(), "r1");
    EXPECT_THAT(beat(watch, 100 * second, BeatKind::finish, "r1"), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_EQ(watch.deadline_us, at(160 * second).wall_us) << "from the end of the run";
    EXPECT_EQ(watch.run(), "r1") << "the last run stays to be seen";
    EXPECT_THAT(runs_of(watch), IsEmpty());
}

TEST(Runs, WithinItsLimitARunIsNeitherLateNorMissed) {
    Watch watch = limited();
    beat(watch, 10 * second, BeatKind::start);
    EXPECT_EQ(next_due_boot_us(watch), at(210 * second).boot_us) << "did not finish, not: did not start";
    EXPECT_THAT(time_passed(watch, at(209 * second)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::started);
}

TEST(Runs, LongerThanTheLimitIsAnOverrunAndTheStateStays) {
    Watch watch = limited();
    beat(watch, 10 * second, BeatKind::start, "r1");
    const std::vector<Happened> happened = time_passed(watch, at(300 * second - second));
    ASSERT_THAT(happened, ElementsAre(Transition::overrun));
    EXPECT_EQ(happened[0].run, "r1");
    EXPECT_EQ(happened[0].at_us, at(210 * second).wall_us) << "when the limit passed, not when it was seen";
    EXPECT_EQ(watch.state, WatchState::started);
    EXPECT_THAT(time_passed(watch, at(299 * second)), IsEmpty()) << "told once";
    EXPECT_EQ(next_due_boot_us(watch), at(300 * second).boot_us) << "a beat is due an interval and grace after it";
    EXPECT_THAT(time_passed(watch, at(300 * second)), ElementsAre(Transition::missed));
    EXPECT_EQ(watch.state, WatchState::down);
    EXPECT_THAT(beat(watch, 310 * second, BeatKind::finish, "r1"), ElementsAre(Transition::recovered));
    EXPECT_EQ(watch.state, WatchState::up);
}

TEST(Runs, AliveRestartsTheLimit) {
    Watch watch = limited();
    beat(watch, 10 * second, BeatKind::start, "r1");
    beat(watch, 150 * second, BeatKind::alive, "r1");
    EXPECT_EQ(watch.state, WatchState::started);
    EXPECT_EQ(next_due_boot_us(watch), at(350 * second).boot_us);
    EXPECT_THAT(time_passed(watch, at(350 * second)), ElementsAre(Transition::overrun));
    beat(watch, 360 * second, BeatKind::alive);
    EXPECT_EQ(next_due_boot_us(watch), at(560 * second).boot_us) << "also after an overrun, also without an id";
    EXPECT_THAT(time_passed(watch, at(560 * second)), ElementsAre(Transition::overrun));
}

TEST(Runs, AliveOfOneRunIsNotTheOthers) {
    Watch watch = limited();
    beat(watch, 0, BeatKind::start, "a");
    beat(watch, 0, BeatKind::start, "b");
    beat(watch, 100 * second, BeatKind::alive, "a");
    const std::vector<Happened> happened = time_passed(watch, at(200 * second));
    ASSERT_THAT(happened, ElementsAre(Transition::overrun));
    EXPECT_EQ(happened[0].run, "b");
}

TEST(Runs, OverlappingOnesEndEachForItself) {
    Watch watch = limited();
    beat(watch, 10 * second, BeatKind::start, "a");
    beat(watch, 20 * second, BeatKind::start, "b");
    EXPECT_THAT(runs_of(watch), ElementsAre("a", "b"));
    beat(watch, 30 * second, BeatKind::finish, "a");
    EXPECT_EQ(watch.state, WatchState::started) << "b is under way";
    beat(watch, 40 * second, BeatKind::finish, "unknown");
    EXPECT_THAT(runs_of(watch), ElementsAre("b"));
    EXPECT_THAT(beat(watch, 50 * second, BeatKind::fail, "b"), ElementsAre(Transition::failed));
    EXPECT_EQ(watch.state, WatchState::down);
    EXPECT_THAT(runs_of(watch), IsEmpty());
}

TEST(Runs, WithoutAnIdAllEnd) {
    Watch watch = limited();
    beat(watch, 10 * second, BeatKind::start, "a");
    beat(watch, 20 * second, BeatKind::start, "b");
    beat(watch, 30 * second);
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_THAT(runs_of(watch), IsEmpty());
}

TEST(Runs, AFailedRunLeavesTheOthersUnderWay) {
    Watch watch = limited();
    beat(watch, 10 * second, BeatKind::start, "a");
    beat(watch, 20 * second, BeatKind::start, "b");
    beat(watch, 30 * second, BeatKind::fail, "a");
    EXPECT_EQ(watch.state, WatchState::down);
    EXPECT_THAT(time_passed(watch, at(220 * second)), ElementsAre(Transition::overrun)) << "b is still judged";
    EXPECT_THAT(beat(watch, 230 * second, BeatKind::finish, "b"), ElementsAre(Transition::recovered));
    EXPECT_EQ(watch.state, WatchState::up);
}

TEST(Runs, TheSameIdAgainBeginsAnew) {
    Watch watch = limited();
    beat(watch, 10 * second, BeatKind::start, "a");
    beat(watch, 100 * second, BeatKind::start, "a");
    EXPECT_THAT(runs_of(watch), ElementsAre("a"));
    EXPECT_EQ(next_due_boot_us(watch), at(300 * second).boot_us);
}

TEST(Runs, TheyAreBounded) {
    Watch watch = limited();
    for (std::size_t i = 0; i <= limits::runs_max; ++i) {
        beat(watch, static_cast<std::int64_t>(i) * second, BeatKind::start, "r" + std::to_string(i));
    }
    EXPECT_EQ(runs_of(watch).size(), limits::runs_max);
    EXPECT_EQ(runs_of(watch).front(), "r1") << "the oldest gave way";
}

TEST(Runs, WithoutALimitTheNextBeatIsDueAsAlways) {
    Watch watch = watch_of(60 * second, 30 * second);
    beat(watch, 10 * second, BeatKind::start);
    EXPECT_EQ(watch.deadline_us, at(70 * second).wall_us) << "a start is a beat";
    EXPECT_EQ(next_due_boot_us(watch), at(100 * second).boot_us);
    EXPECT_THAT(time_passed(watch, at(75 * second)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::started) << "a run is not late";
    beat(watch, 80 * second, BeatKind::alive);
    EXPECT_EQ(watch.deadline_us, at(140 * second).wall_us) << "alive is a sign of life";
    EXPECT_THAT(time_passed(watch, at(170 * second)), ElementsAre(Transition::missed));
}

TEST(Runs, StartAndFinishThreeDaysApartAreUnrelated) {
    Watch watch = watch_of(1'000 * hour, hour);
    beat(watch, 0, BeatKind::start, "a");
    EXPECT_THAT(time_passed(watch, at(71 * hour)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::started);
    EXPECT_EQ(next_due_boot_us(watch), at(72 * hour).boot_us);
    EXPECT_THAT(time_passed(watch, at(72 * hour)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::up) << "forgotten, without an event";
    EXPECT_THAT(beat(watch, 73 * hour, BeatKind::finish, "a"), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::up) << "a plain beat";
}

TEST(Runs, ANewWatchHasNone) {
    Watch watch{.key = {"pump", 3}};
    beat(watch, 0, BeatKind::start, "a");
    EXPECT_EQ(watch.state, WatchState::fresh);
    EXPECT_THAT(runs_of(watch), IsEmpty());
    EXPECT_EQ(watch.run(), "a") << "but it is seen";
    EXPECT_EQ(next_due_boot_us(watch), std::nullopt);
}

TEST(Runs, APauseForgetsThem) {
    Watch watch = limited();
    beat(watch, 10 * second, BeatKind::start, "a");
    ASSERT_TRUE(pause(watch));
    EXPECT_EQ(next_due_boot_us(watch), std::nullopt);
    ASSERT_TRUE(resume(watch, at(hour)));
    EXPECT_EQ(watch.state, WatchState::up);
}

TEST(Runs, ARestartBeginsTheLimitAnew) {
    Watch watch = limited();
    beat(watch, 10 * second, BeatKind::start, "a");
    hold_after_restart(watch, at(150 * second));
    EXPECT_EQ(watch.state, WatchState::started);
    EXPECT_EQ(next_due_boot_us(watch), at(350 * second).boot_us);
    EXPECT_THAT(time_passed(watch, at(350 * second)), ElementsAre(Transition::overrun));
    hold_after_restart(watch, at(360 * second));
    EXPECT_THAT(time_passed(watch, at(400 * second)), IsEmpty()) << "what was told is not told again";
}

TEST(Runs, ALateStartCountsFromWhenItWasMade) {
    Watch watch = limited();
    apply_beat(watch, beat_at(5 * second, BeatKind::start, "a"), {}, at(40 * second));
    EXPECT_EQ(next_due_boot_us(watch), at(205 * second).boot_us);
}

TEST(Runs, AScheduledRunIsJudgedByItsLimitAlone) {
    Watch watch = watch_by("every 24h", hour, 0, 2 * hour); // slots at midnight
    beat(watch, 21 * hour, BeatKind::start, "a");
    EXPECT_EQ(watch.deadline_us, at(45 * hour).wall_us) << "it started, for the slot of 21 h";
    EXPECT_THAT(time_passed(watch, at(23 * hour)), ElementsAre(Transition::overrun));
    EXPECT_EQ(watch.deadline_us, at(45 * hour).wall_us);
}

} // namespace
} // namespace tocsin::watches
