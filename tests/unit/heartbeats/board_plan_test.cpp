// SPDX-License-Identifier: Apache-2.0
// Schedules, runs, learning, and who may beat, as the board keeps them.
#include "board_fixture.hpp"
#include "core/json.hpp"

#include <gmock/gmock.h>

namespace tocsin::heartbeats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t hour = 3'600 * second;

class BoardPlanTest : public BoardTest {
protected:
    // Wall time at the next full hour; the fake clock begins a little after one.
    std::int64_t next_hour() const { return (clock.wall / hour + 1) * hour; }
    void beat_with(const Beat& beat) {
        board->beat(beat, answer());
        store.complete_all();
        loop.run_deferred();
    }
    Beat scheduled(const std::string& schedule, const std::string& zone = "") const {
        Beat beat = make_beat("backup", clock.wall, std::nullopt);
        beat.schedule = schedule;
        beat.zone = zone;
        beat.grace_us = 600 * second;
        return beat;
    }
};

Settings one_watch(WatchConfig watch) {
    watch.key = {"backup", 0};
    return Settings{.watches = {std::move(watch)}};
}

TEST_F(BoardPlanTest, ABeatSetsASchedule) {
    beat_with(scheduled("every 1h", "Europe/Berlin"));
    const Watch watch = stored("backup").value();
    EXPECT_EQ(watch.state, WatchState::up);
    EXPECT_EQ(watch.schedule()->expression(), "every 1h");
    EXPECT_EQ(watch.schedule()->zone(), "Europe/Berlin");
    EXPECT_EQ(watch.deadline_us, next_hour());
    const std::int64_t missed_at = next_hour() + 600 * second;
    go(3 * hour);
    ASSERT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
    EXPECT_EQ(store.events[0].event_time_us, missed_at);
}

TEST_F(BoardPlanTest, AWrongScheduleIsRefusedAndNothingIsKept) {
    std::vector<std::string> objects;
    for (const Beat& wrong : {scheduled("now and then"), scheduled("every 1h", "Mars/Olympus")}) {
        board->beat(wrong, [&objects](const Result<Watch>& result) { objects.push_back(result.error().object); });
    }
    EXPECT_THAT(objects, IsEmpty()) << "not within the call";
    loop.run_deferred();
    EXPECT_THAT(objects, ElementsAre("schedule", "zone"));
    EXPECT_EQ(board->watches().size(), 0U);
}

TEST_F(BoardPlanTest, AConfiguredScheduleAndItsRestart) {
    const Settings settings = one_watch({.grace_us = 600 * second, .schedule = "every 1h", .early_us = 60 * second});
    restart(settings);
    EXPECT_EQ(stored("backup")->deadline_us, next_hour());
    EXPECT_EQ(stored("backup")->plan->early_us, 60 * second);
    const std::size_t before = store.commits;
    restart(settings);
    EXPECT_EQ(store.commits, before) << "the same again writes nothing";
    clock.go(next_hour() - clock.wall - 30 * second);
    restart(settings);
    go(hour);
    EXPECT_THAT(store.events, IsEmpty()) << "its beat may have come early, while nobody listened";
    go(hour);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
}

TEST_F(BoardPlanTest, ReconfiguredFromIntervalToScheduleAndBack) {
    restart(one_watch({.interval_us = 60 * second}));
    board->reconfigure(one_watch({.schedule = "every 1h"}));
    store.complete_all();
    EXPECT_EQ(stored("backup")->interval_us, 0);
    EXPECT_EQ(stored("backup")->deadline_us, next_hour());
    board->reconfigure(one_watch({.interval_us = 60 * second}));
    store.complete_all();
    EXPECT_EQ(stored("backup")->schedule(), nullptr);
    EXPECT_EQ(stored("backup")->deadline_us, clock.wall + 60 * second);
}

TEST_F(BoardPlanTest, AnOverrunIsAnEventWithItsRun) {
    restart(one_watch({.interval_us = hour, .run_limit_us = 120 * second}));
    Beat start = make_beat("backup", clock.wall, std::nullopt);
    start.kind = BeatKind::start;
    start.run = "r1";
    beat_with(start);
    const std::int64_t began = clock.wall;
    go(119 * second);
    EXPECT_THAT(store.events, IsEmpty());
    go(second);
    ASSERT_THAT(store.event_names(), ElementsAre("heartbeat.overrun"));
    EXPECT_EQ(store.events[0].event_time_us, began + 120 * second);
    EXPECT_THAT(store.events[0].payload, testing::HasSubstr(R"("run":"r1","limit_s":120.0)"));
    EXPECT_EQ(stored("backup")->state, WatchState::started);
    EXPECT_TRUE(stored("backup")->plan->runs->under_way.at(0).told);
    restart(one_watch({.interval_us = hour, .run_limit_us = 120 * second}));
    go(600 * second);
    EXPECT_EQ(store.events.size(), 1U) << "told once, also across a restart";
}

