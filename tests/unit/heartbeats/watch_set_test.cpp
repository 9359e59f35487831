// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/watch_set.hpp"

#include "fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace tocsin::heartbeats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const WatchSetting ten_five{.interval_us = 10 * second, .grace_us = 5 * second};

std::vector<Transition> transitions(const Outcome& outcome) {
    std::vector<Transition> result;
    for (const Happening& happening : outcome.happened) {
        result.push_back(happening.what.transition);
    }
    return result;
}

class WatchSetTest : public testing::Test {
protected:
    Outcome beat(const std::string& source, std::optional<std::int64_t> interval_us = 60 * second) {
        return set.beat(make_beat(source, clock.wall, interval_us), WatchDefaults{}, clock.now()).value();
    }
    std::vector<std::string> sources(const ListQuery& query, std::size_t limit = 100,
                                     std::optional<WatchKey> after = {}) {
        std::vector<std::string> names;
        for (const Watch& watch : set.list(query, after, limit)) {
            names.push_back(watch.key.source);
        }
        return names;
    }

    FakeClock clock;
    WatchSet set;
};

TEST_F(WatchSetTest, ABeatMakesAWatch) {
    const Outcome outcome = beat("pump");
    EXPECT_TRUE(outcome.visible);
    EXPECT_THAT(outcome.happened, IsEmpty());
    EXPECT_EQ(outcome.watch.state, WatchState::up);
    ASSERT_NE(set.find({"pump", 0}), nullptr);
    EXPECT_EQ(set.find({"pump", 1}), nullptr);
    EXPECT_FALSE(beat("pump").visible) << "nothing that is shown changed";
}

TEST(WatchesOfAUser, AreBoundedAndCountedAnew) {
    FakeClock clock;
    WatchSet set(10, 2);
    const auto beat = [&set, &clock](const std::string& source, std::optional<std::uint32_t> uid) {
        Beat made = make_beat(source, clock.wall, 60 * second);
        made.uid = uid;
        return set.beat(made, WatchDefaults{}, clock.now());
    };
    ASSERT_TRUE(beat("a", 1000) && beat("b", 1000));
    EXPECT_EQ(set.find({"a", 0})->made_by, 1000U);
    const auto refused = beat("c", 1000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::limit_exceeded);
    EXPECT_NE(refused.error().detail().find("uid 1000"), std::string::npos) << refused.error().detail();
    EXPECT_TRUE(beat("a", 1000)) << "what is there beats";
    EXPECT_TRUE(beat("c", 1001)) << "one user took another's room";
    EXPECT_TRUE(beat("d", 0) && beat("e", 0) && beat("f", 0)) << "root has all the room";
    EXPECT_TRUE(beat("g", std::nullopt));

    ASSERT_TRUE(set.act({"a", 0}, WatchAct::forget, clock.now()));
    EXPECT_TRUE(beat("h", 1000)) << "what is forgotten makes room";
    EXPECT_FALSE(beat("i", 1000));

    WatchSet again(10, 2);
    again.restore(*set.find({"b", 0}), clock.now());
    again.restore(*set.find({"h", 0}), clock.now());
    Beat made = make_beat("j", clock.wall, 60 * second);
    made.uid = 1000;
    EXPECT_FALSE(again.beat(made, WatchDefaults{}, clock.now())) << "a restart forgot whose they are";
}

TEST_F(WatchSetTest, NextDueIsTheSoonest) {
    EXPECT_EQ(set.next_due_boot_us(), std::nullopt);
    beat("slow", 100 * second);
    beat("stray", std::nullopt);
    EXPECT_EQ(set.next_due_boot_us(), clock.boot + 100 * second);
    beat("fast", 10 * second);
    EXPECT_EQ(set.next_due_boot_us(), clock.boot + 10 * second);
}

TEST_F(WatchSetTest, AdvanceTellsEachThatIsDue) {
    beat("a", 10 * second);
    beat("b", 20 * second);
    clock.go(40 * second); // a: 10 + 30 grace; b: late only
    std::vector<std::string> told;
    while (const auto outcome = set.advance(clock.now())) {
        told.push_back(outcome->watch.key.source + " " + std::string(to_string(outcome->watch.state)));
    }
    EXPECT_THAT(told, ElementsAre("a down", "b late"));
    EXPECT_EQ(set.next_due_boot_us(), clock.boot + 10 * second);
}

TEST_F(WatchSetTest, AMissThatTheTimerHasNotToldComesBeforeTheBeat) {
    beat("a", 10 * second);
    clock.go(500 * second);
    const Outcome outcome = beat("a", 10 * second);
    EXPECT_THAT(transitions(outcome), ElementsAre(Transition::missed, Transition::recovered));
    EXPECT_EQ(outcome.happened[0].watch.deadline_us, FakeClock::wall_start + 10 * second) << "as it was then";
    EXPECT_EQ(outcome.happened[0].watch.misses, 1U);
    EXPECT_EQ(outcome.watch.state, WatchState::up);
}

