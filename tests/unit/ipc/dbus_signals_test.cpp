// SPDX-License-Identifier: Apache-2.0
#include "dbus_fixture.hpp"

#include "ipc/dbus/path.hpp"

namespace tocsin::ipc::dbus::testing {
namespace {

using SignalsTest = DbusTest;

constexpr std::uint64_t soon_us = 100'000; // long enough for what must not come

std::string text_of(const MessagePtr& message) {
    return message ? typed(message.get()) : "nothing came";
}

void commit(FakeFeed& feed, std::uint64_t first, std::uint64_t last, const std::string& name,
            const std::string& payload = "") {
    std::vector<Event> events;
    for (std::uint64_t i = first; i <= last; ++i) {
        events.push_back(event_of(i, name, payload));
    }
    feed.commit(std::move(events));
}

TEST_F(SignalsTest, SubscribersHearWhatTheirFilterMatches) {
    start();
    Client other(bus.address());
    ASSERT_TRUE(client().call("Events", "Subscribe", "a{sv}", 1, "event_name", "s", "door.*").ok());
    ASSERT_TRUE(other.call("Events", "Count", "a{sv}", 0).ok());
    on_io([this] {
        commit(feed, 1, 2, "window.open");
        std::vector<Event> mixed{event_of(3, "door.open"), event_of(4, "window.open"), event_of(5, "door.close")};
        feed.commit(std::move(mixed));
    });
    const MessagePtr added = client().signal("Added");
    ASSERT_TRUE(added);
    EXPECT_STREQ(sd_bus_message_get_destination(added.get()), client().unique().c_str());
    EXPECT_STREQ(sd_bus_message_get_path(added.get()), root);
    const std::string text = text_of(added);
    EXPECT_NE(text.find("unique_index:t3"), std::string::npos) << text;
    EXPECT_NE(text.find("unique_index:t5"), std::string::npos) << text;
    EXPECT_EQ(text.find("unique_index:t4"), std::string::npos) << text;
    EXPECT_FALSE(other.signal("Added", soon_us));
}

TEST_F(SignalsTest, SubscribingAgainReplacesAndUnsubscribingEnds) {
    start();
    ASSERT_TRUE(client().call("Events", "Subscribe", "a{sv}", 0).ok());
    ASSERT_TRUE(client().call("Events", "Subscribe", "a{sv}", 1, "event_name", "s", "b").ok());
    on_io([this] {
        commit(feed, 1, 1, "a");
        commit(feed, 2, 2, "b");
    });
    EXPECT_NE(text_of(client().signal("Added")).find("unique_index:t2"), std::string::npos);
    ASSERT_TRUE(client().call("Events", "Unsubscribe", "").ok());
    on_io([this] { commit(feed, 3, 3, "b"); });
    EXPECT_FALSE(client().signal("Added", soon_us));
}

TEST_F(SignalsTest, MoreThanAHundredASecondAreMissedAndTold) {
    start();
    ASSERT_TRUE(client().call("Events", "Subscribe", "a{sv}", 0).ok());
    on_io([this] {
        for (std::uint64_t i = 1; i <= 150; ++i) {
            commit(feed, i, i, "a");
        }
    });
    for (std::uint64_t i = 1; i <= 100; ++i) {
        EXPECT_NE(text_of(client().signal("Added")).find("unique_index:t" + std::to_string(i) + " "),
                  std::string::npos);
    }
    EXPECT_EQ(text_of(client().signal("Missed")), "t101 t150");
    on_io([this] { commit(feed, 151, 151, "a"); });
    EXPECT_NE(text_of(client().signal("Added")).find("unique_index:t151 "), std::string::npos);
}

TEST_F(SignalsTest, MoreThanAMegabyteASecondIsMissedAndTold) {
    start();
    ASSERT_TRUE(client().call("Events", "Subscribe", "a{sv}", 0).ok());
    const std::string payload = "{\"text\":\"" + std::string(60'000, 'x') + "\"}";
    on_io([this, &payload] { commit(feed, 1, 100, "a", payload); });
    const std::string added = text_of(client().signal("Added"));
    EXPECT_LT(added.size(), 1'200'000u);
    EXPECT_GT(added.size(), 900'000u);
    const std::string missed = text_of(client().signal("Missed"));
    const std::size_t kept = 1'048'576 / 60'000;
    EXPECT_EQ(missed, "t" + std::to_string(kept + 1) + " t100");
}

TEST_F(SignalsTest, SubscriptionsAreBoundedAndEndWithTheirConnection) {
    start();
    std::vector<std::unique_ptr<Client>> many;
    for (int i = 0; i < 64; ++i) {
        many.push_back(std::make_unique<Client>(bus.address()));
        ASSERT_TRUE(many.back()->call("Events", "Subscribe", "a{sv}", 0).ok());
    }
    EXPECT_EQ(client().call("Events", "Subscribe", "a{sv}", 0).error, "LimitExceeded");
    EXPECT_TRUE(many.front()->call("Events", "Subscribe", "a{sv}", 0).ok()); // its own one is replaced
    many.pop_back();
    // The bus tells the service of the one that left before it could deliver anything later.
    Answer answer = client().call("Events", "Subscribe", "a{sv}", 0);
    for (int i = 0; i < 1'000 && !answer.ok(); ++i) {
        answer = client().call("Events", "Subscribe", "a{sv}", 0);
    }
    EXPECT_TRUE(answer.ok()) << answer.text();
}

TEST_F(SignalsTest, AStateThatChangesIsTold) {
    start();
    client().match("type='signal',interface='org.freedesktop.DBus.Properties'");
    ASSERT_TRUE(client().call("Heartbeats", "Beat", "sa{sv}", "a", 1, "interval_usec", "u", 60'000'000).ok());
    const MessagePtr changed = client().signal("PropertiesChanged");
    ASSERT_TRUE(changed);
    EXPECT_EQ(sd_bus_message_get_path(changed.get()), heartbeat_path({"a", 0}));
    EXPECT_EQ(text_of(changed), "s\"org.tocsin.EventManager1.Heartbeat\" {State:s\"up\" Status:s\"\"} []");
    // A beat that changes nothing is not told.
    ASSERT_TRUE(client().call("Heartbeats", "Beat", "sa{sv}", "a", 1, "interval_usec", "u", 60'000'000).ok());
    EXPECT_FALSE(client().signal("PropertiesChanged", soon_us));
}

TEST_F(SignalsTest, OnlyTheNewestStateOfASecondIsTold) {
    jobs.jobs[1] = Job{.id = 1};
    start();
    client().match("type='signal',interface='org.freedesktop.DBus.Properties'");
    on_io([this] {
        for (const JobState state : {JobState::running, JobState::waiting, JobState::succeeded}) {
            Job job{.id = 1};
            job.state = state;
            jobs.changes.tell(job);
        }
    });
    EXPECT_EQ(text_of(client().signal("PropertiesChanged")),
              "s\"org.tocsin.EventManager1.Job\" {State:s\"running\"} []");
    EXPECT_EQ(text_of(client().signal("PropertiesChanged")),
              "s\"org.tocsin.EventManager1.Job\" {State:s\"succeeded\"} []");
    EXPECT_FALSE(client().signal("PropertiesChanged", soon_us));
}

TEST_F(SignalsTest, DegradationIsTold) {
    start();
    client().match("type='signal',interface='org.freedesktop.DBus.Properties'");
    on_io([this] { manager.degraded.tell({"disk-full", "clock"}); });
    EXPECT_EQ(text_of(client().signal("PropertiesChanged")),
              "s\"org.tocsin.EventManager1.Manager\" {Degraded:[s\"disk-full\" s\"clock\"]} []");
}

TEST_F(SignalsTest, WhatWasKnownAtTheStartIsNotTold) {
    const WatchKey key{"a", 0};
    heartbeats.watches[key] = Watch{.key = key, .state = WatchState::up, .interval_us = 60'000'000};
    start();
    client().match("type='signal',interface='org.freedesktop.DBus.Properties'");
    ASSERT_TRUE(client().call("Heartbeats", "Beat", "sa{sv}", "a", 1, "interval_usec", "u", 60'000'000).ok());
    EXPECT_FALSE(client().signal("PropertiesChanged", soon_us));
}

} // namespace
} // namespace tocsin::ipc::dbus::testing
