// SPDX-License-Identifier: Apache-2.0
#include "daemon/intake.hpp"

#include "daemon/intake_rate.hpp"
#include "tests/unit/daemon/fakes.hpp"

#include <gtest/gtest.h>

namespace tocsin::daemon {
namespace {

Event event(std::string name, std::string source = "src") {
    Event out;
    out.event_name = std::move(name);
    out.event_src = std::move(source);
    return out;
}

class IntakeTest : public testing::Test {
protected:
    // Appends like the store: indexes from 10 on; the answer waits until it is released.
    IntakeParts parts() {
        return {.append =
                    [this](std::vector<Event> events, std::vector<TableChange> given, Done<Receipt> done,
                           storage::Owner of) {
                        appended = std::move(events);
                        rows = std::move(given);
                        answer = std::move(done);
                        owner = of;
                    },
                .pressure = [this] { return pressure; },
                .heartbeats = heartbeats,
                .clock = clock,
                .owner_uid = 7};
    }
    void accept() {
        Receipt receipt;
        for (std::size_t i = 0; i < appended.size(); ++i) {
            receipt.indexes.push_back(10 + i);
            receipt.duplicate.push_back(i == 1);
            receipt.duplicates += i == 1 ? 1 : 0;
        }
        answer(std::move(receipt));
    }

    std::vector<Event> appended{};
    std::vector<TableChange> rows{};
    Done<Receipt> answer{};
    storage::Owner owner{};
    storage::Pressure pressure{};
    FakeHeartbeats heartbeats{};
    FakeClock clock{};
    LogIntake intake{parts(), IntakeRules{}};
    std::optional<Result<Receipt>> got{};
    Done<Receipt> take() {
        return [this](Result<Receipt> result) { got = std::move(result); };
    }
};

TEST_F(IntakeTest, BeatsBecomeRowsAndHaveIndexZero) {
    std::vector<Event> batch;
    batch.push_back(event("heartbeat", "a"));
    batch.push_back(event("x"));
    batch.push_back(event("HeartBeat", "b"));
    batch.push_back(event("y"));
    intake.submit(std::move(batch), {}, take());
    ASSERT_EQ(appended.size(), 2U);
    EXPECT_EQ(appended[0].event_name, "x");
    EXPECT_EQ(appended[1].event_name, "y");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[1].key, "b");
    EXPECT_FALSE(got) << "answered before it was durable";
    accept();
    ASSERT_TRUE(got && *got);
    EXPECT_EQ((*got)->indexes, (std::vector<std::uint64_t>{0, 10, 0, 11}));
    EXPECT_EQ((*got)->duplicate, (std::vector<bool>{false, false, false, true}));
    EXPECT_EQ((*got)->duplicates, 1U);
}

TEST_F(IntakeTest, EventsAloneKeepTheirReceipt) {
    intake.submit({event("x"), event("y"), event("z")}, {}, take());
    EXPECT_TRUE(rows.empty());
    accept();
    EXPECT_EQ((*got)->indexes, (std::vector<std::uint64_t>{10, 11, 12}));
}

TEST_F(IntakeTest, BeatsAloneAreCommittedToo) {
    intake.submit({event("heartbeat")}, {}, take());
    EXPECT_TRUE(appended.empty());
    EXPECT_EQ(rows.size(), 1U);
    accept();
    EXPECT_EQ((*got)->indexes, std::vector<std::uint64_t>{0});
}

TEST_F(IntakeTest, NothingIsAnsweredWithNothing) {
    intake.submit({}, {}, take());
    ASSERT_TRUE(got && *got);
    EXPECT_TRUE((*got)->indexes.empty());
    EXPECT_FALSE(answer) << "the store was not bothered";
}

TEST_F(IntakeTest, ARefusalIsToldAndNamesThePositionInTheBatch) {
    std::optional<Code> refused;
    intake.on_refused([&refused](const Error& error) { refused = error.code; });
    intake.submit({event("heartbeat"), event("x"), event("y")}, {}, take());
    Error error = field_error("idempotency_key", "known with other content", 1);
    error.code = Code::conflict;
    answer(std::unexpected(std::move(error)));
    ASSERT_TRUE(got && !*got);
    EXPECT_EQ(got->error().fields.at(0).index, 2U);
    EXPECT_EQ(refused, Code::conflict);
}

TEST_F(IntakeTest, ARefusedBeatRefusesTheBatchBeforeAnythingIsStored) {
    heartbeats.refuses = true;
    intake.submit({event("x"), event("heartbeat"), event("y"), event("heartbeat")}, {}, take());
    ASSERT_TRUE(got && !*got);
    EXPECT_EQ(got->error().code, Code::not_authorized);
    EXPECT_EQ(got->error().fields.at(0).index, 3U) << "its place in the batch";
    EXPECT_FALSE(answer) << "the store was not bothered";
}

TEST_F(IntakeTest, BeatsCarryWhoSentThem) {
    Event beat = event("heartbeat");
    beat.origin = {.transport = "http", .uid = 7, .unit = "a.service"};
    intake.submit({beat}, {}, take());
    EXPECT_EQ(heartbeats.seen.at(0).uid, 7U);
    EXPECT_EQ(heartbeats.seen.at(0).unit, "a.service");
}

TEST_F(IntakeTest, RulesCanBeReplaced) {
    EXPECT_FALSE(intake.rules().datasets_strict);
    const IntakeRules* before = &intake.rules();
    intake.set_rules(IntakeRules{.datasets_strict = true});
    EXPECT_TRUE(intake.rules().datasets_strict);
    EXPECT_EQ(&intake.rules(), before) << "faces hold a reference";
}

TEST_F(IntakeTest, EachSenderHasALaneOfHisOwn) {
    intake.submit({event("x")}, {.uid = 1000, .unit = "a.service"}, take());
    const storage::Owner first = owner;
    EXPECT_EQ(first.uid, 1000U);
    intake.submit({event("x")}, {.uid = 1000, .unit = "b.service"}, take());
    EXPECT_EQ(owner.uid, first.uid);
    EXPECT_NE(owner.unit, first.unit);
    intake.submit({event("x")}, {.uid = std::nullopt}, take());
    EXPECT_GT(owner.uid, UINT32_MAX) << "nobody's uid";
}

TEST_F(IntakeTest, ARefusalSoThatOthersHaveTheirShareIsToldWithItsSender) {
    std::vector<std::pair<std::uint32_t, Suppression>> told;
    intake.on_suppressed([&told](const Sender& sender, Suppression why) { told.emplace_back(*sender.uid, why); });
    pressure.waiting = limits::contended_events;
    intake.submit({event("x")}, {.uid = 1001}, take());
    const std::vector<Event> many(2 * limits::user_events_burst, event("x"));
    intake.submit(many, {.uid = 1000}, take());
    EXPECT_FALSE(intake.turn_away({.uid = 1001}));
    const auto refused = intake.turn_away({.uid = 1000});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, Code::limit_exceeded);
    EXPECT_EQ(told, (std::vector{std::pair(1000U, Suppression::rate)}));