TEST_F(WatchSetTest, TooManyWatchesAreRefused) {
    WatchSet small(2);
    for (const std::string source : {"a", "b"}) {
        EXPECT_TRUE(small.beat(make_beat(source, clock.wall), {}, clock.now()));
    }
    const auto refused = small.beat(make_beat("c", clock.wall), {}, clock.now());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::limit_exceeded);
    EXPECT_TRUE(small.beat(make_beat("a", clock.wall), {}, clock.now())) << "a known one always beats";
    EXPECT_TRUE(small.act({"b", 0}, WatchAct::forget, clock.now()));
    EXPECT_TRUE(small.beat(make_beat("c", clock.wall), {}, clock.now()));
}

TEST_F(WatchSetTest, Acts) {
    beat("a");
    EXPECT_EQ(set.act({"b", 0}, WatchAct::pause, clock.now()).error().code, Code::not_found);
    EXPECT_EQ(set.act({"a", 0}, WatchAct::resume, clock.now()).error().code, Code::conflict);
    EXPECT_EQ(set.act({"a", 0}, WatchAct::pause, clock.now())->watch.state, WatchState::paused);
    EXPECT_EQ(set.next_due_boot_us(), std::nullopt);
    EXPECT_EQ(set.act({"a", 0}, WatchAct::resume, clock.now())->watch.state, WatchState::up);
    EXPECT_EQ(set.act({"a", 0}, WatchAct::forget, clock.now())->watch.key.source, "a");
    EXPECT_EQ(set.size(), 0U);
    EXPECT_EQ(set.next_due_boot_us(), std::nullopt);
}

TEST_F(WatchSetTest, ASourceThatStopsIsForgotten) {
    beat("a");
    EXPECT_EQ(set.stop({"a", 0}, clock.now())->watch.key.source, "a");
    EXPECT_EQ(set.size(), 0U);
    EXPECT_EQ(set.stop({"a", 0}, clock.now()).error().code, Code::not_found);
}

TEST_F(WatchSetTest, AConfiguredOneThatStopsRestsUntilItBeats) {
    set.configure({"backup", 0}, ten_five, clock.now());
    const auto stopped = set.stop({"backup", 0}, clock.now());
    ASSERT_TRUE(stopped);
    EXPECT_EQ(stopped->watch.state, WatchState::paused);
    EXPECT_TRUE(stopped->visible);
    EXPECT_EQ(set.configure({"backup", 0}, ten_five, clock.now()), std::nullopt) << "also over a reload";
    clock.go(500 * second);
    EXPECT_EQ(set.advance(clock.now()), std::nullopt);
    EXPECT_EQ(set.beat(make_beat("backup", clock.wall), {}, clock.now())->watch.state, WatchState::up);
}

TEST_F(WatchSetTest, OneThatAPersonPausedStaysSo) {
    beat("a");
    ASSERT_TRUE(set.act({"a", 0}, WatchAct::pause, clock.now()));
    EXPECT_EQ(set.stop({"a", 0}, clock.now())->watch.state, WatchState::paused);
    set.beat(make_beat("a", clock.wall), {}, clock.now());
    EXPECT_EQ(set.find({"a", 0})->state, WatchState::paused);
}

TEST_F(WatchSetTest, StoppingAnOverdueConfiguredWatchTellsTheMissFirst) {
    set.configure({"backup", 0}, ten_five, clock.now());
    clock.go(500 * second);
    EXPECT_THAT(transitions(set.stop({"backup", 0}, clock.now()).value()), ElementsAre(Transition::missed));
    EXPECT_EQ(set.find({"backup", 0})->state, WatchState::paused);
}

TEST_F(WatchSetTest, PausingAnOverdueWatchTellsTheMissFirst) {
    beat("a", 10 * second);
    clock.go(500 * second);
    EXPECT_THAT(transitions(set.act({"a", 0}, WatchAct::pause, clock.now()).value()), ElementsAre(Transition::missed));
}

TEST_F(WatchSetTest, ResumingWhatIsNotPausedLosesNoMiss) {
    beat("a", 10 * second);
    clock.go(500 * second);
    EXPECT_FALSE(set.act({"a", 0}, WatchAct::resume, clock.now()));
    EXPECT_THAT(transitions(set.advance(clock.now()).value()), ElementsAre(Transition::missed));
}

TEST_F(WatchSetTest, ConfiguredOnes) {
    const auto made = set.configure({"backup", 0}, ten_five, clock.now());
    ASSERT_TRUE(made);
    EXPECT_EQ(made->watch.state, WatchState::up);
    EXPECT_EQ(set.configure({"backup", 0}, ten_five, clock.now()), std::nullopt);
    EXPECT_THAT(set.configured(), ElementsAre(WatchKey{"backup", 0}));
    EXPECT_EQ(set.act({"backup", 0}, WatchAct::forget, clock.now()).error().code, Code::conflict);
    EXPECT_TRUE(set.release({"backup", 0}));
    EXPECT_EQ(set.find({"backup", 0}), nullptr) << "it never beat";
    EXPECT_EQ(set.release({"backup", 0}), std::nullopt);
}

