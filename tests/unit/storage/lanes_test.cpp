// SPDX-License-Identifier: Apache-2.0
// Whose turn it is, on a clock of the test's.
#include "storage/lanes.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

#include <charconv>
#include <map>

namespace tocsin::storage::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::Each;
using ::testing::ElementsAre;

constexpr std::uint64_t greedy = 1000;
constexpr std::uint64_t modest = 1001;

Op op_of(Owner owner, std::string name, std::size_t bytes = 300) {
    Op op;
    op.owner = owner;
    op.events.push_back(event(std::move(name)));
    op.bytes = bytes;
    return op;
}

class LanesTest : public testing::Test {
protected:
    void push(Owner owner, std::string name, std::size_t bytes = 300) {
        lanes.push(op_of(owner, std::move(name), bytes), now);
    }
    void flood(std::size_t ops, std::size_t bytes, std::uint64_t unit = 0) {
        for (std::size_t i = 0; i < ops; ++i) {
            push({greedy, unit}, "greedy-" + std::to_string(i), bytes);
        }
    }
    // What one commit carries; it takes `time`.
    std::vector<std::string> commit(microseconds time = microseconds(500)) {
        std::vector<Op> ops;
        Load taken;
        lanes.take(ops, taken, now);
        now += time;
        lanes.served(time, now);
        std::vector<std::string> names;
        names.reserve(ops.size());
        for (const Op& op : ops) {
            names.push_back(op.events.at(0).event_name);
        }
        return names;
    }
    static bool has(const std::vector<std::string>& names, const std::string& name) {
        return std::ranges::find(names, name) != names.end();
    }

    Lanes lanes{};
    Lanes::Instant now{std::chrono::hours(1)};
};

