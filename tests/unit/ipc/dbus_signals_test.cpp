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
    // A machine that is too busy to commit so many within a second would see no bound at work: then more are needed.
    std::uint64_t last = 0;
    bool quick = false;
    while (!quick) {
        const auto begin = std::chrono::steady_clock::now();
        on_io([this, &last] {
            for (int i = 0; i < 150; ++i, ++last) {
                commit(feed, last + 1, last + 1, "a");
            }
        });
        quick = std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(900);
    }
    std::uint64_t told = 0;
    std::uint64_t missed = 0;
    while (told + missed < last) {
        const MessagePtr signal = client().signal("");
        ASSERT_TRUE(signal) << told << " told, " << missed << " missed of " << last;
        const std::uint64_t next = told + missed + 1;
        if (sd_bus_message_is_signal(signal.get(), nullptr, "Missed") > 0) {
            std::uint64_t from = 0;
            std::uint64_t to = 0;
            ASSERT_GE(sd_bus_message_read(signal.get(), "tt", &from, &to), 0);
            ASSERT_EQ(from, next); // where it stopped
            missed += to - from + 1;
        } else {
            const std::string text = text_of(signal);
            ASSERT_NE(text.find("unique_index:t" + std::to_string(next) + " "), std::string::npos) << text;
            ++told;
        }
    }
    EXPECT_GE(told, 100u);
    EXPECT_GE(missed, 1u);
    on_io([this, last] { commit(feed, last + 1, last + 1, "a"); });
    EXPECT_NE(text_of(client().signal("Added")).find("unique_index:t" + std::to_string(last + 1) + " "),
              std::string::npos);
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
    const Answer refused = client().call("Events", "Subscribe", "a{sv}", 0);
    EXPECT_EQ(refused.error, "LimitExceeded");
    EXPECT_NE(refused.message.find("try again in 10 s"), std::string::npos) << refused.message;
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
    heartbeats.watches[key] = Watch{.key = key, .interval_us = 60'000'000, .state = WatchState::up};
    start();
    client().match("type='signal',interface='org.freedesktop.DBus.Properties'");
    ASSERT_TRUE(client().call("Heartbeats", "Beat", "sa{sv}", "a", 1, "interval_usec", "u", 60'000'000).ok());
    EXPECT_FALSE(client().signal("PropertiesChanged", soon_us));
}

} // namespace
} // namespace tocsin::ipc::dbus::testing
