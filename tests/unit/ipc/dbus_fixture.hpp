// SPDX-License-Identifier: Apache-2.0
// The D-Bus face on a private bus: the service runs on a thread of its own as it does on the daemon's io thread, over
// fakes.
#pragma once

#include "dbus_bus.hpp"
#include "dbus_fakes.hpp"
#include "ipc/dbus/service.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <thread>

namespace tocsin::ipc::dbus::testing {

class DbusTest : public ::testing::Test {
protected:
    // Runs on the io thread and waits.
    template <typename Use> auto on_io(Use use) {
        std::packaged_task<decltype(use())()> task(std::move(use));
        auto result = task.get_future();
        boost::asio::post(io, [&task] { task(); });
        return result.get();
    }
    DbusTest() {
        ::setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address().c_str(), 1);
        options.bus = BusKind::system;
        options.access.owner_uid = ::geteuid();
    }
    ~DbusTest() override {
        if (thread.joinable()) {
            on_io([this] { service.reset(); });
            guard.reset();
            io.stop();
            thread.join();
        }
    }
    Services services() { return {intake, reader, feed, heartbeats, jobs, manager, statistics, pictures}; }
    void start() {
        thread = std::thread([this] { io.run(); });
        on_io([this] {
            service.emplace(io, services(), clock, options);
            service->on_lost([this](std::string reason) { lost.set_value(std::move(reason)); });
        });
        const auto started = on_io([this] { return service->start(); });
        ASSERT_TRUE(started) << started.error().detail();
        const auto named = on_io([this] { return service->request_name(); });
        ASSERT_TRUE(named) << named.error().detail();
    }
    Client& client() {
        if (!client_) {
            client_.emplace(bus.address());
        }
        return *client_;
    }

    PrivateBus bus{};
    boost::asio::io_context io{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{io.get_executor()};
    FakeIntake intake{};
    FakeReader reader{};
    FakeStatistics statistics{};
    FakePictures pictures{};
    FakeFeed feed{};
    FakeHeartbeats heartbeats{};
    FakeJobs jobs{};
    FakeManager manager{};
    FakeClock clock{};
    Options options{};
    std::optional<Service> service{};
    std::promise<std::string> lost{};
    std::thread thread{};

private:
    std::optional<Client> client_{};
};

inline Event event_of(std::uint64_t index, std::string event_name, std::string payload = "") {
    Event event;
    event.unique_index = index;
    event.event_name = std::move(event_name);
    event.event_src = "test";
    event.event_time_us = 1'767'322'804'000'000 + static_cast<std::int64_t>(index);
    event.received_time_us = event.event_time_us;
    event.payload = std::move(payload);
    return event;
}

} // namespace tocsin::ipc::dbus::testing
