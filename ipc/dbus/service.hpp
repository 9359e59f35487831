// SPDX-License-Identifier: Apache-2.0
// The D-Bus face: sd-bus on the io_context. Objects and handlers are registered first; the name is requested last.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "ipc/authority.hpp"

#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace tocsin::ipc::dbus {

enum class BusKind : std::uint8_t { system, user };

struct Options {
    BusKind bus = BusKind::system;
    AccessPolicy access{};
    std::uint64_t polkit_us_max = 0; // how long polkit may take to answer; 0: as long as is usual
};

class Service {
public:
    Service(boost::asio::io_context& io, Services services, const Clock& clock, Options options);
    ~Service();
    // Connects and registers; nothing is visible to others yet. unavailable when there is no bus.
    Result<void> start();
    // Requests org.tocsin.EventManager1 with flags 0. conflict when somebody owns it.
    Result<void> request_name();
    // Called once, on the io thread, when the connection or the name is lost: the daemon must end.
    void on_lost(std::function<void(std::string reason)> handler);
    // Sends what is queued and closes.
    void stop();
    // Who decides about guarded acts, for other faces too: polkit on the system bus, nobody elsewhere.
    Authority& authority();
    // Proof for the watchdog: the loop has processed the bus since the last call, or the bus was idle and is readable.
    bool alive();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace tocsin::ipc::dbus
