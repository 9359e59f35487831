// SPDX-License-Identifier: Apache-2.0
// What the board does when the machine slept, when somebody set the clock, and when it was restarted.
#include "board_fixture.hpp"

#include <gmock/gmock.h>

namespace tocsin::heartbeats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t hour = 3'600 * second;

class BoardClockTest : public BoardTest {
protected:
    void beat_hourly() {
        Beat hourly = make_beat("hourly", clock.wall, std::nullopt);
        hourly.schedule = "every 1h";
        hourly.grace_us = 600 * second;
        board->beat(hourly, answer());
        store.complete_all();
    }
    void wake() {
        board->wake();
        store.complete_all();
    }
};

TEST_F(BoardClockTest, ASleepIsSeenBeforeAnyMissIsJudged) {
    beat("pump");
    store.complete_all();
    clock.nap(8 * hour);
    wake(); // the timer, long due
    EXPECT_THAT(store.events, IsEmpty());
    EXPECT_EQ(state("pump"), WatchState::up);
    go(89 * second);
    EXPECT_THAT(store.events, IsEmpty());
    go(second);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
}

TEST_F(BoardClockTest, ABeatMayBeTheFirstThingAfterASleep) {
    beat("pump");
    beat("tap");
    store.complete_all();
    clock.nap(8 * hour);
    beat("pump");
    store.complete_all();
    EXPECT_THAT(store.events, IsEmpty()) << "neither missed nor recovered";
    go(80 * second);
    EXPECT_THAT(store.events, IsEmpty());
}

TEST_F(BoardClockTest, SoMayABatchOrAnAct) {
    beat("pump");
    store.complete_all();
    clock.nap(8 * hour);
    ASSERT_TRUE(board->beats({make_beat("tap", clock.wall)}));
    board->act({"pump", 0}, WatchAct::pause, answer());
    store.complete_all();
    EXPECT_THAT(store.events, IsEmpty());
}

TEST_F(BoardClockTest, AStepForwardMissesNothing) {
    beat("pump", hour);
    beat_hourly();
    clock.wall += 1'000 * hour;
    wake();
    EXPECT_THAT(store.events, IsEmpty());
    go(hour - second);
    EXPECT_THAT(store.events, IsEmpty());
    go(hour);
    EXPECT_THAT(store.event_names(), testing::UnorderedElementsAre("heartbeat.missed", "heartbeat.missed"));
    for (const Event& event : store.events) {
        EXPECT_GT(event.event_time_us, FakeClock::wall_start + 1'000 * hour) << "dated by the clock as it is now";
    }
}

TEST_F(BoardClockTest, AStepBackIsAwaited) {
    beat_hourly();
    const std::int64_t slot = (clock.wall / hour + 1) * hour;
    clock.wall -= 1'800 * second;
    wake();
    const std::int64_t until = slot + 600 * second - clock.wall;
    go(until - second);
    EXPECT_THAT(store.events, IsEmpty());
    go(second);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
    EXPECT_EQ(store.events[0].event_time_us, slot + 600 * second);
}

TEST_F(BoardClockTest, AWatchThatLooksDifferentThenIsTold) {
    beat("pump");
    store.complete_all();
    go(70 * second);
    ASSERT_EQ(state("pump"), WatchState::late);
    std::vector<std::string> heard;
    const auto subscription =
        board->on_change([&heard](const Watch& watch) { heard.emplace_back(to_string(watch.state)); });
    clock.nap(hour);
    wake();
    EXPECT_THAT(heard, ElementsAre("up"));
    EXPECT_EQ(board->watches().counts().at(WatchState::up), 1U);
}

TEST_F(BoardClockTest, ADailyWatchIsMissedAlthoughTheDaemonIsRestartedEverySixHours) {
    beat("backup", 24 * hour);
    store.complete_all();
    for (int i = 0; i < 12 && store.events.empty(); ++i) {
        go(6 * hour);
        restart();
    }
    ASSERT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
    EXPECT_LE(clock.boot - FakeClock::boot_start, 48 * hour);
}

TEST_F(BoardClockTest, ASourceThatLosesOneBeatToARestartIsNotMissed) {
    // Every period up to the interval, restarted at every moment of it: the beat of that moment is lost.
    constexpr std::int64_t interval = 100 * second;
    for (std::int64_t period = 10 * second; period <= interval; period += 10 * second) {
        for (std::int64_t lost = 1; lost <= 3; ++lost) {
            store = FakeStore();
            restart();
            for (std::int64_t i = 0; i < 30; ++i) {
                if (i == lost) {
                    restart();
                } else {
                    beat("pump", interval);
                    store.complete_all();
                }
                go(period);
            }
            ASSERT_THAT(store.events, IsEmpty()) << period / second << " " << lost;
        }
    }
}

} // namespace
} // namespace tocsin::heartbeats
