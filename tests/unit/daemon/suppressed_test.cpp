// SPDX-License-Identifier: Apache-2.0
#include "daemon/suppressed.hpp"

#include "core/limits.hpp"
#include "tests/unit/daemon/fakes.hpp"

#include <gtest/gtest.h>

namespace tocsin::daemon {
namespace {

class SuppressedTest : public testing::Test {
protected:
    FakeStore store{};
    FakeClock clock{};
    int periods = 0;
    Suppressed suppressed{store, clock, [this] { ++periods; }};
};

TEST_F(SuppressedTest, OneEventOfEachSourceAndPeriodWithItsCounts) {
    const Sender greedy{.uid = 1000, .unit = "greedy.service"};
    for (int i = 0; i < 500; ++i) {
        suppressed.add(greedy, Suppression::rate);
        suppressed.add({.uid = 1001}, Suppression::datagram);
    }
    suppressed.add(greedy, Suppression::queue);
    EXPECT_TRUE(store.events.empty()) << "an event for a drop";
    EXPECT_EQ(periods, 1);
    clock.pass(60'000'000);
    suppressed.tell();
    ASSERT_EQ(store.events.size(), 2U);
    const Event& first = store.events[0];
    EXPECT_EQ(first.event_name, "intake.suppressed");
    EXPECT_EQ(first.severity, Severity::warning);
    EXPECT_EQ(first.event_time_us, clock.wall - 60'000'000) << "when it began";
    EXPECT_EQ(first.payload, R"({"uid":1000,"unit":"greedy.service","rate":500,"queue":1,"datagram":0,)"
                             R"("since":"2023-11-14T22:13:20.000000Z","until":"2023-11-14T22:14:20.000000Z"})");
    EXPECT_EQ(store.events[1].payload,
              R"({"uid":1001,"rate":0,"queue":0,"datagram":500,)"
              R"("since":"2023-11-14T22:13:20.000000Z","until":"2023-11-14T22:14:20.000000Z"})");

    suppressed.tell();
    EXPECT_EQ(store.events.size(), 2U) << "nothing new to tell";
    suppressed.add(greedy, Suppression::rate);
    EXPECT_EQ(periods, 2);
    suppressed.tell();
    ASSERT_EQ(store.events.size(), 3U);
    EXPECT_NE(store.events[2].payload.find(R"("rate":1,)"), std::string::npos);
    EXPECT_EQ(suppressed.counts(), (SuppressedCounts{501, 1, 500})) << "counters never go down";
}

TEST_F(SuppressedTest, ManySourcesDoNotMakeAFloodOfEvents) {
    for (std::uint32_t uid = 0; uid < 10'000; ++uid) {
        suppressed.add({.uid = uid}, Suppression::rate);
    }
    suppressed.tell();
    EXPECT_EQ(store.events.size(), limits::suppressed_sources + 1);
    const std::string all = std::to_string(10'000 - limits::suppressed_sources);
    EXPECT_EQ(store.events[0].payload.find(R"({"rate":)" + all), 0U) << store.events[0].payload;
    EXPECT_EQ(periods, 1);
}

} // namespace
} // namespace tocsin::daemon
