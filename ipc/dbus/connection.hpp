// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: sd-bus on the io_context. Waits for exactly what sd_bus_get_events() and sd_bus_get_timeout()
// ask, one wait per direction, and looks again after every send. Losing the bus is told once. Everything on the io
// thread.
#pragma once

#include "core/error.hpp"
#include "ipc/dbus/handle.hpp"
#include "ipc/dbus/service.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tocsin::ipc::dbus {

class Connection : public std::enable_shared_from_this<Connection> {
public:
    explicit Connection(boost::asio::io_context& io);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Connects and says hello, within a bound. Nothing is processed on the loop before arm().
    Result<void> open(BusKind kind, std::uint64_t hello_us_max = 10'000'000);
    void arm() { rearm(); }
    // Flags 0: conflict when somebody owns it. Losing it later is losing the bus.
    Result<void> request_name(const char* name);
    void on_lost(std::function<void(std::string)> handler) { on_lost_ = std::move(handler); }
    // The connection or the name is gone: tells it once, by posting.
    void lose(std::string reason);

    sd_bus* bus() const { return bus_.get(); }
    boost::asio::io_context& io() const { return io_; }
    // `bytes` is a generous measure of a large message; refused with limit_exceeded while the bus does not read enough.
    Result<void> send(sd_bus_message* message, std::size_t bytes = 0);
    // To be called after every send or call made outside of send().
    void rearm();
    // True while messages come or go; on an idle bus each second call asks the bus for a sign of life that the next one
    // expects.
    bool alive();
    // Sends what is queued, within a bound, and closes.
    void close();

private:
    void wait_readable();
    void wait_writable();
    void wait_until(std::uint64_t monotonic_us);
    void schedule();
    void process();
    void ask_for_life();
    Result<void> watch_name(const char* name);
    static int on_name_lost(sd_bus_message* message, void* userdata, sd_bus_error* error);
    static int on_life(sd_bus_message* message, void* userdata, sd_bus_error* error);

    boost::asio::io_context& io_;
    boost::asio::posix::stream_descriptor descriptor_;
    boost::asio::steady_timer timer_;
    Bus bus_{};
    Slot name_slot_{};
    std::function<void(std::string)> on_lost_{};
    std::uint64_t timer_at_us_;
    std::uint64_t processed_ = 0; // messages, ever
    std::uint64_t processed_seen_ = 0;
    std::size_t queued_bytes_ = 0; // at most this is waiting to be sent
    bool readable_armed_ = false;
    bool writable_armed_ = false;
    bool scheduled_ = false;
    bool processing_ = false;
    bool asked_ = false;
    bool lost_ = false;
};

} // namespace tocsin::ipc::dbus
