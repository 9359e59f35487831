// SPDX-License-Identifier: Apache-2.0
#include "dbus_fixture.hpp"

#include "ipc/dbus/method.hpp"

#include <grp.h>
#include <sys/syscall.h>

#include <type_traits>

namespace tocsin::ipc::dbus::testing {
namespace {

constexpr std::uint32_t stranger = 65534;
constexpr std::uint32_t group = 4711;

// A row that does not say what it does does not compile.
static_assert(std::is_constructible_v<Method, const char*, Action, Arguments, Arguments, Handler>);
static_assert(!std::is_constructible_v<Method, const char*, Arguments, Arguments, Handler>);
static_assert(!std::is_default_constructible_v<Method>);

// Credentials belong to threads: this one becomes somebody else, as the kernel sees it when it connects.
template <typename Use> void as_user(std::uint32_t uid, std::vector<gid_t> groups, Use use) {
    std::thread other([uid, &groups, &use] {
        ASSERT_EQ(::syscall(SYS_setgroups, groups.size(), groups.data()), 0);
        ASSERT_EQ(::syscall(SYS_setresgid, uid, uid, uid), 0);
        ASSERT_EQ(::syscall(SYS_setresuid, uid, uid, uid), 0);
        use();
    });
    other.join();
}

class AccessTest : public DbusTest {
protected:
    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "only root can be somebody else";
        }
        options.access = {0, group};
        reader.log = {event_of(1, "a")};
        heartbeats.watches[{"a", 0}] = Watch{.key = {"a", 0}};
        jobs.jobs[1] = Job{.id = 1};
    }
};

TEST_F(AccessTest, StrangersAreRefusedEverywhere) {
    start();
    as_user(stranger, {stranger}, [this] {
        Client other(bus.address());
        const std::vector<Answer> answers = [&other] {
            std::vector<Answer> all;
            all.push_back(other.call("Events", "Submit", "a{sv}", 0));
            all.push_back(other.call("Events", "Query", "a{sv}us", 0, 0, ""));
            all.push_back(other.call("Events", "Subscribe", "a{sv}", 0));
            all.push_back(other.call("Heartbeats", "List", "a{sv}us", 0, 0, ""));
            all.push_back(other.call("Heartbeats", "Beat", "sa{sv}", "a", 0));
            all.push_back(other.call("Jobs", "Run", "ts", std::uint64_t{1}, "x"));
            all.push_back(other.call("Manager", "Reload", ""));
            all.push_back(other.call("Statistics", "Histogram", "ss", "a", "20260101"));
            all.push_back(other.call_at("/org/tocsin/EventManager1/heartbeat/a/_30", "Heartbeat", "Pause", ""));
            all.push_back(other.get(root, "Manager", "Version"));
            all.push_back(other.get("/org/tocsin/EventManager1/job/_31", "Job", "Script"));
            return all;
        }();
        for (const Answer& answer : answers) {
            EXPECT_EQ(answer.error, "NotAuthorized") << answer.text();
            EXPECT_NE(answer.message.find("uid 65534"), std::string::npos) << answer.message;
        }
    });
    EXPECT_TRUE(intake.submitted.empty());
    EXPECT_EQ(on_io([this] { return manager.reloads; }), 0u);
    EXPECT_EQ(on_io([this] { return manager.rejected; }), (std::vector{Code::not_authorized, Code::not_authorized}));
}

TEST_F(AccessTest, MembersReadAndSubmitButDoNotControl) {
    start();
    as_user(stranger, {group}, [this] {
        Client member(bus.address());
        EXPECT_EQ(member.call("Events", "Submit", "a{sv}", 2, "event_name", "s", "a", "event_src", "s", "b").text(),
                  "t17");
        EXPECT_EQ(member.call("Events", "Count", "a{sv}", 0).text(), "t1");
        EXPECT_EQ(member.get(root, "Manager", "Hostname").text(), "s\"host1\"");
        EXPECT_TRUE(member.call("Heartbeats", "Beat", "sa{sv}", "a", 0).ok());
        EXPECT_EQ(member.call("Manager", "Reload", "").error, "NotAuthorized");
        EXPECT_EQ(member.call("Jobs", "SetReport", "txs", std::uint64_t{1}, std::int64_t{1}, "").error,
                  "NotAuthorized");
        EXPECT_EQ(member.call_at("/org/tocsin/EventManager1/job/_31", "Job", "Cancel", "").error, "NotAuthorized");
        EXPECT_TRUE(member.call_at("/org/tocsin/EventManager1/job/_31", "Job", "Output", "").ok());
    });
    ASSERT_EQ(intake.submitted.size(), 1u);
    EXPECT_EQ(intake.submitted[0].origin.uid, stranger);
}

