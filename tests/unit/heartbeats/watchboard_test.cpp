// SPDX-License-Identifier: Apache-2.0
// The room on a real loop, a real timerfd and the system's clock; only the store is a fake.
#include "heartbeats/watchboard.hpp"

#include "fakes.hpp"
#include "heartbeats/boot_timer.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>

namespace tocsin::heartbeats {
namespace {

using testing::ElementsAre;

constexpr std::chrono::seconds patience{20};

class WatchboardTest : public testing::Test {
protected:
    WatchboardTest() { store.at_once = true; }

    template <typename Condition> void run_until(const Condition& condition) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!condition() && std::chrono::steady_clock::now() < end) {
            io.restart();
            io.run_one_for(std::chrono::milliseconds(100));
        }
        ASSERT_TRUE(condition()) << "waited in vain";
    }

    Beat beat_now(const std::string& source, std::int64_t interval_us, std::int64_t grace_us) const {
        Beat beat = make_beat(source, clock.wall_us(), interval_us);
        beat.grace_us = grace_us;
        return beat;
    }

    boost::asio::io_context io;
    FakeStore store;
    SystemClock clock;
};

TEST_F(WatchboardTest, MissedByTheRealTimer) {
    Watchboard board(io, store, clock, {});
    ASSERT_TRUE(board.start());
    const std::int64_t begin_us = clock.wall_us();
    board.beat(beat_now("pump", 150'000, 100'000), [](const Result<Watch>&) {});
    EXPECT_EQ(board.find({"pump", 0})->state, WatchState::up);
    run_until([this] { return !store.events.empty(); });
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
    EXPECT_GE(clock.wall_us(), begin_us + 250'000) << "never too soon";
    EXPECT_EQ(board.find({"pump", 0})->state, WatchState::down);
    EXPECT_EQ(board.counts().at(WatchState::down), 1U);
    EXPECT_THAT(board.urgent(5), ElementsAre(WatchKey{"pump", 0}));
    EXPECT_EQ(board.list({}, 10, "")->items.size(), 1U);
    board.stop();
}

TEST_F(WatchboardTest, IdleItWaitsWithoutWork) {
    Watchboard board(io, store, clock, {});
    ASSERT_TRUE(board.start());
    for (int i = 0; i < 1'000; ++i) {
        Beat beat = beat_now("w", 3'600 * second, 3'600 * second);
        beat.key.scid = i;
        ASSERT_TRUE(board.beats({beat}));
    }
    io.restart();
    io.poll();
    io.restart();
    EXPECT_EQ(io.run_for(std::chrono::milliseconds(50)), 0U) << "no handler ran";
    board.stop();
}

TEST_F(WatchboardTest, RefusalsComeLaterOnTheLoop) {
    Watchboard board(io, store, clock, {});
    ASSERT_TRUE(board.start());
    std::optional<Code> refused;
    board.act({"nobody", 0}, WatchAct::pause,
              [&refused](const Result<Watch>& result) { refused = result.error().code; });
    EXPECT_EQ(refused, std::nullopt);
    run_until([&refused] { return refused.has_value(); });
    EXPECT_EQ(refused, Code::not_found);
    board.stop();
}

TEST_F(WatchboardTest, StoppedTheLoopEnds) {
    Watchboard board(io, store, clock, {});
    ASSERT_TRUE(board.start());
    board.beat(beat_now("pump", 100'000, 100'000), [](const Result<Watch>&) {});
    board.stop();
    io.restart();
    io.run_for(patience);
    EXPECT_TRUE(io.stopped()) << "nothing keeps it";
    EXPECT_TRUE(store.events.empty());
}

TEST_F(WatchboardTest, MayGoWhileItsTimerIsArmed) {
    {
        Watchboard board(io, store, clock, {});
        ASSERT_TRUE(board.start());
        board.beat(beat_now("pump", 100'000, 100'000), [](const Result<Watch>&) {});
    }
    io.restart();
    io.run_for(patience);
    EXPECT_TRUE(io.stopped());
}

TEST_F(WatchboardTest, ReconfigureReachesTheBoard) {
    Watchboard board(io, store, clock, {});
    ASSERT_TRUE(board.start());
    std::vector<std::string> heard;
    const auto subscription = board.on_change([&heard](const Watch& watch) { heard.push_back(watch.key.source); });
    board.reconfigure(
        Settings{.watches = {WatchConfig{.key = {"backup", 0}, .interval_us = 3'600 * second, .grace_us = second}}});
    EXPECT_THAT(heard, ElementsAre("backup"));
    board.stop();
}

TEST(BootTimer, APastInstantFiresAtOnce) {
    boost::asio::io_context io;
    int fired = 0;
    const auto timer = std::make_shared<BootTimer>(io, [&fired] { ++fired; });
    ASSERT_TRUE(timer->open());
    for (const std::int64_t past : {std::int64_t{-5}, std::int64_t{0}, std::int64_t{1}}) {
        timer->arm(past);
        io.restart();
        io.run_one_for(patience);
        io.poll();
    }
    EXPECT_EQ(fired, 3);
    timer->close();
    timer->arm(1);
    io.restart();
    io.run_for(std::chrono::milliseconds(20));
    EXPECT_EQ(fired, 3) << "closed";
}

} // namespace
} // namespace tocsin::heartbeats