TEST_F(LanesTest, OneAloneIsServedWithoutBounds) {
    flood(1'000, 10'000);
    EXPECT_EQ(lanes.ready_at(), Lanes::Instant::min());
    EXPECT_EQ(commit().size(), 1'000U);
    flood(1, 300);
    EXPECT_EQ(lanes.ready_at(), Lanes::Instant::min()) << "nobody else is there to be waited for";
    EXPECT_EQ(commit(), std::vector<std::string>{"greedy-0"});
    EXPECT_EQ(lanes.contention(now), Contention::none);
}

TEST_F(LanesTest, AnotherIsInTheNextCommitWhateverTheBacklog) {
    flood(1'000, 10'000);
    push({modest, 0}, "modest");
    const auto carried = commit();
    EXPECT_TRUE(has(carried, "modest"));
    EXPECT_LE(carried.size(), 4U) << "a commit that somebody waits for carries too much of the flood";
    EXPECT_EQ(lanes.contention(now), Contention::now);
}

TEST_F(LanesTest, ALargeBatchDoesNotGoAlongWithASmallOne) {
    flood(1, 300);
    commit();
    flood(2, 3'000'000);
    push({modest, 0}, "modest");
    EXPECT_EQ(commit(), std::vector<std::string>{"modest"});
}

TEST_F(LanesTest, WhatWaitsBesideALargeBatchGoesAlongWithIt) {
    flood(1, 3'000'000);
    push({modest, 0}, "modest-0");
    EXPECT_THAT(commit(), ElementsAre("greedy-0", "modest-0"));
}

TEST_F(LanesTest, WhoWasJustAnsweredMayComeBackFirst) {
    flood(1'000, 10'000);
    push({modest, 0}, "modest-0");
    commit();
    const Lanes::Instant ready = lanes.ready_at();
    EXPECT_GT(ready, now) << "the flood goes on at once, and the other's next event just misses it";
    EXPECT_LE(ready, now + milliseconds(2)) << "nobody waits for long for somebody who may never come back";
    EXPECT_TRUE(commit(microseconds(0)).empty()) << "something else made the writer look";
    push({modest, 0}, "modest-1");
    EXPECT_EQ(lanes.ready_at(), Lanes::Instant::min());
    EXPECT_TRUE(has(commit(), "modest-1"));
    now = lanes.ready_at();
    EXPECT_THAT(commit(), Each(::testing::StartsWith("greedy"))) << "who does not come back holds nobody up";
    EXPECT_EQ(lanes.ready_at(), Lanes::Instant::min());
}

TEST_F(LanesTest, TheModestOneIsNotHeldUpForTheGreedyOne) {
    flood(10, 10'000);
    push({modest, 0}, "modest-0");
    while (!lanes.empty()) {
        commit();
        now += milliseconds(3);
    }
    flood(1, 300);
    push({modest, 0}, "modest-1");
    commit();
    push({modest, 0}, "modest-2");
    EXPECT_EQ(lanes.ready_at(), Lanes::Instant::min());
}

TEST_F(LanesTest, ALargeBatchHasItsTurnBesideOneWhoAlwaysComesBack) {
    flood(1, 300);
    commit();
    flood(10, 300'000);
    unsigned alone = 0;
    while (lanes.load_of(greedy).weight == 10) {
        push({modest, 0}, "modest");
        commit();
        ASSERT_LT(++alone, 50U) << "the greedy one starves";
    }
    for (unsigned turns = 0; turns < 50; ++turns) {
        push({modest, 0}, "modest");
        commit();
    }
    EXPECT_LT(lanes.load_of(greedy).weight, 8U) << "it has less than its share";
    EXPECT_GT(lanes.load_of(greedy).weight, 0U) << "it has more than its share";
}

TEST_F(LanesTest, WhoWasAwayHasNoClaimToWhatHeLeft) {
    flood(1'000, 10'000);
    commit();
    for (int i = 0; i < 200; ++i) {
        push({modest, 0}, "modest", 10'000);
    }
    flood(200, 10'000);
    std::size_t of_modest = 0;
    for (int commits = 0; commits < 30; ++commits) {
        const auto carried = commit();
        of_modest += static_cast<std::size_t>(std::ranges::count(carried, "modest"));
    }
    EXPECT_LT(lanes.load_of(greedy).weight, 190U) << "it pays for the time when nobody minded";
    EXPECT_GT(of_modest, 10U);
}

TEST_F(LanesTest, AUserWithManyUnitsIsOneUser) {
    for (std::uint64_t unit = 0; unit < 8; ++unit) {
        flood(100, 3'000, unit);
    }
    for (int i = 0; i < 200; ++i) {
        push({modest, 0}, "modest", 3'000);
    }
    std::size_t of_modest = 0;
    std::size_t all = 0;
    for (int commits = 0; commits < 20; ++commits) {
        const auto carried = commit();
        all += carried.size();
        of_modest += static_cast<std::size_t>(std::ranges::count(carried, "modest"));
    }
    EXPECT_NEAR(static_cast<double>(of_modest), static_cast<double>(all) / 2, static_cast<double>(all) / 8);
}

TEST_F(LanesTest, UnitsOfOneUserTakeTurns) {
    flood(1'000, 3'000, 1);
    push({greedy, 2}, "quiet");
    EXPECT_TRUE(has(commit(), "quiet"));
}

TEST_F(LanesTest, EachLaneKeepsItsOrder) {
    std::map<std::string, int> last;
    for (int i = 0; i < 300; ++i) {
        push({static_cast<std::uint64_t>(i % 3), static_cast<std::uint64_t>(i % 2)}, std::to_string(i), 1'000);
    }
    while (!lanes.empty()) {
        for (const std::string& name : commit()) {
            int number = 0;
            std::from_chars(name.data(), name.data() + name.size(), number);
            const std::string lane = std::to_string(number % 6);
            EXPECT_TRUE(!last.contains(lane) || last.at(lane) < number) << lane;
            last[lane] = number;
        }
        now += milliseconds(3);
    }
    EXPECT_EQ(last.size(), 6U);
}

TEST_F(LanesTest, ContentionEnds) {
    flood(1, 300);
    push({modest, 0}, "modest");
    commit();
    EXPECT_EQ(lanes.contention(now), Contention::now);
    now += milliseconds(100);
    EXPECT_EQ(lanes.contention(now), Contention::lately);
    now += std::chrono::seconds(11);
    EXPECT_EQ(lanes.contention(now), Contention::none);
    flood(1, 300);
    push({greedy, 0}, "greedy");
    now += milliseconds(100);
    flood(1'000, 10'000);
    now += std::chrono::seconds(11);
    EXPECT_EQ(commit().size(), 1'002U);
}

TEST_F(LanesTest, WhoIsGoneIsForgotten) {
    for (std::uint64_t uid = 0; uid < 1'000; ++uid) {
        push({uid, uid}, "x");
        commit();
        now += milliseconds(100);
    }
    EXPECT_LE(lanes.users(), 17U);
}

} // namespace
} // namespace tocsin::storage::test