TEST_F(AccessTest, TheOwnerControls) {
    options.access = {stranger, std::nullopt};
    start();
    as_user(stranger, {}, [this] {
        Client owner(bus.address());
        EXPECT_TRUE(owner.call("Manager", "Reload", "").ok());
    });
    as_user(1, {group}, [this] {
        Client other(bus.address());
        EXPECT_EQ(other.call("Events", "Count", "a{sv}", 0).error, "NotAuthorized");
    });
}

TEST_F(AccessTest, ARefusalIsNotForgottenAndCostsOneQuestion) {
    start();
    as_user(stranger, {stranger}, [this] {
        Client other(bus.address());
        for (int i = 0; i < 50; ++i) {
            EXPECT_EQ(other.call("Events", "Count", "a{sv}", 0).error, "NotAuthorized");
        }
    });
    // Whoever comes next is asked for himself.
    EXPECT_EQ(client().call("Events", "Count", "a{sv}", 0).text(), "t1");
}

TEST_F(AccessTest, CallsThatComeBeforeTheBusAnsweredKeepTheirOrder) {
    start();
    Client other(bus.address());
    for (int i = 0; i < 200; ++i) {
        const MessagePtr call = other.message(root, "Events", "Submit");
        sd_bus_message_append(call.get(), "a{sv}", 3, "event_name", "s", "a", "event_src", "s", "b", "scid", "i", i);
        ASSERT_GE(sd_bus_send(other.bus(), call.get(), nullptr), 0);
    }
    EXPECT_TRUE(other.call("Events", "Count", "a{sv}", 0).ok());
    ASSERT_EQ(intake.submitted.size(), 200u);
    for (std::size_t i = 0; i < 200; ++i) {
        EXPECT_EQ(intake.submitted[i].scid, static_cast<std::int64_t>(i));
    }
}

TEST_F(AccessTest, CallersThatLeaveDisturbNobody) {
    start();
    on_io([this] { intake.hold = true; });
    for (int i = 0; i < 20; ++i) {
        Client other(bus.address());
        const MessagePtr call = other.message(root, "Events", "Submit");
        sd_bus_message_append(call.get(), "a{sv}", 2, "event_name", "s", "a", "event_src", "s", "b");
        ASSERT_GE(sd_bus_send(other.bus(), call.get(), nullptr), 0);
    }
    EXPECT_TRUE(client().call("Events", "Count", "a{sv}", 0).ok());
    on_io([this] {
        for (auto& [done, receipt] : intake.held) {
            done(std::move(receipt));
        }
        intake.held.clear();
    });
    EXPECT_TRUE(client().call("Events", "Count", "a{sv}", 0).ok());
}

TEST_F(AccessTest, NoReplyIsSentToWhoWantsNone) {
    start();
    const MessagePtr call = client().message(root, "Events", "Submit");
    sd_bus_message_append(call.get(), "a{sv}", 2, "event_name", "s", "a", "event_src", "s", "b");
    sd_bus_message_set_expect_reply(call.get(), 0);
    ASSERT_GE(sd_bus_send(client().bus(), call.get(), nullptr), 0);
    EXPECT_TRUE(client().call("Events", "Count", "a{sv}", 0).ok()); // after it
    EXPECT_EQ(intake.submitted.size(), 1u);
    const MessagePtr bad = client().message(root, "Events", "Submit");
    sd_bus_message_append(bad.get(), "a{sv}", 0);
    sd_bus_message_set_expect_reply(bad.get(), 0);
    ASSERT_GE(sd_bus_send(client().bus(), bad.get(), nullptr), 0);
    EXPECT_TRUE(client().call("Events", "Count", "a{sv}", 0).ok());
    EXPECT_EQ(on_io([this] { return manager.rejected.size(); }), 1u); // counted all the same
}

} // namespace
} // namespace tocsin::ipc::dbus::testing