    intake.submit({event("x")}, {.uid = 1000}, take());
    answer(std::unexpected(Error{.code = Code::limit_exceeded, .context = "store", .object = "inbox", .reason = ""}));
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told.back(), (std::pair(1000U, Suppression::queue)));
    intake.submit({event("x")}, {.uid = 1000}, take());
    answer(std::unexpected(Error{.code = Code::storage_full, .context = "store", .object = "disk", .reason = ""}));
    EXPECT_EQ(told.size(), 2U) << "a full disk is another matter";
}

constexpr std::int64_t second = 1'000'000;

TEST(IntakeRateTest, IsTheMeanOfTheLastMinute) {
    IntakeRate rate(0);
    for (std::int64_t at = 0; at < 120; ++at) {
        rate.add(at * second, 30);
    }
    EXPECT_DOUBLE_EQ(rate.per_second(119 * second), 30);
    EXPECT_DOUBLE_EQ(rate.per_second(149 * second), 15) << "half of the minute was idle";
    EXPECT_DOUBLE_EQ(rate.per_second(200 * second), 0);
}

TEST(IntakeRateTest, AYoungDaemonCountsItsAge) {
    IntakeRate rate(100 * second);
    rate.add(100 * second, 50);
    EXPECT_DOUBLE_EQ(rate.per_second(100 * second), 50) << "at least one second";
    EXPECT_DOUBLE_EQ(rate.per_second(110 * second), 5);
    rate.add(110 * second, 50);
    EXPECT_DOUBLE_EQ(rate.per_second(110 * second), 10);
}

TEST(IntakeRateTest, AnOldBucketIsNotAddedToANewOne) {
    IntakeRate rate(0);
    rate.add(5 * second, 600);
    rate.add(65 * second, 60);
    EXPECT_DOUBLE_EQ(rate.per_second(65 * second), 1);
}

} // namespace
} // namespace tocsin::daemon
