// SPDX-License-Identifier: Apache-2.0
#include "jobs/script_queues.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace tocsin::jobs {
namespace {

TEST(ScriptQueues, FirstDueFirstThenById) {
    ScriptQueues queues;
    EXPECT_FALSE(queues.first());
    queues.add("a", {20, 1});
    queues.add("b", {10, 3});
    queues.add("a", {10, 2});
    EXPECT_EQ(queues.first(), (Turn{10, 2}));
    queues.remove("a", {10, 2});
    EXPECT_EQ(queues.first(), (Turn{10, 3}));
    queues.remove("b", {10, 3});
    queues.remove("b", {10, 3});
    queues.remove("never", {1, 1});
    EXPECT_EQ(queues.first(), (Turn{20, 1}));
}

TEST(ScriptQueues, AScriptAtItsLimitHoldsUpNobody) {
    ScriptQueues queues;
    queues.set_limits({{"slow", 1}});
    queues.add("slow", {1, 1});
    queues.add("slow", {1, 2});
    queues.add("other", {9, 3});
    queues.remove("slow", {1, 1});
    queues.run_begins("slow");
    EXPECT_EQ(queues.first(), (Turn{9, 3}));
    queues.run_ends("slow");
    EXPECT_EQ(queues.first(), (Turn{1, 2}));
}

TEST(ScriptQueues, LimitsMayChange) {
    ScriptQueues queues;
    queues.add("a", {1, 1});
    queues.run_begins("a");
    EXPECT_TRUE(queues.first());
    queues.set_limits({{"a", 1}});
    EXPECT_FALSE(queues.first());
    queues.set_limits({{"a", 2}});
    EXPECT_TRUE(queues.first());
}

TEST(ScriptQueues, NothingIsKeptOfScriptsThatNeitherWaitNorRun) {
    ScriptQueues queues;
    for (std::uint64_t id = 1; id <= 100; ++id) {
        const std::string name = "s" + std::to_string(id);
        queues.add(name, {1, id});
        queues.remove(name, {1, id});
        queues.run_begins(name);
        queues.run_ends(name);
    }
    EXPECT_EQ(queues.scripts(), 0U);
}

// Against the plain way: look at every one.
TEST(ScriptQueues, AsOneWhoLooksAtAll) {
    std::mt19937 random(7);
    ScriptQueues queues;
    const ScriptLimits limits{{"a", 1}, {"b", 3}};
    queues.set_limits(limits);
    const std::vector<std::string> names{"a", "b", "c"};
    std::map<std::string, std::set<Turn>> waiting;
    std::map<std::string, unsigned> running;
    for (std::uint64_t id = 1; id <= 5'000; ++id) {
        const std::string& name = names[random() % names.size()];
        switch (random() % 4) {
        case 0:
        case 1: {
            const Turn turn{static_cast<std::int64_t>(random() % 50), id};
            queues.add(name, turn);
            waiting[name].insert(turn);
            break;
        }
        case 2:
            if (running[name] > 0) {
                queues.run_ends(name);
                --running[name];
            }
            break;
        default:
            if (!waiting[name].empty()) {
                queues.remove(name, *waiting[name].begin());
                waiting[name].erase(waiting[name].begin());
                queues.run_begins(name);
                ++running[name];
            }
        }
        std::optional<Turn> wanted;
        for (const auto& [script, turns] : waiting) {
            const bool may = !limits.contains(script) || running[script] < limits.find(script)->second;
            if (may && !turns.empty() && (!wanted || *turns.begin() < *wanted)) {
                wanted = *turns.begin();
            }
        }
        ASSERT_EQ(queues.first(), wanted) << id;
    }
}

} // namespace
} // namespace tocsin::jobs
