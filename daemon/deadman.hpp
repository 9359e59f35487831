// SPDX-License-Identifier: Apache-2.0
// The dead man's switch: beats at somebody else's URL, so that they notice when this daemon, or its machine, is gone.
// A beat is sent only with proof: at each interval the writer and the readers are asked for a sign of life through the
// loop, and only when all have answered does it go out. Who does not answer is silence there, which is the message.
#pragma once

#include "daemon/liveness.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace tocsin::daemon {

struct DeadmanSettings {
    std::string url{}; // empty: no beats
    std::int64_t interval_us = 0;
    friend bool operator==(const DeadmanSettings&, const DeadmanSettings&) = default;
};

// One request at a time, off the loop.
class Ping {
public:
    virtual ~Ping() = default;
    // Asks for the URL; `done` gets what went wrong, or "" after an answer of the kind 2xx. On the io thread.
    virtual void send(const std::string& url, std::int64_t timeout_us,
                      std::function<void(const std::string&)> done) = 0;
};

struct DeadmanHooks {
    std::function<void(const std::string&)> log{};     // a change that somebody should look at
    std::function<void(const std::string&)> problem{}; // why it counts as not working; "": it works
};

class Deadman {
public:
    static constexpr unsigned failures_degraded = 3; // in a row

    Deadman(boost::asio::io_context& io, Ping& ping, DeadmanHooks hooks);
    ~Deadman();
    Deadman(const Deadman&) = delete;
    Deadman& operator=(const Deadman&) = delete;

    void add_proof(std::string name, Liveness::Ask ask);
    void add_check(std::string name, std::function<bool()> alive);

    // Starts, changes or ends the beats; the first one comes at once.
    void reconfigure(DeadmanSettings settings);
    void stop();
    // What the timer does at each interval.
    void tick();

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// Whether a reader of the log gets on: it stands still when there was something to read all the time since the last
// look and it has not moved.
class ReaderProgress {
public:
    bool moves(std::uint64_t lag, std::uint64_t position);

private:
    bool waiting_ = false; // there was something to read
    std::uint64_t position_ = 0;
};

} // namespace tocsin::daemon