TEST_F(BoardPlanTest, ARunUnderWayOutlivesARestart) {
    const Settings settings = one_watch({.interval_us = hour, .run_limit_us = 120 * second});
    restart(settings);
    Beat start = make_beat("backup", clock.wall, std::nullopt);
    start.kind = BeatKind::start;
    beat_with(start);
    clock.go(100 * second);
    restart(settings);
    EXPECT_EQ(state("backup"), WatchState::started);
    go(119 * second);
    EXPECT_THAT(store.events, IsEmpty()) << "its end may have been sent meanwhile: the limit begins anew";
    go(second);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.overrun"));
}

TEST_F(BoardPlanTest, ARhythmIsRememberedAndLearned) {
    const Settings learning{.defaults = {.learn = true}};
    restart(learning);
    for (int i = 0; i < 5; ++i) {
        beat("stray", std::nullopt);
        store.complete_all();
        clock.go(10 * second);
    }
    restart(learning);
    for (int i = 0; i < 3; ++i) {
        beat("stray", std::nullopt);
        store.complete_all();
        clock.go(10 * second);
    }
    EXPECT_EQ(stored("stray")->state, WatchState::fresh);
    beat("stray", std::nullopt);
    store.complete_all();
    EXPECT_EQ(stored("stray")->state, WatchState::up);
    EXPECT_EQ(stored("stray")->interval_us, 10 * second);
    go(20 * second);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
}

TEST_F(BoardPlanTest, OnlyItsOwnerBeats) {
    restart(one_watch({.interval_us = hour, .uid = 7}));
    Beat theirs = make_beat("backup", clock.wall, std::nullopt);
    theirs.uid = 0;
    beat_with(theirs);
    EXPECT_THAT(answers, ElementsAre("NotAuthorized"));
    EXPECT_EQ(stored("backup")->last_us, 0) << "as if it had not come";
    theirs.uid = 7;
    beat_with(theirs);
    EXPECT_EQ(answers.back(), "up");
    board->reconfigure({});
    theirs.uid = 0;
    beat_with(theirs);
    EXPECT_EQ(answers.back(), "new") << "nobody owns it any more";
}

TEST_F(BoardPlanTest, OnlyItsOwnerEndsIt) {
    restart(one_watch({.interval_us = hour, .uid = 7}));
    Beat stop = make_beat("backup", clock.wall, std::nullopt);
    stop.kind = BeatKind::stop;
    stop.uid = 0;
    beat_with(stop);
    EXPECT_EQ(answers.back(), "NotAuthorized");
    EXPECT_EQ(state("backup"), WatchState::up);
    stop.uid = 7;
    beat_with(stop);
    EXPECT_EQ(answers.back(), "paused");
    EXPECT_TRUE(stored("backup")->resting);
    stop.key.source = "nobody";
    beat_with(stop);
    EXPECT_EQ(answers.back(), "NotFound");
}

TEST_F(BoardPlanTest, ABatchIsAllOrNothing) {
    restart(one_watch({.interval_us = hour, .uid = 7}));
    Beat mine = make_beat("mine", clock.wall);
    Beat theirs = make_beat("backup", clock.wall, std::nullopt);
    const auto refused = board->beats({mine, theirs, mine, theirs});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::not_authorized);
    EXPECT_EQ(refused.error().object, "backup");
    ASSERT_EQ(refused.error().fields.size(), 2U);
    EXPECT_EQ(refused.error().fields[0].index, 1U);
    EXPECT_EQ(refused.error().fields[1].index, 3U);
    EXPECT_EQ(board->watches().find({"mine", 0}), nullptr);
    theirs.uid = 7;
    EXPECT_EQ(board->beats({mine, theirs})->size(), 2U);
}

TEST_F(BoardPlanTest, MissesOfADownWatchGrowWithoutAWakeUp) {
    beat("pump");
    store.complete_all();
    go(90 * second);
    EXPECT_EQ(loop.wanted, std::nullopt);
    go(600 * second);
    EXPECT_EQ(misses_of(board->find({"pump", 0}).value()), 11U);
    std::string text;
    json::append_object(text, board->list({}, 10, "")->items.at(0));
    EXPECT_THAT(text, testing::HasSubstr(R"("misses":11)"));
}

} // namespace
} // namespace tocsin::heartbeats
