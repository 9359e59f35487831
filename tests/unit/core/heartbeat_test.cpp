// SPDX-License-Identifier: Apache-2.0
#include "core/heartbeat.hpp"

#include "core/heartbeat_deadline.hpp"
#include "core/json.hpp"
#include "core/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t wall_start = 1'767'322'804 * second;

// One moment told by both clocks; boot time began a day before.
Now at(std::int64_t seconds) {
    return Now{wall_start + seconds * second, 86'400 * second + seconds * second};
}

Beat beat_at(std::int64_t seconds, BeatKind kind = BeatKind::ok) {
    Beat beat;
    beat.key = {"pump", 3};
    beat.kind = kind;
    beat.time_us = at(seconds).wall_us;
    return beat;
}

// interval 60 s, grace 30 s, beaten at 0
Watch watched() {
    Watch watch;
    watch.key = {"pump", 3};
    Beat beat = beat_at(0);
    beat.interval_us = 60 * second;
    beat.grace_us = 30 * second;
    EXPECT_THAT(apply_beat(watch, beat, {}, at(0)), IsEmpty());
    return watch;
}

TEST(Names, ComeBack) {
    for (const auto& [state, name] :
         std::vector<std::pair<WatchState, std::string_view>>{{WatchState::fresh, "new"},
                                                              {WatchState::up, "up"},
                                                              {WatchState::late, "late"},
                                                              {WatchState::down, "down"},
                                                              {WatchState::started, "started"},
                                                              {WatchState::paused, "paused"}}) {
        EXPECT_EQ(to_string(state), name);
        EXPECT_EQ(watch_state_from(name), state);
    }
    EXPECT_EQ(watch_state_from("fresh"), std::nullopt);
    EXPECT_EQ(beat_kind_from("alive"), BeatKind::alive);
    EXPECT_EQ(beat_kind_from("OK"), std::nullopt);
    EXPECT_EQ(event_name(Transition::missed), "heartbeat.missed");
    EXPECT_EQ(event_name(Transition::recovered), "heartbeat.recovered");
    EXPECT_EQ(event_name(Transition::failed), "heartbeat.failed");
    EXPECT_EQ(event_name(Transition::overrun), "heartbeat.overrun");
}

TEST(Beats, AnIntervalMakesAWatch) {
    const Watch watch = watched();
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_EQ(watch.last_us, at(0).wall_us);
    EXPECT_EQ(watch.deadline_us, at(60).wall_us) << "grace excluded";
    EXPECT_EQ(watch.due_boot_us, at(90).boot_us);
    EXPECT_EQ(next_due_boot_us(watch), at(60).boot_us);
}

TEST(Beats, GraceDefaultsWhereOnlyAnIntervalIsNamed) {
    Watch watch;
    Beat beat = beat_at(0);
    beat.interval_us = 5 * second;
    apply_beat(watch, beat, WatchDefaults{.grace_us = 7 * second}, at(0));
    EXPECT_EQ(watch.interval_us, 5 * second);
    EXPECT_EQ(watch.grace_us, 7 * second);
    apply_beat(watch, beat_at(1), WatchDefaults{.grace_us = 9 * second}, at(1));
    EXPECT_EQ(watch.grace_us, 7 * second) << "kept from then on";
}

TEST(Beats, AStrayBeatAlarmsNobody) {
    for (const BeatKind kind : {BeatKind::ok, BeatKind::start, BeatKind::finish, BeatKind::fail, BeatKind::alive}) {
        Watch watch;
        EXPECT_THAT(apply_beat(watch, beat_at(0, kind), {}, at(0)), IsEmpty());
        EXPECT_EQ(watch.state, WatchState::fresh);
        EXPECT_EQ(watch.last_us, at(0).wall_us);
        EXPECT_EQ(next_due_boot_us(watch), std::nullopt);
        EXPECT_THAT(time_passed(watch, at(1'000'000)), IsEmpty());
    }
}

TEST(Beats, AutoRegisterWatchesWithTheDefaults) {
    Watch watch;
    apply_beat(watch, beat_at(0),
               WatchDefaults{.interval_us = 5 * second, .grace_us = 6 * second, .auto_register = true}, at(0));
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_EQ(watch.interval_us, 5 * second);
    EXPECT_EQ(watch.grace_us, 6 * second);
}

TEST(Beats, EachMovesTheDeadline) {
    Watch watch = watched();
    EXPECT_THAT(apply_beat(watch, beat_at(50), {}, at(50)), IsEmpty());
    EXPECT_EQ(watch.deadline_us, at(110).wall_us);
    EXPECT_EQ(next_due_boot_us(watch), at(110).boot_us);
}

TEST(Time, UpLateDown) {
    Watch watch = watched();
    EXPECT_THAT(time_passed(watch, at(59)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_THAT(time_passed(watch, at(60)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::late);
    EXPECT_EQ(next_due_boot_us(watch), at(90).boot_us);
    EXPECT_THAT(time_passed(watch, at(89)), IsEmpty());
    EXPECT_THAT(time_passed(watch, at(90)), ElementsAre(Transition::missed));
    EXPECT_EQ(watch.state, WatchState::down);
    EXPECT_EQ(watch.misses, 1U);
    EXPECT_EQ(watch.deadline_us, at(60).wall_us) << "what was missed stays to be seen";
}

TEST(Time, AMissIsToldOnce) {
    Watch watch = watched();
    time_passed(watch, at(90));
    EXPECT_EQ(next_due_boot_us(watch), std::nullopt);
    EXPECT_THAT(time_passed(watch, at(1'000)), IsEmpty());
    EXPECT_EQ(watch.misses, 1U);
}

TEST(Time, StraightFromUpToDown) {
    Watch watch = watched();
    EXPECT_THAT(time_passed(watch, at(500)), ElementsAre(Transition::missed));
}

TEST(Time, AStepOfTheWallClockMovesNoDeadline) {
    Watch watch = watched();
    Now stepped = at(10);
    stepped.wall_us += 1'000'000 * second;
    EXPECT_THAT(time_passed(watch, stepped), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::up);
    stepped = at(90);
    stepped.wall_us -= 1'000'000 * second;
    EXPECT_THAT(time_passed(watch, stepped), ElementsAre(Transition::missed));
}

TEST(Beats, ABeatBringsADownWatchBack) {
    Watch watch = watched();
    time_passed(watch, at(90));
    EXPECT_THAT(apply_beat(watch, beat_at(100), {}, at(100)), ElementsAre(Transition::recovered));
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_EQ(watch.misses, 0U);
    EXPECT_EQ(watch.deadline_us, at(160).wall_us);
}

TEST(Beats, ABeatWithinGraceIsNoEvent) {
    Watch watch = watched();
    time_passed(watch, at(70));
    ASSERT_EQ(watch.state, WatchState::late);
    EXPECT_THAT(apply_beat(watch, beat_at(71), {}, at(71)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::up);
}

TEST(Beats, FailIsDownAtOnceAndTellsEachTime) {
    Watch watch = watched();
    EXPECT_THAT(apply_beat(watch, beat_at(1, BeatKind::fail), {}, at(1)), ElementsAre(Transition::failed));
    EXPECT_EQ(watch.state, WatchState::down);
    EXPECT_EQ(next_due_boot_us(watch), std::nullopt);
    EXPECT_THAT(apply_beat(watch, beat_at(2, BeatKind::fail), {}, at(2)), ElementsAre(Transition::failed));
    EXPECT_THAT(apply_beat(watch, beat_at(3), {}, at(3)), ElementsAre(Transition::recovered));
}

TEST(Beats, AFirstBeatMayFailWhereItIsWatched) {
    Watch watch;
    Beat beat = beat_at(0, BeatKind::fail);
    beat.interval_us = 60 * second;
    EXPECT_THAT(apply_beat(watch, beat, {}, at(0)), ElementsAre(Transition::failed));
    EXPECT_EQ(watch.state, WatchState::down);
}

TEST(Beats, AFirstOrReturningStartHasADeadlineOfItsOwn) {
    Watch watch;
    Beat start = beat_at(0, BeatKind::start);
    start.interval_us = 60 * second;
    EXPECT_THAT(apply_beat(watch, start, WatchDefaults{.grace_us = 30 * second}, at(0)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::started);
    EXPECT_EQ(watch.deadline_us, at(60).wall_us);
    time_passed(watch, at(90));
    EXPECT_THAT(apply_beat(watch, beat_at(100, BeatKind::start), {}, at(100)), ElementsAre(Transition::recovered));
    EXPECT_EQ(watch.state, WatchState::started);
    EXPECT_EQ(watch.deadline_us, at(160).wall_us);
}

TEST(Beats, OlderOnesChangeNothing) {
    for (const BeatKind kind : {BeatKind::ok, BeatKind::start, BeatKind::finish, BeatKind::fail, BeatKind::alive}) {
        Watch watch = watched();
        apply_beat(watch, beat_at(50), {}, at(50));
        const Watch before = watch;
        Beat old = beat_at(49, kind);
        old.status = "old";
        old.interval_us = 1 * second;
        EXPECT_THAT(apply_beat(watch, old, {}, at(55)), IsEmpty());
        EXPECT_EQ(watch, before);
    }
}

TEST(Beats, ALateOneCountsFromWhenItWasMade) {
    Watch watch = watched();
    EXPECT_THAT(apply_beat(watch, beat_at(20), {}, at(50)), IsEmpty());
    EXPECT_EQ(watch.deadline_us, at(80).wall_us);
    EXPECT_EQ(watch.due_boot_us, at(110).boot_us);
}

TEST(Beats, OneThatIsTooOldBringsNobodyBack) {
    Watch watch = watched();
    time_passed(watch, at(90));
    EXPECT_THAT(apply_beat(watch, beat_at(20), {}, at(200)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::down);
    EXPECT_EQ(watch.last_us, at(20).wall_us) << "but it is the newest";
    EXPECT_THAT(apply_beat(watch, beat_at(130), {}, at(200)), ElementsAre(Transition::recovered));
    EXPECT_EQ(watch.state, WatchState::late);
}

TEST(Beats, TheFutureIsNow) {
    Watch watch = watched();
    apply_beat(watch, beat_at(1'000), {}, at(10));
    EXPECT_EQ(watch.last_us, at(10).wall_us);
    EXPECT_EQ(watch.deadline_us, at(70).wall_us);
}

TEST(Beats, AWallClockSetBackDoesNotSilenceASource) {
    Watch watch = watched();
    Now back = at(50);
    back.wall_us -= 3'600 * second;
    Beat beat = beat_at(0);
    beat.time_us = back.wall_us;
    apply_beat(watch, beat, {}, back);
    EXPECT_EQ(watch.last_us, back.wall_us);
    EXPECT_EQ(watch.due_boot_us, at(140).boot_us);
}

TEST(Beats, StatusAndRunStayUntilReplaced) {
    Watch watch = watched();
    Beat beat = beat_at(1);
    beat.status = "warm";
    apply_beat(watch, beat, {}, at(1));
    apply_beat(watch, beat_at(2), {}, at(2));
    EXPECT_EQ(*watch.status, "warm");
}

TEST(Configure, AWatchThatNeverBeatIsDueAnIntervalFromNow) {
    Watch watch;
    configure(watch, {.interval_us = 60 * second, .grace_us = 30 * second}, at(0));
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_TRUE(watch.configured);
    EXPECT_EQ(watch.last_us, 0);
    EXPECT_EQ(watch.deadline_us, at(60).wall_us);
    EXPECT_THAT(time_passed(watch, at(90)), ElementsAre(Transition::missed));
}

TEST(Configure, TheSameAgainChangesNothing) {
    Watch watch;
    configure(watch, {.interval_us = 60 * second, .grace_us = 30 * second}, at(0));
    const Watch before = watch;
    configure(watch, {.interval_us = 60 * second, .grace_us = 30 * second}, at(10));
    EXPECT_EQ(watch, before);
    configure(watch, {.interval_us = 20 * second, .grace_us = 30 * second}, at(10));
    EXPECT_EQ(watch.deadline_us, at(30).wall_us);
}

TEST(Configure, ADownWatchStaysDown) {
    Watch watch = watched();
    time_passed(watch, at(90));
    configure(watch, {.interval_us = 5 * second, .grace_us = 5 * second}, at(100));
    EXPECT_EQ(watch.state, WatchState::down);
    EXPECT_EQ(next_due_boot_us(watch), std::nullopt);
}

TEST(Configure, BeatsDoNotOverrideTheOperator) {
    Watch watch;
    configure(watch, {.interval_us = 60 * second, .grace_us = 30 * second}, at(0));
    Beat beat = beat_at(1);
    beat.interval_us = 1 * second;
    beat.grace_us = 1 * second;
    apply_beat(watch, beat, {}, at(1));
    EXPECT_EQ(watch.interval_us, 60 * second);
    EXPECT_EQ(watch.grace_us, 30 * second);
}

TEST(Pause, RestsAndComesBackWithAFullInterval) {
    Watch watch = watched();
    ASSERT_TRUE(pause(watch));
    EXPECT_EQ(watch.state, WatchState::paused);
    EXPECT_EQ(next_due_boot_us(watch), std::nullopt);
    EXPECT_THAT(time_passed(watch, at(1'000)), IsEmpty());
    EXPECT_THAT(apply_beat(watch, beat_at(1'000, BeatKind::fail), {}, at(1'000)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::paused);
    EXPECT_EQ(watch.last_us, at(1'000).wall_us) << "but it was heard";
    ASSERT_TRUE(resume(watch, at(2'000)));
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_EQ(watch.deadline_us, at(2'060).wall_us);
}

TEST(Pause, OnlyFromTheRightState) {
    Watch watch = watched();
    EXPECT_EQ(resume(watch, at(1)).error().code, Code::conflict);
    ASSERT_TRUE(pause(watch));
    EXPECT_EQ(pause(watch).error().code, Code::conflict);
    Watch stray;
    ASSERT_TRUE(pause(stray));
    ASSERT_TRUE(resume(stray, at(1)));
    EXPECT_EQ(stray.state, WatchState::fresh) << "never watched, still not watched";
}

TEST(Rest, EndsWithTheNextBeat) {
    Watch watch = watched();
    rest(watch);
    EXPECT_EQ(watch.state, WatchState::paused);
    EXPECT_EQ(next_due_boot_us(watch), std::nullopt);
    EXPECT_THAT(time_passed(watch, at(500)), IsEmpty());
    Beat old = beat_at(-5);
    EXPECT_THAT(apply_beat(watch, old, {}, at(501)), IsEmpty());
    EXPECT_EQ(watch.state, WatchState::paused) << "a beat from before it ended";
    EXPECT_THAT(apply_beat(watch, beat_at(510), {}, at(510)), IsEmpty()) << "no recovery: nothing was missed";
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_FALSE(watch.resting);
    EXPECT_EQ(watch.deadline_us, at(570).wall_us);
}

TEST(Rest, APersonsPauseIsStronger) {
    Watch watch = watched();
    ASSERT_TRUE(pause(watch));
    rest(watch);
    EXPECT_FALSE(watch.resting);
    apply_beat(watch, beat_at(10), {}, at(10));
    EXPECT_EQ(watch.state, WatchState::paused);
    ASSERT_TRUE(resume(watch, at(11)));
    rest(watch);
    EXPECT_TRUE(pause(watch)) << "of one that rests, so that no beat wakes it";
    apply_beat(watch, beat_at(12), {}, at(12));
    EXPECT_EQ(watch.state, WatchState::paused);
    EXPECT_FALSE(pause(watch));
}

TEST(Beats, ANoteIsNoSignOfLife) {
    Watch watch = watched();
    const Watch before = watch;
    Beat note = beat_at(50, BeatKind::note);
    note.status = "warming up";
    EXPECT_THAT(apply_beat(watch, note, {}, at(50)), IsEmpty());
    EXPECT_EQ(*watch.status, "warming up");
    EXPECT_TRUE(watch.rhythm.empty());
    EXPECT_EQ(watch.deadline_us, before.deadline_us);
    EXPECT_EQ(watch.last_us, before.last_us);
    rest(watch);
    apply_beat(watch, note, {}, at(51));
    EXPECT_EQ(watch.state, WatchState::paused);
    EXPECT_FALSE(beat_kind_from("note")) << "no face takes it by name";
}

TEST(Restart, NobodyIsMissedForTheTimeAway) {
    Watch watch = watched();
    hold_after_restart(watch, at(10'000));
    EXPECT_EQ(next_due_boot_us(watch), at(10'060).boot_us);
    EXPECT_THAT(time_passed(watch, at(10'089)), IsEmpty());
    EXPECT_THAT(time_passed(watch, at(10'090)), ElementsAre(Transition::missed));
}

TEST(Restart, DownStaysDown) {
    Watch watch = watched();
    time_passed(watch, at(90));
    const Watch before = watch;
    hold_after_restart(watch, at(10'000));
    EXPECT_EQ(watch, before);
    EXPECT_THAT(time_passed(watch, at(20'000)), IsEmpty());
}

TEST(Describe, SendsTheDocumentedFields) {
    Watch watch = watched();
    std::string text;
    json::append_object(text, watch);
    EXPECT_EQ(text,
              R"({"source":"pump","scid":3,"state":"up","last":"2026-01-02T03:00:04.000000Z",)"
              R"("deadline":"2026-01-02T03:01:04.000000Z","interval_s":60.0,"grace_s":30.0,"schedule":"","zone":"",)"
              R"("next":["2026-01-02T03:01:04.000000Z","2026-01-02T03:02:04.000000Z",)"
              R"("2026-01-02T03:03:04.000000Z"],"misses":0,"status":"","run":""})");
    text.clear();
    json::append_object(text, Watch{.key = {"stray", 0}});
    EXPECT_EQ(text,
              R"({"source":"stray","scid":0,"state":"new",)"
              R"("interval_s":0.0,"grace_s":0.0,"schedule":"","zone":"","next":[],"misses":0,"status":"","run":""})");
}

TEST(HeartbeatEvents, AreBeatsInAnyCase) {
    Event event;
    event.event_name = "HeartBeat";
    event.event_src = "pump";
    event.scid = 3;
    event.event_time_us = 5;
    event.summary = "warm";
    event.origin = {.transport = "http", .uid = 7, .unit = "pump.service"};
    EXPECT_TRUE(is_beat(event));
    const Beat beat = beat_of(event);
    EXPECT_EQ(beat.key, (WatchKey{"pump", 3}));
    EXPECT_EQ(beat.time_us, 5);
    EXPECT_EQ(beat.status, "warm");
    EXPECT_EQ(beat.kind, BeatKind::ok);
    EXPECT_EQ(beat.uid, 7U) << "from the kernel, not from the sender";
    EXPECT_EQ(beat.unit, "pump.service");
    event.event_name = "heartbeat.missed";
    EXPECT_FALSE(is_beat(event));
    event.event_name = "heartbea";
    EXPECT_FALSE(is_beat(event));
}

TEST(HeartbeatEvents, LongSummariesAreCutBetweenCharacters) {
    Event event;
    event.summary = std::string(limits::status_bytes - 1, 'x') + "ä" + "y";
    EXPECT_EQ(beat_of(event).status, std::string(limits::status_bytes - 1, 'x'));
}

} // namespace
} // namespace tocsin
