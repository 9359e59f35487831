// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/ledger.hpp"

#include "fakes.hpp"
#include "heartbeats/watch_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::heartbeats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const WatchKey a{"a", 0};
const WatchKey b{"b", 0};

class LedgerTest : public testing::Test {
protected:
    LedgerTest() {
        Ledger::Hooks hooks{.row = [this](const WatchKey& key) { return row(key); }, .settled = [this] { ++settled; }};
        ledger = std::make_shared<Ledger>(store, clock, std::move(hooks));
    }
    std::optional<std::string> row(const WatchKey& key) const {
        const auto found = watches.find(key);
        return found == watches.end() ? std::nullopt : std::optional(found->second);
    }
    Event event(const std::string& name) const { return daemon_event(name, clock.wall, clock.wall, "{}"); }
    Done<Watch> answer() {
        return [this](const Result<Watch>& result) {
            answers.push_back(result ? "ok" : std::string(info(result.error().code).name));
        };
    }
    std::size_t rows_in_flight() const { return store.queue.front().change.rows.size(); }

    FakeStore store;
    FakeClock clock;
    std::map<WatchKey, std::string> watches{{a, "row a"}, {b, "row b"}};
    std::shared_ptr<Ledger> ledger;
    std::vector<std::string> answers;
    int settled = 0;
};

TEST_F(LedgerTest, NothingToStoreIsNoCommit) {
    ledger->flush();
    EXPECT_EQ(store.commits, 0U);
    EXPECT_EQ(ledger->retry_boot_us(), std::nullopt);
}

TEST_F(LedgerTest, RowAndEventsCommitTogether) {
    ledger->add(a, {});
    ledger->add(a, {event("heartbeat.missed")});
    ledger->flush();
    ASSERT_EQ(store.queue.size(), 1U);
    EXPECT_EQ(rows_in_flight(), 1U);
    store.complete_one();
    EXPECT_EQ(store.rows.at(encode_key(a)), "row a");
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
    EXPECT_EQ(settled, 1);
}

TEST_F(LedgerTest, AnswersOnlyAfterTheCommit) {
    ledger->add(a, {});
    ledger->wait(a, {}, answer());
    ledger->flush();
    EXPECT_THAT(answers, IsEmpty());
    store.complete_one();
    EXPECT_THAT(answers, ElementsAre("ok"));
}

TEST_F(LedgerTest, WhatComesDuringACommitSharesTheNext) {
    ledger->add(a, {});
    ledger->flush();
    for (int i = 0; i < 5; ++i) {
        ledger->add(a, {});
        ledger->wait(a, {}, answer());
        ledger->add(b, {});
        ledger->flush();
    }
    EXPECT_EQ(store.commits, 1U) << "one at a time";
    watches[a] = "newest row";
    store.complete_one();
    EXPECT_THAT(answers, IsEmpty()) << "the first commit did not hold theirs";
    ledger->flush();
    EXPECT_EQ(rows_in_flight(), 2U);
    store.complete_one();
    EXPECT_EQ(answers.size(), 5U);
    EXPECT_EQ(store.commits, 2U);
    EXPECT_EQ(store.rows.at(encode_key(a)), "newest row");
}

TEST_F(LedgerTest, AForgottenWatchLosesItsRow) {
    store.rows[encode_key(a)] = "old";
    watches.erase(a);
    ledger->add(a, {});
    ledger->flush();
    store.complete_one();
    EXPECT_THAT(store.rows, IsEmpty());
}

