// SPDX-License-Identifier: Apache-2.0
#include "dbus_bus.hpp"
#include "ipc/dbus/connection.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>
#include <sys/un.h>

namespace tocsin::ipc::dbus::testing {
namespace {

// The loop is turned by hand, on the test's own thread.
class ConnectionTest : public ::testing::Test {
protected:
    ConnectionTest() {
        ::setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address().c_str(), 1);
        connection->on_lost([this](std::string why) { lost.push_back(std::move(why)); });
    }
    template <typename Until> bool turn(Until until) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
        while (!until() && std::chrono::steady_clock::now() < end) {
            io.restart();
            io.run_one_for(std::chrono::milliseconds(100));
        }
        return until();
    }
    void open() {
        ASSERT_TRUE(connection->open(BusKind::system));
        connection->arm();
    }

    PrivateBus bus{};
    boost::asio::io_context io{1};
    std::shared_ptr<Connection> connection = std::make_shared<Connection>(io);
    std::vector<std::string> lost{};
};

int count_call(sd_bus_message* /*message*/, void* userdata, sd_bus_error* /*error*/) {
    ++*static_cast<int*>(userdata);
    return 1;
}

TEST_F(ConnectionTest, LosingTheNameIsToldOnce) {
    open();
    ASSERT_TRUE(connection->request_name(name));
    ASSERT_GE(sd_bus_release_name_async(connection->bus(), nullptr, name, nullptr, nullptr), 0);
    connection->rearm();
    ASSERT_TRUE(turn([this] { return !lost.empty(); }));
    EXPECT_NE(lost[0].find("name"), std::string::npos);
    bus.stop();
    connection->lose("again");
    io.restart();
    io.poll();
    EXPECT_EQ(lost.size(), 1u);
    EXPECT_FALSE(connection->alive());
}

TEST_F(ConnectionTest, ATimeoutThatASendBroughtIsNoticed) {
    open();
    bus.signal(SIGSTOP); // nobody answers
    int answered = 0;
    sd_bus_message* raw = nullptr;
    ASSERT_GE(sd_bus_message_new_method_call(connection->bus(), &raw, driver_name, driver_path, driver_name, "GetId"),
              0);
    const Message question(raw);
    constexpr std::uint64_t timeout_us = 50'000;
    ASSERT_GE(sd_bus_call_async(connection->bus(), nullptr, question.get(), count_call, &answered, timeout_us), 0);
    connection->rearm();
    EXPECT_TRUE(turn([&answered] { return answered == 1; })); // by the time-out error
    EXPECT_TRUE(lost.empty());
    bus.signal(SIGCONT);
}

TEST_F(ConnectionTest, WhatASlowBusDoesNotTakeAtOnceIsSentWhenItDoes) {
    open();
    bus.signal(SIGSTOP);
    int answered = 0;
    constexpr int calls = 500;
    const std::string large(60'000, 'x'); // together far more than the socket holds
    for (int i = 0; i < calls; ++i) {
        ASSERT_GE(sd_bus_call_method_async(connection->bus(), nullptr, driver_name, driver_path, driver_name,
                                           "NameHasOwner", count_call, &answered, "s", large.c_str()),
                  0);
        connection->rearm();
    }
    std::uint64_t waiting = 0;
    ASSERT_GE(sd_bus_get_n_queued_write(connection->bus(), &waiting), 0);
    EXPECT_GT(waiting, 0u);
    bus.signal(SIGCONT);
    EXPECT_TRUE(turn([&answered] { return answered == calls; })) << answered;
}

TEST_F(ConnectionTest, LargeAnswersToABusThatDoesNotReadAreRefused) {
    open();
    bus.signal(SIGSTOP);
    constexpr std::size_t page = 7 * 1024 * 1024;
    const std::string text(page, 'x');
    bool refused = false;
    for (int i = 0; i < 60 && !refused; ++i) {
        sd_bus_message* raw = nullptr;
        ASSERT_GE(sd_bus_message_new_signal(connection->bus(), &raw, root, "a.b", "C"), 0);
        const Message signal(raw);
        const bool real = i < 4; // more than the socket holds; then memory is not what is tested
        ASSERT_GE(sd_bus_message_append(signal.get(), "s", real ? text.c_str() : ""), 0);
        const auto sent = connection->send(signal.get(), page);
        refused = !sent;
        if (refused) {
            EXPECT_EQ(sent.error().code, Code::limit_exceeded);
            EXPECT_TRUE(sent.error().retry_after_s);
        }
    }
    EXPECT_TRUE(refused);
    sd_bus_message* raw = nullptr;
    ASSERT_GE(sd_bus_message_new_signal(connection->bus(), &raw, root, "a.b", "C"), 0);
    const Message small(raw);
    EXPECT_TRUE(connection->send(small.get()));
    bus.signal(SIGCONT);
}

TEST_F(ConnectionTest, ManyMessagesAtOnceLeaveTheLoopItsTurns) {
    open();
    int answered = 0;
    constexpr int calls = 1'000;
    for (int i = 0; i < calls; ++i) {
        ASSERT_GE(sd_bus_call_method_async(connection->bus(), nullptr, driver_name, driver_path, driver_name, "GetId",
                                           count_call, &answered, ""),
                  0);
    }
    // What a blocking call reads meanwhile stays queued inside sd-bus, and no descriptor tells of it.
    ASSERT_TRUE(connection->request_name(name));
    int most = 0;
    int before = 0;
    EXPECT_TRUE(turn([&answered, &most, &before] {
        most = std::max(most, answered - std::exchange(before, answered));
        return answered == calls;
    }));
    EXPECT_LE(most, 64);
    EXPECT_GT(most, 0);
}

TEST_F(ConnectionTest, ABusThatDoesNotSayHelloIsGivenUp) {
    const std::string path = bus.address().substr(std::string_view("unix:path=").size()) + "-mute";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    const int mute = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(mute, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(mute, 4), 0);
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", ("unix:path=" + path).c_str(), 1);
    constexpr std::uint64_t short_us = 50'000;
    EXPECT_EQ(connection->open(BusKind::system, short_us).error().code, Code::unavailable);
    EXPECT_EQ(connection->bus(), nullptr);
    ::close(mute);
    ::unlink(path.c_str());
}

TEST_F(ConnectionTest, AfterCloseNothingHappens) {
    open();
    sd_bus_message* raw = nullptr;
    ASSERT_GE(sd_bus_message_new_signal(connection->bus(), &raw, root, "a.b", "C"), 0);
    const Message signal(raw);
    connection->close();
    connection->close();
    EXPECT_FALSE(connection->send(signal.get()));
    EXPECT_FALSE(connection->alive());
    connection->rearm();
    io.restart();
    io.poll();
    EXPECT_TRUE(lost.empty());
}

} // namespace
} // namespace tocsin::ipc::dbus::testing
