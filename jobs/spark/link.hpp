// SPDX-License-Identifier: Apache-2.0
// The helper's end of the socket to the daemon. What is sent waits in a queue while the daemon does not read; the queue
// is bounded by what one job may say: its kept output, a report line, one product and a handful of small messages.
#pragma once

#include "core/fd.hpp"
#include "jobs/protocol.hpp"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::jobs::spark {

struct Incoming {
    protocol::Message message;
    std::vector<Fd> descriptors{};
};

class Link {
public:
    explicit Link(Fd socket) : socket_(std::move(socket)) {}

    int fd() const { return socket_.get(); }
    bool closed() const { return closed_; }
    bool has_unsent() const { return !queue_.empty() && !closed_; }
    // The next message; nullopt when there is none now. What is not of the protocol closes the link; to a daemon of
    // another version it first says so.
    std::optional<Incoming> receive();
    void send(const protocol::Message& message) { send(message, Fd()); }
    void send(const protocol::Message& message, Fd descriptor);
    void flush();

private:
    struct Outgoing {
        std::string bytes{};
        Fd descriptor{};
    };
    Fd socket_;
    std::deque<Outgoing> queue_{};
    bool closed_ = false;
};

} // namespace tocsin::jobs::spark
