// SPDX-License-Identifier: Apache-2.0
#include "dbus_fixture.hpp"

namespace tocsin::ipc::dbus::testing {
namespace {

using LifecycleTest = DbusTest;

constexpr std::chrono::seconds patience(20);

std::string reason(std::promise<std::string>& lost) {
    auto told = lost.get_future();
    return told.wait_for(patience) == std::future_status::ready ? told.get() : "never told";
}

TEST_F(LifecycleTest, WithoutABusStartIsUnavailable) {
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus", 1);
    service.emplace(io, services(), clock, options);
    const auto started = service->start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Code::unavailable);
    EXPECT_NE(started.error().detail().find("system bus"), std::string::npos) << started.error().detail();
    EXPECT_EQ(service->request_name().error().code, Code::unavailable);
    EXPECT_FALSE(service->alive());
}

TEST_F(LifecycleTest, TheUserBusIsTheSessionBus) {
    ::setenv("DBUS_SESSION_BUS_ADDRESS", bus.address().c_str(), 1);
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus", 1);
    options.bus = BusKind::user;
    start();
    EXPECT_TRUE(client().call("Events", "Count", "a{sv}", 0).ok());
}

TEST_F(LifecycleTest, NobodyIsAnsweredUnderTheNameBeforeItIsRequested) {
    service.emplace(io, services(), clock, options);
    ASSERT_TRUE(service->start());
    EXPECT_EQ(client().call("Events", "Count", "a{sv}", 0).error, "org.freedesktop.DBus.Error.ServiceUnknown");
}

TEST_F(LifecycleTest, ASecondDaemonIsAConflict) {
    start();
    Service second(io, services(), clock, options);
    ASSERT_TRUE(on_io([&second] { return second.start(); }));
    const auto named = on_io([&second] { return second.request_name(); });
    ASSERT_FALSE(named);
    EXPECT_EQ(named.error().code, Code::conflict);
    on_io([&second] { second.stop(); });
    // The first one goes on, and following is its own matter.
    EXPECT_TRUE(client().call("Events", "Count", "a{sv}", 0).ok());
}

TEST_F(LifecycleTest, LosingTheBusIsToldOnce) {
    start();
    bus.stop();
    EXPECT_NE(reason(lost).find("lost"), std::string::npos);
    EXPECT_FALSE(on_io([this] { return service->alive(); })); // a second report would throw in the promise
}

TEST_F(LifecycleTest, AfterStopTheNameIsFree) {
    start();
    on_io([this] { service->stop(); });
    EXPECT_EQ(client().call("Events", "Count", "a{sv}", 0).error, "org.freedesktop.DBus.Error.ServiceUnknown");
    Service next(io, services(), clock, options);
    ASSERT_TRUE(on_io([&next] { return next.start(); }));
    EXPECT_TRUE(on_io([&next] { return next.request_name(); }));
    EXPECT_TRUE(client().call("Events", "Count", "a{sv}", 0).ok());
    on_io([&next] { next.stop(); });
}

TEST_F(LifecycleTest, ItIsAliveWhileTheBusAnswers) {
    start();
    for (int i = 0; i < 20; ++i) { // idle: proof is asked for and must have come by the next call
        EXPECT_TRUE(on_io([this] { return service->alive(); }));
        EXPECT_TRUE(client().call("Events", "Count", "a{sv}", 0).ok());
    }
    EXPECT_TRUE(on_io([this] { return service->alive(); }));
    EXPECT_TRUE(on_io([this] { return service->alive(); })); // idle now, asks
    // Another round trip through the same bus: the answer came before it.
    EXPECT_TRUE(client().call("Events", "Count", "a{sv}", 0).ok());
    EXPECT_TRUE(on_io([this] { return service->alive(); }));
}

TEST_F(LifecycleTest, ABusThatHangsIsNotAlive) {
    start();
    while (on_io([this] { return service->alive(); })) {
        bus.signal(SIGSTOP); // the question that is out is never answered
    }
    bus.signal(SIGCONT);
    EXPECT_TRUE(client().call("Events", "Count", "a{sv}", 0).ok());
    EXPECT_TRUE(on_io([this] { return service->alive(); }));
}

TEST_F(LifecycleTest, CallsThatAreDroppedAreAnswered) {
    start();
    on_io([this] { intake.hold = true; });
    const MessagePtr call = client().message(root, "Events", "Submit");
    sd_bus_message_append(call.get(), "a{sv}", 2, "event_name", "s", "a", "event_src", "s", "b");
    std::uint64_t cookie = 0;
    ASSERT_GE(sd_bus_send(client().bus(), call.get(), &cookie), 0);
    Client other(bus.address());
    while (on_io([this] { return intake.held.empty(); })) {
        ASSERT_TRUE(other.call("Events", "Count", "a{sv}", 0).ok());
    }
    on_io([this] { intake.held.clear(); });
    const auto end = std::chrono::steady_clock::now() + patience;
    std::string name_of_error;
    while (name_of_error.empty() && std::chrono::steady_clock::now() < end) {
        sd_bus_message* raw = nullptr;
        const int done = sd_bus_process(client().bus(), &raw);
        const MessagePtr got(raw);
        if (got && sd_bus_message_is_method_error(got.get(), nullptr) > 0) {
            name_of_error = sd_bus_message_get_error(got.get())->name;
        } else if (done == 0) {
            sd_bus_wait(client().bus(), patience_us);
        }
    }
    EXPECT_EQ(name_of_error, "org.tocsin.EventManager1.Error.Unavailable");
}

TEST_F(LifecycleTest, AnswersAfterTheEndAreHarmless) {
    start();
    on_io([this] { intake.hold = true; });
    const MessagePtr call = client().message(root, "Events", "Submit");
    sd_bus_message_append(call.get(), "a{sv}", 2, "event_name", "s", "a", "event_src", "s", "b");
    ASSERT_GE(sd_bus_send(client().bus(), call.get(), nullptr), 0);
    Client other(bus.address());
    while (on_io([this] { return intake.held.empty(); })) {
        ASSERT_TRUE(other.call("Events", "Count", "a{sv}", 0).ok());
    }
    on_io([this] {
        service.reset();
        for (auto& [done, receipt] : intake.held) {
            done(std::move(receipt));
        }
        intake.held.clear();
    });
    EXPECT_FALSE(on_io([this] { return feed.feed.followed(); }));
    EXPECT_TRUE(on_io([this] { return manager.rejected.empty(); }));
}

TEST_F(LifecycleTest, StopSendsWhatIsQueued) {
    reader.log = {event_of(1, "big", "{\"a\":\"" + std::string(60'000, 'x') + "\"}")};
    start();
    std::vector<std::uint64_t> cookies(50);
    for (std::uint64_t& cookie : cookies) {
        const MessagePtr call = client().message(root, "Events", "Get");
        sd_bus_message_append(call.get(), "t", std::uint64_t{1});
        ASSERT_GE(sd_bus_send(client().bus(), call.get(), &cookie), 0);
    }
    Client other(bus.address());
    ASSERT_TRUE(other.call("Events", "Count", "a{sv}", 0).ok()); // behind them
    on_io([this] { service->stop(); });
    std::size_t answers = 0;
    const auto end = std::chrono::steady_clock::now() + patience;
    while (answers < cookies.size() && std::chrono::steady_clock::now() < end) {
        sd_bus_message* raw = nullptr;
        const int done = sd_bus_process(client().bus(), &raw);
        const MessagePtr got(raw);
        std::uint64_t cookie = 0;
        answers += got && sd_bus_message_get_reply_cookie(got.get(), &cookie) >= 0 ? 1u : 0u;
        if (done == 0) {
            sd_bus_wait(client().bus(), patience_us);
        }
    }
    EXPECT_EQ(answers, cookies.size());
}

} // namespace
} // namespace tocsin::ipc::dbus::testing
