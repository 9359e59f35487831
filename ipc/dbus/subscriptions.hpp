// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: who wants to hear of new events. Each subscriber gets a signal Added of its own per commit,
// bounded in number and bytes a second, because the bus queues without limit for a reader that sleeps; what is beyond
// is counted and one Missed(first, last) follows when the second is over.
#pragma once

#include "core/filter.hpp"
#include "core/ports.hpp"
#include "ipc/dbus/connection.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace tocsin::ipc::dbus {

class Subscriptions : public std::enable_shared_from_this<Subscriptions> {
public:
    explicit Subscriptions(Connection& connection) : connection_(connection), timer_(connection.io()) {}
    Subscriptions(const Subscriptions&) = delete;
    Subscriptions& operator=(const Subscriptions&) = delete;

    // Replaces the connection's earlier one. limit_exceeded when there are too many, of all or of this user.
    Result<void> add(const std::string& name, std::uint32_t uid, Filter filter);
    void remove(const std::string& name);
    void tell(const CommitNotice& notice);
    void stop();
    std::size_t size() const { return subscribers_.size(); }

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Subscriber {
        std::uint32_t uid = 0;
        Filter filter{};
        Time window{};           // when the running second began
        std::size_t signals = 0; // in it
        std::size_t bytes = 0;
        std::uint64_t missed_first = 0; // 0: nothing missed
        std::uint64_t missed_last = 0;
    };

    static void renew(Subscriber& subscriber, Time now);
    void tell(const std::string& name, Subscriber& subscriber, const std::vector<Event>& events, Time now);
    bool send_added(const std::string& name, const std::vector<const Event*>& events, std::size_t bytes);
    void send_missed(const std::string& name, Subscriber& subscriber);
    void arm();
    void second_over();

    Connection& connection_;
    boost::asio::steady_timer timer_;
    bool armed_ = false;
    std::map<std::string, Subscriber> subscribers_{};
};

} // namespace tocsin::ipc::dbus
