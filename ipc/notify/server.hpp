// SPDX-License-Identifier: Apache-2.0
// The sd_notify face: services whose NOTIFY_SOCKET points here beat with WATCHDOG=1 under the name of their systemd
// unit. Who may send is the socket's mode; nobody is answered, so everything that is not taken is counted, and told
// once of its kind.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "ipc/access.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace tocsin::ipc::notify {

struct Options {
    std::filesystem::path socket{};     // bound here, unless:
    int fd = -1;                        // a datagram socket handed over by systemd
    AccessPolicy access{};              // a group also sets mode 0660 and the group of the socket
    std::filesystem::path cgroups{};    // cgroup_root() where it is empty
    std::int64_t check_us = 30'000'000; // how often the socket's file is looked for
};

// Datagrams since the start, each in one of these.
struct Counts {
    std::uint64_t taken = 0;        // beats, texts, ends
    std::uint64_t barriers = 0;     // BARRIER=1
    std::uint64_t ignored = 0;      // nothing in it is about a watch
    std::uint64_t malformed = 0;    // not of the protocol, or without one value that could be taken
    std::uint64_t unidentified = 0; // nobody can say whose it is
    std::uint64_t refused = 0;      // the watches do not take it
    std::uint64_t dropped = 0;      // too many wait to be stored
};

class Server {
public:
    Server(boost::asio::io_context& io, Heartbeats& heartbeats, const Clock& clock, Options options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Binds. conflict when another daemon answers on that path; a stale socket is replaced.
    Result<void> start();
    // Takes nothing more and removes the socket; what was taken goes its way.
    void stop();

    // Something was not taken: told for the first datagram of each kind.
    void on_trouble(std::function<void(const std::string&)> handler);
    // The face cannot be reached (why), or can again ("").
    void on_health(std::function<void(const std::string&)> handler);
    // A datagram was one too many of this sender's; his unit is not always looked up for that.
    void on_dropped(std::function<void(const tocsin::Sender&)> handler);
    Counts counts() const;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

} // namespace tocsin::ipc::notify
