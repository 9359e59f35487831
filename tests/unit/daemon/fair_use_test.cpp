// SPDX-License-Identifier: Apache-2.0
#include "daemon/fair_use.hpp"

#include "core/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::daemon {
namespace {

using storage::Contention;
using ::testing::HasSubstr;

constexpr std::int64_t second = 1'000'000;
constexpr std::size_t behind = limits::contended_events; // so many wait for the writer
constexpr std::uint32_t owner = 990;

Sender uid(std::uint32_t uid, std::string unit = "") {
    return {.uid = uid, .unit = std::move(unit)};
}

class FairUseTest : public testing::Test {
protected:
    // A second of a flood beside somebody who submits little.
    void flood(const Sender& greedy, const Sender& modest = uid(1001)) {
        for (int part = 0; part < 100; ++part) {
            now += second / 100;
            use.charge(greedy, 1'000, now);
            use.charge(modest, 1, now);
        }
    }
    FairUse use{owner};
    std::int64_t now = 100 * second;
};

TEST_F(FairUseTest, OneAloneIsNeverRefused) {
    for (int part = 0; part < 10'000; ++part) {
        now += second / 100;
        EXPECT_FALSE(use.refusal(uid(1000, "a.service"), behind * 8, now));
        use.charge(uid(1000, "a.service"), 10'000, now);
    }
    EXPECT_EQ(use.chunk_lines(uid(1000), Contention::none, now), limits::chunk_lines);
}

TEST_F(FairUseTest, NobodyIsRefusedWhileTheWriterKeepsUp) {
    flood(uid(1000));
    EXPECT_FALSE(use.refusal(uid(1000), behind - 1, now));
    EXPECT_TRUE(use.refusal(uid(1000), behind, now));
}

TEST_F(FairUseTest, TheGreedyOneIsRefusedAndToldWhenToComeBack) {
    flood(uid(1000));
    EXPECT_FALSE(use.refusal(uid(1001), behind, now));
    const auto refused = use.refusal(uid(1000), behind, now);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, Code::limit_exceeded);
    EXPECT_THAT(refused->detail(), HasSubstr("uid 1000"));
    ASSERT_TRUE(refused->retry_after_s);
    now += *refused->retry_after_s * second;
    use.charge(uid(1001), 1, now);
    EXPECT_FALSE(use.refusal(uid(1000), behind, now)) << "who comes back when he was told to is taken";
}

TEST_F(FairUseTest, WhatWasTakenWhileNobodyMindedIsNotPaidForLong) {
    for (int part = 0; part < 1'000; ++part) {
        use.charge(uid(1000), 100'000, now);
    }
    use.charge(uid(1001), 1, now);
    const auto refused = use.refusal(uid(1000), behind, now);
    ASSERT_TRUE(refused && refused->retry_after_s);
    EXPECT_LE(*refused->retry_after_s, 2U);
}

TEST_F(FairUseTest, ContentionEndsWithTheOthers) {
    flood(uid(1000));
    now += limits::contended_us;
    use.charge(uid(1000), 100'000, now);
    EXPECT_TRUE(use.refusal(uid(1000), behind, now));
    EXPECT_FALSE(use.refusal(uid(1000), behind, now + 1)) << "the other has gone";
}

TEST_F(FairUseTest, AUnitIsRefusedBeforeItTakesAllOfItsUsersRate) {
    for (int part = 0; part < 100; ++part) {
        now += second / 100;
        use.charge(uid(1000, "greedy.service"), 350, now);
        use.charge(uid(1000, "modest.service"), 1, now);
        use.charge(uid(1001), 1, now);
    }
    const auto refused = use.refusal(uid(1000, "greedy.service"), behind, now);
    ASSERT_TRUE(refused);
    EXPECT_THAT(refused->detail(), HasSubstr("unit greedy.service"));
    EXPECT_FALSE(use.refusal(uid(1000, "modest.service"), behind, now));
    EXPECT_FALSE(use.refusal(uid(1001, "greedy.service"), behind, now)) << "a unit of that name of somebody else";
}

TEST_F(FairUseTest, RootAndTheDaemonsOwnerAreNotRefused) {
    for (const std::uint32_t trusted : {0U, owner}) {
        flood(uid(trusted));
        EXPECT_FALSE(use.refusal(uid(trusted), behind, now)) << trusted;
    }
}

TEST_F(FairUseTest, OnlyWhoSubmitsMostHasShortChunks) {
    flood(uid(1000));
    EXPECT_EQ(use.chunk_lines(uid(1000), Contention::now, now), limits::chunk_lines_contended);
    EXPECT_EQ(use.chunk_lines(uid(1000), Contention::lately, now), limits::chunk_lines_lately);
    EXPECT_EQ(use.chunk_lines(uid(1000), Contention::none, now), limits::chunk_lines);
    EXPECT_EQ(use.chunk_lines(uid(1001), Contention::now, now), limits::chunk_lines);
}

TEST_F(FairUseTest, RemembersABoundedNumber) {
    for (std::uint32_t i = 1; i < 5'000; ++i) {
        use.charge(uid(i, "unit-" + std::to_string(i)), 1'000'000, now + i);
    }
    EXPECT_LE(use.remembered(), 2 * limits::rated_users);
    EXPECT_TRUE(use.refusal(uid(4'999), behind, now + 5'000)) << "the newest is remembered";
}

TEST(LaneOf, TellsUsersAndUnitsApart) {
    EXPECT_EQ(lane_of(uid(0)), (storage::Owner{0, 0}));
    EXPECT_NE(lane_of(uid(1, "a")).unit, lane_of(uid(1, "b")).unit);
    EXPECT_GT(lane_of({}).uid, UINT32_MAX);
}

} // namespace
} // namespace tocsin::daemon