TEST_F(LedgerTest, AFailedCommitIsTriedAgainUntilItIsStored) {
    ledger->add(a, {event("heartbeat.missed")});
    ledger->wait(a, {}, answer());
    ledger->flush();
    store.fail_one();
    EXPECT_THAT(answers, ElementsAre("StorageFull")) << "told once";
    EXPECT_EQ(settled, 1);
    ledger->flush();
    EXPECT_THAT(store.queue, testing::SizeIs(0)) << "not before the back-off ends";
    std::int64_t pause_us = 0;
    for (int attempt = 0; attempt < 10; ++attempt) {
        const std::int64_t retry = ledger->retry_boot_us().value();
        EXPECT_GE(retry - clock.boot, pause_us) << "ever longer";
        EXPECT_LE(retry - clock.boot, 5 * second) << "but bounded";
        pause_us = retry - clock.boot;
        clock.go(pause_us);
        ledger->flush();
        store.fail_one();
    }
    clock.go(pause_us);
    ledger->flush();
    store.complete_one();
    EXPECT_THAT(store.event_names(), ElementsAre("heartbeat.missed"));
    EXPECT_THAT(answers, ElementsAre("StorageFull"));
    EXPECT_EQ(ledger->retry_boot_us(), std::nullopt);
}

TEST_F(LedgerTest, EventsOfAWatchKeepTheirOrderThroughAFailure) {
    ledger->add(a, {event("heartbeat.missed")});
    ledger->flush();
    ledger->add(b, {event("heartbeat.failed")});
    ledger->add(a, {event("heartbeat.recovered")});
    store.fail_one();
    clock.go(second);
    ledger->flush();
    store.complete_one();
    EXPECT_THAT(store.event_names(),
                testing::UnorderedElementsAre("heartbeat.missed", "heartbeat.recovered", "heartbeat.failed"));
    const auto names = store.event_names();
    EXPECT_LT(std::ranges::find(names, "heartbeat.missed"), std::ranges::find(names, "heartbeat.recovered"));
}

TEST_F(LedgerTest, ACommitIsBounded) {
    for (int i = 0; i < 2'500; ++i) {
        const WatchKey key{"w", i};
        watches[key] = "row";
        ledger->add(key, {event("heartbeat.missed")});
    }
    std::vector<std::size_t> sizes;
    ledger->flush();
    while (!store.queue.empty()) {
        sizes.push_back(store.queue.front().change.events.size());
        EXPECT_EQ(rows_in_flight(), sizes.back()) << "a row is never apart from its event";
        store.complete_one();
        ledger->flush();
    }
    EXPECT_THAT(sizes, ElementsAre(1'000, 1'000, 500));
    EXPECT_EQ(store.events.size(), 2'500U);
}

TEST_F(LedgerTest, CrowdedAndFull) {
    EXPECT_FALSE(ledger->crowded());
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(ledger->full(a));
        ledger->add(a, {event("heartbeat.missed")});
    }
    EXPECT_TRUE(ledger->full(a)) << "one watch may not fill it alone";
    EXPECT_FALSE(ledger->full(b));
    for (int i = 0; i < 4'000; ++i) {
        ledger->add({"w", i}, {event("heartbeat.missed")});
    }
    EXPECT_TRUE(ledger->crowded());
    store.at_once = true;
    while (ledger->retry_boot_us()) {
        ledger->flush();
    }
    EXPECT_FALSE(ledger->crowded());
    EXPECT_FALSE(ledger->full(a));
}

TEST_F(LedgerTest, StopAnswersWhoeverWaits) {
    ledger->add(a, {});
    ledger->wait(a, {}, answer());
    ledger->flush();
    ledger->add(b, {});
    ledger->wait(b, {}, answer());
    ledger->stop();
    EXPECT_THAT(answers, ElementsAre("Unavailable")) << "b; a is under way";
    store.complete_one();
    EXPECT_THAT(answers, ElementsAre("Unavailable", "ok"));
    EXPECT_EQ(settled, 0);
    ledger->flush();
    EXPECT_EQ(store.commits, 1U);
    EXPECT_TRUE(ledger->full(a));
}

TEST_F(LedgerTest, ACommitMayEndAfterTheLedger) {
    ledger->add(a, {});
    ledger->flush();
    ledger.reset();
    store.complete_one();
    EXPECT_EQ(settled, 0);
}

} // namespace
} // namespace tocsin::heartbeats
