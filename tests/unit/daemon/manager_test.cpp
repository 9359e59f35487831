// SPDX-License-Identifier: Apache-2.0
#include "daemon/manager.hpp"

#include "daemon/stamped_store.hpp"
#include "daemon/status_line.hpp"
#include "tests/unit/daemon/fakes.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin::daemon {
namespace {

using Names = std::vector<std::string>;
constexpr std::int64_t second = 1'000'000;

class ManagerTest : public testing::Test {
protected:
    ManagerTest() { manager.start(); }

    ManagerParts parts() {
        return ManagerParts{
            .store = store,
            .feed = store,
            .heartbeats = heartbeats,
            .jobs = jobs,
            .clock = clock,
            .health = [this] { return health; },
            .jobs_lag = [] { return std::uint64_t{7}; },
            .reload = [this] { return reload_result; },
            .log_degraded = [this](bool began,
                                   const std::string& reason) { logged.push_back((began ? "+" : "-") + reason); },
            .hostname = "here",
            .store_id = "0123"};
    }

    FakeClock clock{};
    FakeStore store{};
    FakeHeartbeats heartbeats{};
    FakeJobs jobs{};
    storage::Health health{};
    Result<Names> reload_result = Names{"time.zone"};
    Names logged{};
    DaemonManager manager{parts()};
};

TEST_F(ManagerTest, SaysThatItStarted) {
    ASSERT_EQ(store.names(), Names{"daemon.started"});
    EXPECT_EQ(store.events[0].event_src, "tocsin");
    EXPECT_NE(store.events[0].payload.find("\"version\""), std::string::npos);
}

TEST_F(ManagerTest, StatusIsTheStoresHealthAndTheRate) {
    health.event_count = 3;
    health.first_index = 2;
    health.last_index = 9;
    health.store_bytes = 4096;
    clock.pass(10 * second);
    store.tell_commit(50);
    const Status status = manager.status();
    EXPECT_EQ(status.version, TOCSIN_VERSION);
    EXPECT_EQ(status.hostname, "here");
    EXPECT_EQ(status.store_id, "0123");
    EXPECT_EQ(status.event_count, 3U);
    EXPECT_EQ(status.first_index, 2U);
    EXPECT_EQ(status.last_index, 9U);
    EXPECT_EQ(status.store_bytes, 4096U);
    EXPECT_DOUBLE_EQ(status.intake_rate, 5);
    EXPECT_EQ(status.started_us, clock.wall - 10 * second);
    EXPECT_TRUE(status.degraded.empty());
}

TEST_F(ManagerTest, AFullStoreIsToldOnceItTakesEventsAgain) {
    std::vector<Names> told;
    const auto subscription = manager.on_degraded([&told](const Names& reasons) { told.push_back(reasons); });
    health.full = true;
    manager.count_rejected(Code::storage_full);
    manager.refresh();
    EXPECT_EQ(manager.status().degraded, Names{"store-full"});
    EXPECT_EQ(store.names(), Names{"daemon.started"}) << "nothing can be appended now";
    const std::int64_t full_since = clock.wall;
    clock.pass(90 * second);
    health.full = false;
    store.tell_commit(1);
    EXPECT_EQ(store.names(), (Names{"daemon.started", "store.full", "store.resumed"}));
    EXPECT_EQ(store.events[1].event_time_us, full_since);
    EXPECT_EQ(store.events[1].severity, Severity::critical);
    EXPECT_EQ(store.events[2].event_time_us, clock.wall);
    EXPECT_EQ(told, (std::vector<Names>{{"store-full"}, {}}));
    EXPECT_EQ(logged, (Names{"+store-full", "-store-full"}));
}

TEST_F(ManagerTest, TheStoreIsFullUntilItTookTheEventAboutIt) {
    health.full = true;
    manager.refresh();
    EXPECT_TRUE(manager.store_is_full());
    health.full = false;
    store.refuses = true;
    manager.refresh();
    EXPECT_EQ(manager.status().degraded, Names{"store-full"});
    store.refuses = false;
    manager.refresh();
    EXPECT_TRUE(manager.status().degraded.empty());
    EXPECT_FALSE(manager.store_is_full());
    EXPECT_EQ(store.names(), (Names{"daemon.started", "store.full", "store.resumed"}));
}

TEST_F(ManagerTest, AStoreThatFlapsWritesItsEventsOnceAMinute) {
    for (int i = 0; i < 90; ++i) {
        health.full = true;
        manager.refresh();
        health.full = false;
        manager.refresh();
        EXPECT_TRUE(manager.status().degraded.empty());
        clock.pass(second);
    }
    const Names names = store.names();
    EXPECT_EQ(std::ranges::count(names, "store.full"), 2);
}

TEST_F(ManagerTest, AStoreThatStoppedWritingIsToldWithItsReason) {
    health.stopped_writing = "flush failed: Input/output error";
    manager.refresh();
    EXPECT_EQ(manager.status().degraded, Names{"store-read-only: flush failed: Input/output error"});
    EXPECT_EQ(store.names(), Names{"daemon.started"});
    EXPECT_NE(manager.metrics().find("tocsin_degraded{reason=\"store-read-only\"} 1\n"), std::string::npos);
}

TEST_F(ManagerTest, OtherReasonsBecomeEventsAtMostOnceAMinute) {
    for (int i = 0; i < 5; ++i) {
        manager.set_degraded("jobs-helper", "is not there");
        manager.set_degraded("jobs-helper", "is not there");
        manager.clear_degraded("jobs-helper");
        manager.clear_degraded("jobs-helper");
        clock.pass(second);
    }
    EXPECT_EQ(store.names(), (Names{"daemon.started", "daemon.degraded", "daemon.restored"}));
    EXPECT_NE(store.events[1].payload.find("jobs-helper: is not there"), std::string::npos);
    clock.pass(60 * second);
    manager.set_degraded("jobs-helper", "");
    EXPECT_EQ(store.names().back(), "daemon.degraded");
    EXPECT_EQ(manager.status().degraded, Names{"jobs-helper"});
}

TEST_F(ManagerTest, AHandlerThatIsGoneIsNotCalled) {
    int calls = 0;
    auto subscription = manager.on_degraded([&calls](const Names&) { ++calls; });
    manager.set_degraded("x", "");
    subscription.reset();
    manager.clear_degraded("x");
    EXPECT_EQ(calls, 1);
}

TEST_F(ManagerTest, AHandlerMayGoWhileItIsCalled) {
    std::unique_ptr<Subscription> second_one;
    int calls = 0;
    auto first = manager.on_degraded([&second_one](const Names&) { second_one.reset(); });
    second_one = manager.on_degraded([&calls](const Names&) { ++calls; });
    manager.set_degraded("x", "");
    EXPECT_EQ(calls, 0);
}

TEST_F(ManagerTest, AReloadIsAnEventThatNamesWhatChanged) {
    bool good = false;
    manager.reload([&good](const Result<void>& result) { good = result.has_value(); });
    EXPECT_TRUE(good);
    EXPECT_EQ(store.names().back(), "daemon.reloaded");
    EXPECT_EQ(store.events.back().payload, R"({"changed":["time.zone"]})");
}

TEST_F(ManagerTest, AFailedReloadIsAnsweredAndNoEvent) {
    reload_result = fail(Code::invalid_argument, "config", "t.toml:1:1", "is wrong");
    std::optional<Error> error;
    manager.reload([&error](const Result<void>& result) { error = result.error(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, Code::invalid_argument);
    EXPECT_EQ(store.names(), Names{"daemon.started"});
}

TEST_F(ManagerTest, CountsRefusalsForTheMetrics) {
    manager.count_rejected(Code::invalid_event);
    manager.count_rejected(Code::invalid_event);
    manager.count_rejected(Code::conflict);
    const std::string text = manager.metrics();
    EXPECT_NE(text.find("tocsin_submit_rejected_total{code=\"InvalidEvent\"} 2\n"), std::string::npos) << text;
    EXPECT_NE(text.find("tocsin_submit_rejected_total{code=\"Conflict\"} 1\n"), std::string::npos);
    EXPECT_NE(text.find("tocsin_reader_lag_events{reader=\"jobs\"} 7\n"), std::string::npos);
}

TEST(StampedStore, GivesEventsTheHostThatTheyLack) {
    FakeStore store;
    StampedStore stamped(store, "here");
    StateChange change;
    change.events.resize(2);
    change.events[1].host = "there";
    stamped.commit(std::move(change), [](const Result<std::vector<std::uint64_t>>&) {});
    ASSERT_EQ(store.events.size(), 2U);
    EXPECT_EQ(store.events[0].host, "here");
    EXPECT_EQ(store.events[1].host, "there");
}

TEST(StatusLine, IsOneSentence) {
    Status status;
    status.event_count = 1;
    status.degraded = {"store-full", "jobs-helper"};
    EXPECT_EQ(status_line(status, {{WatchState::up, 2}, {WatchState::down, 1}},
                          {{JobState::running, 1}, {JobState::waiting, 1}, {JobState::failed, 9}}),
              "1 event, 3 watches (1 down), 2 unfinished jobs; degraded: store-full, jobs-helper");
    status.degraded.clear();
    EXPECT_EQ(status_line(status, {}, {}), "1 event, 0 watches, 0 unfinished jobs");
}

} // namespace
} // namespace tocsin::daemon
