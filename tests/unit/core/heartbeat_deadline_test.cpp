// SPDX-License-Identifier: Apache-2.0
// Schedules, restarts, sleeps and steps of the wall clock. Wall time begins at 03:00.
#include "core/heartbeat_deadline.hpp"

#include "core/json.hpp"
#include "core/limits.hpp"
#include "tests/unit/core/watch_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::watches {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t minute = 60 * second;

// An hour's slots, 10 min of grace, 5 min early; due first at 1 h.
Watch hourly() {
    return watch_by("every 1h", 10 * minute, 5 * minute);
}

Now stepped(std::int64_t us, std::int64_t step_us) {
    Now now = at(us);
    now.wall_us += step_us;
    return now;
}

TEST(Slots, EarlyCountsForTheSlotAhead) {
    const auto schedule = fake_schedule("every 1h", "").value();
    const std::int64_t slot = at(hour).wall_us;
    EXPECT_EQ(slot_after(*schedule, 0, slot - second), slot);
    EXPECT_EQ(slot_after(*schedule, 5 * minute, slot - 6 * minute), slot);
    EXPECT_EQ(slot_after(*schedule, 5 * minute, slot - 5 * minute), slot + hour);
    EXPECT_EQ(slot_after(*schedule, 5 * minute, slot), slot + hour);
    EXPECT_EQ(slot_after(*schedule, 50 * minute, slot - 31 * minute), slot) << "at most half of the way from the last";
    EXPECT_EQ(slot_after(*schedule, 50 * minute, slot - 30 * minute), slot + hour);
}

