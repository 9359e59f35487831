// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/board.hpp"

#include "board_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::heartbeats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(BoardTest, ABeatIsAnsweredWhenItIsDurable) {
    beat("pump");
    EXPECT_THAT(answers, IsEmpty());
    store.complete_one();
    EXPECT_THAT(answers, ElementsAre("up"));
    EXPECT_EQ(stored("pump")->last_us, clock.wall);
}

TEST_F(BoardTest, MissedOnceAndRecovered) {
    beat("pump");
    store.complete_all();
    go(3'600 * second);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
    EXPECT_EQ(store.events[0].event_time_us, FakeClock::wall_start + 90 * second);
    EXPECT_EQ(stored("pump")->state, WatchState::down);
    EXPECT_EQ(stored("pump")->misses, 1U);
    beat("pump");
    store.complete_all();
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed", "heartbeat.recovered"));
    EXPECT_EQ(answers.back(), "up");
}

TEST_F(BoardTest, TheEventIsStoredBeforeTheBeatIsAnswered) {
    beat("pump", 60 * second, BeatKind::fail);
    store.complete_one();
    EXPECT_THAT(answers, ElementsAre("down"));
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.failed"));
}

TEST_F(BoardTest, NothingDueArmsNothing) {
    beat("stray", std::nullopt);
    store.complete_all();
    EXPECT_EQ(loop.wanted, std::nullopt);
    EXPECT_EQ(loop.calls, 0U);
}

TEST_F(BoardTest, ABeatThatOnlyMovesADeadlineAwayCostsNoTimer) {
    beat("pump");
    store.complete_all();
    ASSERT_EQ(loop.calls, 1U);
    for (int i = 0; i < 100; ++i) {
        clock.go(second / 2);
        beat("pump");
        store.complete_all();
    }
    EXPECT_EQ(loop.calls, 1U);
    go(20 * second); // the old instant passes: asked anew, nobody missed
    EXPECT_EQ(loop.calls, 2U);
    EXPECT_THAT(store.events, IsEmpty());
    go(75 * second);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
}

TEST_F(BoardTest, AnEarlierDeadlineArmsAnew) {
    beat("slow", 100 * second);
    beat("fast", 10 * second);
    EXPECT_EQ(loop.wanted, clock.boot + 10 * second);
}

TEST_F(BoardTest, ManyMissesShareFewCommits) {
    store.at_once = true;
    for (int i = 0; i < 3'000; ++i) {
        Beat one = make_beat("w", clock.wall, 10 * second);
        one.key.scid = i;
        board->beat(one, answer());
    }
    const std::size_t before = store.commits;
    go(60 * second);
    EXPECT_EQ(store.events.size(), 3'000U);
    EXPECT_LE(store.commits - before, 6U);
    EXPECT_EQ(board->watches().counts().at(WatchState::down), 3'000U);
}

TEST_F(BoardTest, AMissIsNotLostWhenTheStoreFails) {
    beat("pump");
    store.complete_all();
    clock.go(100 * second);
    board->wake();
    ASSERT_EQ(store.queue.size(), 1U);
    store.fail_one();
    EXPECT_EQ(stored("pump")->state, WatchState::up) << "the row waits for its event";
    go(second);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
    EXPECT_EQ(stored("pump")->state, WatchState::down);
}

TEST_F(BoardTest, ABeatDuringAFailureIsToldAndKeptInMind) {
    beat("pump");
    store.fail_one();
    EXPECT_THAT(answers, ElementsAre("StorageFull"));
    EXPECT_EQ(state("pump"), WatchState::up) << "it was heard: nobody is missed for our own trouble";
    go(second);
    EXPECT_TRUE(stored("pump"));
}

TEST_F(BoardTest, TooManyUnsaidEventsHoldTimeNotLoseIt) {
    store.at_once = true;
    for (int i = 0; i < 6'000; ++i) {
        Beat one = make_beat("w", clock.wall, 10 * second);
        one.key.scid = i;
        board->beat(one, answer());
    }
    store.at_once = false;
    clock.go(100 * second);
    for (int i = 0; i < 20; ++i) {
        board->wake();
    }
    EXPECT_LT(board->watches().counts().at(WatchState::down), 6'000U) << "bounded while nothing is stored";
    EXPECT_GE(board->watches().counts().at(WatchState::down), 4'000U);
    while (store.events.size() < 6'000U && (loop.wanted || !store.queue.empty())) {
        store.complete_all();
        board->wake();
    }
    EXPECT_EQ(store.events.size(), 6'000U);
    EXPECT_EQ(store.events.back().event_time_us, FakeClock::wall_start + 40 * second) << "told late, dated right";
}

TEST_F(BoardTest, ARestartHoldsEveryDeadlineAndTellsNothingTwice) {
    beat("kept");
    beat("lost", 10 * second);
    store.complete_all();
    go(45 * second);
    ASSERT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
    clock.go(86'400 * second);
    restart();
    EXPECT_EQ(state("kept"), WatchState::up);
    EXPECT_EQ(state("lost"), WatchState::down);
    go(89 * second);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
    go(2 * second);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed", "heartbeat.missed"));
    beat("lost");
    store.complete_all();
    EXPECT_EQ(store.event_names().back(), "heartbeat.recovered");
}

TEST_F(BoardTest, ADamagedRowIsToldAndRemovedAndTheOthersLive) {
    beat("good");
    store.complete_all();
    store.rows[encode_key({"bad", 0})] = "rubbish";
    restart();
    EXPECT_EQ(state("good"), WatchState::up);
    EXPECT_THAT(store.event_names(), ElementsAre("log.corrupt"));
    EXPECT_EQ(store.rows.size(), 1U);
}

TEST_F(BoardTest, AnUnreadableTableIsAnError) {
    store.unreadable = true;
    Board other(store, clock, loop, {});
    EXPECT_FALSE(other.start());
}

Settings configured(const std::string& source, std::int64_t interval_us = 0, std::int64_t grace_us = -1) {
    return Settings{.watches = {WatchConfig{.key = {source, 0}, .interval_us = interval_us, .grace_us = grace_us}}};
}

TEST_F(BoardTest, AConfiguredWatchThatNeverBeatsIsMissed) {
    restart(configured("backup", 20 * second, 10 * second));
    ASSERT_TRUE(stored("backup"));
    EXPECT_TRUE(stored("backup")->configured);
    go(29 * second);
    EXPECT_THAT(store.events, IsEmpty());
    go(second);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
    EXPECT_EQ(store.events[0].payload.find("\"last\""), std::string::npos);
    restart(configured("backup", 20 * second, 10 * second));
    go(3'600 * second);
    EXPECT_EQ(store.events.size(), 1U);
}

TEST_F(BoardTest, AConfiguredWatchHasTheDefaults) {
    restart(configured("backup"));
    EXPECT_EQ(stored("backup")->interval_us, WatchDefaults{}.interval_us);
    EXPECT_EQ(stored("backup")->grace_us, WatchDefaults{}.grace_us);
}

TEST_F(BoardTest, AnUnchangedConfigurationWritesNothing) {
    restart(configured("backup"));
    const std::size_t before = store.commits;
    restart(configured("backup"));
    EXPECT_EQ(store.commits, before);
}

TEST_F(BoardTest, ReconfigureAddsChangesAndReleases) {
    restart(configured("backup", 20 * second));
    board->reconfigure(configured("backup", 40 * second));
    store.complete_all();
    EXPECT_EQ(stored("backup")->interval_us, 40 * second);
    beat("backup");
    store.complete_all();
    board->reconfigure(configured("other"));
    store.complete_all();
    EXPECT_EQ(stored("backup")->state, WatchState::fresh);
    EXPECT_EQ(stored("other")->state, WatchState::up);
    board->reconfigure({});
    store.complete_all();
    EXPECT_EQ(stored("other"), std::nullopt) << "it never beat";
}

TEST_F(BoardTest, BeatsOfABatchGiveTheirRows) {
    beat("pump", 10 * second);
    store.complete_all();
    const auto rows = board
                          ->beats({make_beat("pump", clock.wall, std::nullopt), make_beat("tap", clock.wall),
                                   make_beat("pump", clock.wall, std::nullopt)})
                          .value();
    ASSERT_EQ(rows.size(), 2U) << "one a watch";
    EXPECT_EQ(rows[0].key, encode_key({"pump", 0}));
    EXPECT_EQ(decode(rows[1].key, rows[1].value.value()).interval_us, 60 * second);
    EXPECT_THAT(store.queue, testing::SizeIs(0)) << "nothing happened that needs a commit of its own";
}

TEST_F(BoardTest, AfterABurstMemoryIsGivenBackOnce) {
    std::vector<Beat> burst(5'000, make_beat("pump", clock.wall));
    for (std::size_t i = 0; i < burst.size(); ++i) {
        burst[i].key.scid = static_cast<std::int64_t>(i);
    }
    ASSERT_TRUE(board->beats(burst));
    go(Loans::loan_us - 1);
    EXPECT_EQ(loop.tidied, 0U);
    go(1);
    EXPECT_EQ(loop.tidied, 1U);
    ASSERT_TRUE(board->beats({burst[0]}));
    go(Loans::loan_us);
    EXPECT_EQ(loop.tidied, 1U) << "for a few it is not worth the work";
}

TEST_F(BoardTest, TransitionsOfABatchCommitByThemselves) {
    beat("pump", 10 * second);
    store.complete_all();
    go(60 * second);
    ASSERT_TRUE(board->beats({make_beat("pump", clock.wall)}));
    store.fail_one();
    go(second);
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed", "heartbeat.recovered"));
}

TEST_F(BoardTest, ALentRowDoesNotBringAForgottenWatchBack) {
    const auto rows = board->beats({make_beat("pump", clock.wall)}).value();
    board->act({"pump", 0}, WatchAct::forget, answer());
    store.complete_all();
    store.store(StateChange{.rows = rows}); // the batch commits after the act
    ASSERT_TRUE(stored("pump"));
    go(60 * second);
    EXPECT_FALSE(stored("pump"));
}

TEST_F(BoardTest, Acts) {
    beat("pump");
    board->act({"pump", 0}, WatchAct::pause, answer());
    store.complete_all();
    EXPECT_EQ(stored("pump")->state, WatchState::paused);
    board->act({"pump", 0}, WatchAct::resume, answer());
    store.complete_all();
    board->act({"pump", 0}, WatchAct::forget, answer());
    store.complete_all();
    EXPECT_EQ(stored("pump"), std::nullopt);
    board->act({"pump", 0}, WatchAct::forget, answer());
    EXPECT_EQ(answers.size(), 4U) << "a refusal is not answered within the call";
    loop.run_deferred();
    EXPECT_THAT(answers, ElementsAre("up", "paused", "up", "up", "NotFound"));
}

TEST_F(BoardTest, ListsArePagedAndCarryTheirFilter) {
    for (const std::string source : {"a", "b", "c"}) {
        beat(source);
    }
    const auto first = board->list({}, 2, "");
    ASSERT_TRUE(first);
    EXPECT_EQ(first->items.size(), 2U);
    const auto second_page = board->list({}, 2, first->next);
    ASSERT_TRUE(second_page);
    ASSERT_EQ(second_page->items.size(), 1U);
    EXPECT_EQ(second_page->items[0].key.source, "c");
    EXPECT_EQ(second_page->next, "");
    EXPECT_EQ(board->list({}, 3, "")->next, "") << "an exact page is the last";
    EXPECT_EQ(board->list({}, 0, "")->items.size(), 3U) << "0 is the default";
    EXPECT_EQ(board->list({{"state", {"up"}}}, 2, first->next).error().object, "cursor");
    EXPECT_EQ(board->list({{"colour", {"red"}}}, 2, "").error().object, "colour");
}

TEST_F(BoardTest, APageEndsEarlyBeforeItIsTooLarge) {
    store.at_once = true;
    const std::string source(limits::name_bytes, 'x');
    for (int i = 0; i < 6'000; ++i) {
        Beat one = make_beat(source, clock.wall);
        one.key.scid = i;
        one.status.assign(limits::status_bytes, 's');
        board->beat(one, answer());
    }
    const auto page = board->list({}, limits::page_max, "");
    ASSERT_TRUE(page);
    EXPECT_LT(page->items.size() * (limits::name_bytes + limits::status_bytes), limits::page_bytes);
    ASSERT_FALSE(page->next.empty());
    EXPECT_EQ(page->items.size() + board->list({}, limits::page_max, page->next)->items.size(), 6'000U);
}

TEST_F(BoardTest, ListenersHearWhatIsShown) {
    std::vector<std::string> heard;
    const auto subscription =
        board->on_change([&heard](const Watch& watch) { heard.emplace_back(to_string(watch.state)); });
    beat("pump");
    beat("pump");
    go(3'600 * second);
    EXPECT_THAT(heard, ElementsAre("up", "late", "down"));
}

TEST_F(BoardTest, StoppedItTakesNothing) {
    beat("pump");
    beat("tap");
    board->stop();
    EXPECT_THAT(answers, ElementsAre("Unavailable")) << "tap; pump is under way";
    beat("late");
    board->act({"pump", 0}, WatchAct::pause, answer());
    EXPECT_THAT(board->beats({make_beat("x", clock.wall)}).value(), IsEmpty());
    loop.run_deferred();
    EXPECT_THAT(answers, ElementsAre("Unavailable", "Unavailable", "Unavailable"));
    store.complete_all();
    EXPECT_EQ(answers.back(), "up");
    board->wake();
    EXPECT_THAT(store.queue, testing::SizeIs(0));
}

TEST_F(BoardTest, ACommitMayEndAfterTheBoard) {
    beat("pump");
    board.reset();
    store.complete_all();
    EXPECT_THAT(answers, testing::Each("up"));
}

TEST_F(BoardTest, TooManyWatchesAreLimitExceeded) {
    board = std::make_unique<Board>(store, clock, loop, Settings{}, BoardOptions{.watches_max = 2});
    ASSERT_TRUE(board->start());
    EXPECT_EQ(
        board->beats({make_beat("a", clock.wall), make_beat("b", clock.wall), make_beat("c", clock.wall)})->size(), 2U);
    beat("d");
    loop.run_deferred();
    EXPECT_THAT(answers, ElementsAre("LimitExceeded"));
}

TEST_F(BoardTest, ItsEndAnswersWhoeverWaits) {
    beat("pump");
    beat("tap");
    board.reset();
    EXPECT_THAT(answers, ElementsAre("Unavailable")) << "tap; pump's commit is under way";
}

} // namespace
} // namespace tocsin::heartbeats