TEST_F(WatchSetTest, AReleasedOneThatBeatIsNewAgain) {
    set.configure({"backup", 0}, ten_five, clock.now());
    beat("backup");
    const auto released = set.release({"backup", 0});
    ASSERT_TRUE(released);
    EXPECT_EQ(released->watch.state, WatchState::fresh);
    EXPECT_EQ(released->watch.interval_us, 0);
    EXPECT_NE(released->watch.last_us, 0);
    EXPECT_EQ(set.next_due_boot_us(), std::nullopt) << "it alarms nobody";
}

TEST_F(WatchSetTest, RestoredOnesAreHeld) {
    Watch watch{.key = {"a", 0}};
    watch.state = WatchState::up;
    watch.interval_us = 10 * second;
    watch.grace_us = 5 * second;
    watch.deadline_us = 5;
    set.restore(watch, clock.now());
    EXPECT_EQ(set.next_due_boot_us(), clock.boot + 10 * second);
    watch.state = WatchState::down;
    set.restore(watch, clock.now());
    EXPECT_EQ(set.size(), 1U);
    EXPECT_EQ(set.next_due_boot_us(), std::nullopt);
}

TEST_F(WatchSetTest, CountsFollowEveryChange) {
    std::mt19937 random(11);
    for (int round = 0; round < 2'000; ++round) {
        const std::string source(1, static_cast<char>('a' + random() % 8));
        switch (random() % 6) {
        case 0:
            static_cast<void>(set.act({source, 0}, WatchAct::pause, clock.now()));
            break;
        case 1:
            static_cast<void>(set.act({source, 0}, WatchAct::resume, clock.now()));
            break;
        case 2:
            static_cast<void>(set.act({source, 0}, WatchAct::forget, clock.now()));
            break;
        case 3:
            clock.go(static_cast<std::int64_t>(random() % 20) * second);
            while (set.advance(clock.now())) {
            }
            break;
        default:
            beat(source, random() % 2 == 0 ? std::nullopt : std::optional(10 * second));
        }
        std::map<WatchState, std::size_t> expected;
        for (std::size_t i = 0; i < 6; ++i) {
            expected[static_cast<WatchState>(i)] = 0;
        }
        for (const Watch& watch : set.list({}, {}, 100)) {
            ++expected[watch.state];
        }
        ASSERT_EQ(set.counts(), expected) << round;
    }
}

TEST_F(WatchSetTest, ListsInOrderAndInPages) {
    for (const std::string source : {"c", "a", "b"}) {
        beat(source);
    }
    Beat other = make_beat("b", clock.wall);
    other.key.scid = -1;
    ASSERT_TRUE(set.beat(other, {}, clock.now()));
    EXPECT_THAT(sources({}), ElementsAre("a", "b", "b", "c"));
    EXPECT_EQ(set.list({}, {}, 100)[1].key.scid, -1);
    EXPECT_THAT(sources({}, 2), ElementsAre("a", "b", "b")) << "one more than asked says that there is more";
    EXPECT_THAT(sources({}, 2, WatchKey{"b", -1}), ElementsAre("b", "c"));
    EXPECT_THAT(sources({.sources = {"a", "c", "x"}}), ElementsAre("a", "c"));
    EXPECT_THAT(sources({.sources = {"a", "c"}}, 10, WatchKey{"a", 0}), ElementsAre("c"));
    EXPECT_THAT(sources({.sources = {"a", "c"}}, 10, WatchKey{"c", 0}), IsEmpty());
    EXPECT_THAT(sources({.scids = {0}}), ElementsAre("a", "b", "c"));
    EXPECT_THAT(sources({.states = {WatchState::down}}), IsEmpty());
}

TEST_F(WatchSetTest, UrgentOnesFirst) {
    beat("up-later", 200 * second);
    beat("up-soon", 100 * second);
    beat("stray", std::nullopt);
    beat("resting");
    ASSERT_TRUE(set.act({"resting", 0}, WatchAct::pause, clock.now()));
    beat("down", 10 * second);
    beat("late", 30 * second);
    clock.go(41 * second);
    while (set.advance(clock.now())) {
    }
    std::vector<std::string> names;
    for (const WatchKey& key : set.urgent(10)) {
        names.push_back(key.source);
    }
    EXPECT_THAT(names, ElementsAre("down", "late", "up-soon", "up-later", "stray", "resting"));
    EXPECT_THAT(set.urgent(1), ElementsAre(WatchKey{"down", 0}));
    EXPECT_THAT(set.urgent(0), IsEmpty());
}

TEST(WatchSetMemory, AWatchIsSmall) {
    constexpr std::size_t node = 4 * sizeof(void*) + 8; // of the set, with malloc's own
    EXPECT_LE(sizeof(WatchEntry) + node, 160U);
}

} // namespace
} // namespace tocsin::heartbeats