TEST(Slots, DeadlineIsTheSlotAfterTheOneCountedFor) {
    Watch watch = hourly();
    EXPECT_EQ(watch.deadline_us, at(hour).wall_us);
    EXPECT_EQ(next_due_boot_us(watch), at(hour).boot_us);
    beat(watch, 56 * minute);
    EXPECT_EQ(watch.deadline_us, at(2 * hour).wall_us) << "early, but for the slot at 1 h";
    beat(watch, 58 * minute);
    EXPECT_EQ(watch.deadline_us, at(2 * hour).wall_us);
    beat(watch, 70 * minute);
    EXPECT_EQ(watch.deadline_us, at(2 * hour).wall_us);
    EXPECT_THAT(time_passed(watch, at(2 * hour)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::late);
    EXPECT_THAT(time_passed(watch, at(2 * hour + 10 * minute)), ElementsAre(Transition::missed));
    EXPECT_EQ(watch.deadline_us, at(2 * hour).wall_us) << "what was missed stays to be seen";
    EXPECT_THAT(beat(watch, 2 * hour + 30 * minute), ElementsAre(Transition::recovered));
    EXPECT_EQ(watch.deadline_us, at(3 * hour).wall_us);
}

TEST(Slots, AFinishCountsForNoSlotAhead) {
    Watch watch = hourly();
    beat(watch, 30 * minute, BeatKind::start, "a");
    beat(watch, 57 * minute, BeatKind::finish, "a");
    EXPECT_EQ(watch.deadline_us, at(hour).wall_us);
    beat(watch, 58 * minute, BeatKind::finish, "b");
    EXPECT_EQ(watch.deadline_us, at(2 * hour).wall_us) << "one without a start is a beat like any other";
}

TEST(Slots, AnEarlyStartIsNotUndoneByItsFinish) {
    Watch watch = hourly();
    beat(watch, 56 * minute, BeatKind::start, "a");
    beat(watch, 57 * minute, BeatKind::finish, "a");
    EXPECT_EQ(watch.deadline_us, at(2 * hour).wall_us);
}

TEST(Slots, NoneLeftStaysUp) {
    Watch watch = watch_by("at 1767326400", minute); // 1 h from the start, then never again
    beat(watch, hour);
    EXPECT_EQ(watch.deadline_us, 0);
    EXPECT_EQ(next_due_boot_us(watch), std::nullopt);
    EXPECT_THAT(time_passed(watch, at(10'000 * hour)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::up);
    beat(watch, 5 * hour, BeatKind::fail);
    EXPECT_THAT(beat(watch, 6 * hour), ElementsAre(Transition::recovered));
}

TEST(Slots, ABeatMaySetThem) {
    Watch watch{.key = {"pump", 3}};
    Beat first = beat_at(0);
    first.calendar = fake_schedule("every 1h", "").value();
    apply_beat(watch, first, {}, at(0));
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_EQ(watch.deadline_us, at(hour).wall_us);
    EXPECT_EQ(watch.plan->early_us, limits::early_us_default);
    first.calendar = fake_schedule("every 2h", "").value();
    apply_beat(watch, first, {}, at(0));
    EXPECT_EQ(watch.deadline_us, at(hour).wall_us) << "03:00 is no even hour; 04:00 is";
    Beat other = beat_at(second);
    other.interval_us = 5 * second;
    apply_beat(watch, other, {}, at(second));
    EXPECT_EQ(watch.schedule(), nullptr);
    EXPECT_EQ(watch.deadline_us, at(6 * second).wall_us);
    apply_beat(watch, first, {}, at(2 * second));
    EXPECT_EQ(watch.schedule(), nullptr) << "an older beat changes nothing";
}

TEST(Slots, TheConfigurationWins) {
    Watch watch = hourly();
    Beat other = beat_at(second);
    other.interval_us = 5 * second;
    apply_beat(watch, other, {}, at(second));
    EXPECT_NE(watch.schedule(), nullptr);
    EXPECT_EQ(watch.interval_us, 0);
}

TEST(Slots, AreShown) {
    Watch watch = hourly();
    beat(watch, 0);
    std::string text;
    json::append_object(text, watch);
    EXPECT_THAT(text,
                testing::HasSubstr(R"("deadline":"2026-01-02T04:00:00.000000Z","interval_s":3600.0,"grace_s":600.0,)"
                                   R"("schedule":"every 1h","zone":"UTC","next":["2026-01-02T04:00:00.000000Z",)"
                                   R"("2026-01-02T05:00:00.000000Z","2026-01-02T06:00:00.000000Z"],"misses":0)"));
    EXPECT_EQ(interval_shown_us(watch), hour);
}

TEST(Misses, OfADownWatchAreCountedWhenItIsLookedAt) {
    Watch watch = watch_of(minute, 30 * second);
    beat(watch, 0);
    time_passed(watch, at(90 * second));
    EXPECT_EQ(misses_of(watch), 1U);
    watch.show_at(at(149 * second).wall_us);
    EXPECT_EQ(misses_of(watch), 1U);
    watch.show_at(at(10 * minute + 30 * second).wall_us);
    EXPECT_EQ(misses_of(watch), 10U);
    Watch slots = hourly();
    time_passed(slots, at(hour + 10 * minute));
    slots.show_at(at(5 * hour + 9 * minute).wall_us);
    EXPECT_EQ(misses_of(slots), 4U);
    slots.show_at(at(5'000 * hour).wall_us);
    EXPECT_EQ(misses_of(slots), 50U) << "bounded";
    std::string text;
    json::append_object(text, slots);
    EXPECT_THAT(text, testing::HasSubstr(R"("next":["2026-07-29T12:00:00.000000Z")")) << "what is next, not what was";
}

TEST(Misses, AFailureIsNone) {
    Watch watch = watch_of(minute, 30 * second);
    beat(watch, 0, BeatKind::fail);
    watch.show_at(at(hour).wall_us);
    EXPECT_EQ(misses_of(watch), 0U);
}

TEST(Restart, SoonAfterTheBeatTheDeadlineStays) {
    Watch watch = watch_of(minute, 30 * second);
    beat(watch, 0);
    EXPECT_FALSE(hold_after_restart(watch, at(45 * second)));
    EXPECT_FALSE(watch.held);
    EXPECT_EQ(next_due_boot_us(watch), at(minute).boot_us);
    hold_after_restart(watch, at(46 * second));
    EXPECT_TRUE(watch.held);
    EXPECT_EQ(watch.deadline_us, at(106 * second).wall_us);
    beat(watch, 50 * second);
    EXPECT_FALSE(watch.held);
}

TEST(Restart, ADeadlineIsPutOffOnceSoThatADailyWatchAlarmsUnderDailyRestarts) {
    Watch watch = watch_of(24 * hour, hour);
    beat(watch, 0);
    EXPECT_TRUE(hold_after_restart(watch, at(20 * hour))) << "worth a row: the next start must know";
    EXPECT_EQ(next_due_boot_us(watch), at(44 * hour).boot_us);
    EXPECT_FALSE(hold_after_restart(watch, at(40 * hour)));
    EXPECT_FALSE(hold_after_restart(watch, at(44 * hour)));
    EXPECT_THAT(time_passed(watch, at(45 * hour)), ElementsAre(Transition::missed));
}

TEST(Restart, EachGrantsAMinute) {
    Watch watch = watch_of(24 * hour, hour);
    beat(watch, 0);
    hold_after_restart(watch, at(20 * hour));
    hold_after_restart(watch, at(45 * hour - second));
    EXPECT_THAT(time_passed(watch, at(45 * hour + 58 * second)), IsEmpty());
    EXPECT_THAT(time_passed(watch, at(45 * hour + 59 * second)), ElementsAre(Transition::missed));
}

TEST(Restart, WhatPassedWhileItWasAwayIsNobodysMiss) {
    Watch watch = watch_of(24 * hour, hour);
    beat(watch, 0);
    hold_after_restart(watch, at(20 * hour));
    EXPECT_TRUE(hold_after_restart(watch, at(1'000 * hour))) << "also where it was put off before";
    EXPECT_EQ(watch.deadline_us, at(1'024 * hour).wall_us);
}

TEST(Restart, AClockThatWasSetBackMeanwhileIsNotBelieved) {
    Watch watch = watch_of(minute, 30 * second);
    beat(watch, 0);
    hold_after_restart(watch, stepped(10 * second, -100'000 * hour));
    EXPECT_EQ(watch.due_boot_us, at(100 * second).boot_us);
}

TEST(Restart, ASlotThatCannotBeJudgedIsPassedOver) {
    Watch watch = hourly();
    hold_after_restart(watch, at(54 * minute));
    EXPECT_EQ(watch.deadline_us, at(hour).wall_us) << "its beat is still to come";
    hold_after_restart(watch, at(55 * minute));
    EXPECT_EQ(watch.deadline_us, at(2 * hour).wall_us) << "it may have come early";
    hold_after_restart(watch, at(2 * hour + minute));
    EXPECT_EQ(watch.deadline_us, at(3 * hour).wall_us);
    EXPECT_EQ(watch.state, WatchState::up);
}

TEST(Restart, ASlotMadeByAWrongClockIsFoundAnew) {
    Watch watch = hourly();
    const Now wrong = stepped(0, 90'000 * hour);
    Beat early = beat_at(0);
    early.time_us = wrong.wall_us;
    apply_beat(watch, early, {}, wrong);
    EXPECT_GT(watch.deadline_us, at(80'000 * hour).wall_us);
    hold_after_restart(watch, at(10 * minute));
    EXPECT_EQ(watch.deadline_us, at(hour).wall_us);
}

TEST(Sleep, AnIntervalMovesByTheTimeSleptAtLeast) {
    Watch watch = watch_of(hour, 10 * minute);
    beat(watch, 0);
    hold_after_sleep(watch, 10 * minute, at(30 * minute));
    EXPECT_EQ(watch.deadline_us, at(70 * minute).wall_us) << "soon after its beat it only waits for the time slept";
    hold_after_sleep(watch, 5 * minute, at(60 * minute));
    EXPECT_EQ(watch.deadline_us, at(2 * hour).wall_us) << "later a beat may have been slept through";
    EXPECT_EQ(watch.due_boot_us, at(2 * hour + 10 * minute).boot_us);
}

TEST(Sleep, ASlotThatWasSleptThroughIsPassedOver) {
    Watch watch = hourly();
    hold_after_sleep(watch, 20 * minute, at(50 * minute));
    EXPECT_EQ(watch.deadline_us, at(hour).wall_us) << "its time is still to come";
    hold_after_sleep(watch, 20 * minute, at(70 * minute));
    EXPECT_EQ(watch.deadline_us, at(2 * hour).wall_us);
    time_passed(watch, at(2 * hour));
    hold_after_sleep(watch, hour, at(3 * hour + 5 * minute));
    EXPECT_EQ(watch.deadline_us, at(2 * hour).wall_us) << "its grace was running when the machine fell asleep";
    EXPECT_EQ(next_due_boot_us(watch), at(3 * hour + 10 * minute).boot_us);
}

TEST(WallStep, AnIntervalIsShownByTheNewClockAndDueAsBefore) {
    Watch watch = watch_of(minute, 30 * second);
    beat(watch, 0);
    follow_wall_step(watch, 500 * hour, stepped(second, 500 * hour));
    EXPECT_EQ(watch.deadline_us, at(500 * hour + minute).wall_us);
    EXPECT_EQ(watch.due_boot_us, at(90 * second).boot_us);
}

TEST(WallStep, SlotsThatWereJumpedOverAreNotMissed) {
    Watch watch = hourly();
    follow_wall_step(watch, 3 * hour, stepped(30 * minute, 3 * hour));
    EXPECT_EQ(watch.deadline_us, at(4 * hour).wall_us);
    EXPECT_EQ(watch.due_boot_us, at(hour + 10 * minute).boot_us) << "half an hour later on the new clock";
}

TEST(WallStep, ALittleForwardKeepsTheSlot) {
    Watch watch = hourly();
    follow_wall_step(watch, 10 * minute, stepped(30 * minute, 10 * minute));
    EXPECT_EQ(watch.deadline_us, at(hour).wall_us);
    EXPECT_EQ(watch.due_boot_us, at(hour).boot_us);
}

TEST(WallStep, AGraceThatRunsRunsOn) {
    Watch watch = hourly();
    time_passed(watch, at(hour + minute));
    ASSERT_EQ(watch.state, WatchState::late);
    follow_wall_step(watch, 20 * hour, stepped(hour + minute, 20 * hour));
    EXPECT_EQ(watch.due_boot_us, at(hour + 10 * minute).boot_us);
}

TEST(WallStep, BackwardsASatisfiedSlotIsNotDueAgain) {
    Watch watch = hourly();
    beat(watch, hour + second);
    follow_wall_step(watch, -30 * minute, stepped(hour + 10 * minute, -30 * minute));
    EXPECT_EQ(watch.deadline_us, at(2 * hour).wall_us);
    EXPECT_EQ(watch.due_boot_us, at(2 * hour + 40 * minute).boot_us) << "when that clock says so";
}

TEST(WallStep, BackwardsAnOpenSlotIsDueAgain) {
    Watch watch = hourly();
    time_passed(watch, at(hour + minute));
    follow_wall_step(watch, -5 * minute, stepped(hour + minute, -5 * minute));
    EXPECT_EQ(watch.deadline_us, at(hour).wall_us);
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_EQ(watch.due_boot_us, at(hour + 15 * minute).boot_us);
}

TEST(WallStep, ADeadlineYearsAheadIsFoundAnew) {
    Watch watch = hourly();
    const std::int64_t years = 90'000 * hour;
    follow_wall_step(watch, years, stepped(minute, years));
    Beat heard = beat_at(2 * minute);
    heard.time_us += years;
    apply_beat(watch, heard, {}, stepped(2 * minute, years));
    follow_wall_step(watch, -years, at(3 * minute));
    EXPECT_EQ(watch.deadline_us, at(hour).wall_us);
    EXPECT_EQ(watch.due_boot_us, at(hour + 10 * minute).boot_us);
}

TEST(WallStep, ARunKeepsItsLimit) {
    Watch watch = watch_of(minute, 30 * second, 5 * minute);
    beat(watch, 0, BeatKind::start, "a");
    follow_wall_step(watch, 500 * hour, stepped(second, 500 * hour));
    EXPECT_EQ(next_due_boot_us(watch), at(5 * minute).boot_us);
    EXPECT_EQ(watch.plan->runs->under_way[0].since_us, at(500 * hour).wall_us);
}

} // namespace
} // namespace tocsin::watches
