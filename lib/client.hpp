// SPDX-License-Identifier: Apache-2.0
// The calls of one client, behind the C type tocsin_client: a queue, a few connections, one descriptor (epoll) that
// tells when something is to be done, and a timer in it for deadlines and new tries. A call leaves by its answer or its
// deadline; a connection that breaks under it sends it back to the queue.
#pragma once

#include "lib/connection.hpp"
#include "lib/request.hpp"

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace tocsin::lib {

using Steady = std::chrono::steady_clock;

struct Call {
    Request request{};
    Steady::time_point deadline{};
    Steady::time_point not_before{}; // the daemon asked to wait
    tocsin_done done = nullptr;
    void* user = nullptr;
    bool unsure = false;     // was sent, in part at least, and not answered
    tocsin_result last{};    // why it was not done yet, where something said so
    tocsin_result outcome{}; // once it has ended
};
using CallPtr = std::unique_ptr<Call>;

struct Asked {
    int timeout_ms = 0;
    tocsin_done done = nullptr;
    void* user = nullptr;
};

// Which socket: the one that is given, TOCSIN_SOCKET, a session's own daemon where it runs (not for root), the
// system's.
std::string choose_socket(const char* given);

} // namespace tocsin::lib

struct tocsin_client {
public:
    explicit tocsin_client(std::string path) : path_(std::move(path)) {}
    tocsin_client(const tocsin_client&) = delete;
    tocsin_client& operator=(const tocsin_client&) = delete;
    int open(); // TOCSIN_OK or an error, once

    // Ready for a call: this process, and where it waits not in a callback.
    int check(bool waits);
    // Starts a call, or remembers in last() why not.
    int start(tocsin::lib::Made made, const tocsin::lib::Asked& asked);
    // Starts a call and processes till it has ended.
    int run(tocsin::lib::Made made, int timeout_ms);
    int process();
    int wait(int timeout_ms);
    void cancel_all();

    int fd() const { return epoll_.get(); }
    std::size_t in_flight() const { return in_flight_; }
    bool forked() const;
    bool in_callback() const { return depth_ > 0; }
    void close_later() { closing_ = true; }
    bool closing() const { return closing_; }
    const tocsin_result& last() const { return last_; }
    int remember(tocsin_result result);

private:
    using Steady = tocsin::lib::Steady;
    using Call = tocsin::lib::Call;
    using CallPtr = tocsin::lib::CallPtr;
    static constexpr std::size_t connections = 4; // so that calls share commits; the daemon has 64 for each user

    struct Lane {
        tocsin::lib::Connection connection{};
        CallPtr call{};
    };

    void advance();
    void expire(Steady::time_point now);
    void finish_late(CallPtr call);
    void pump(Lane& lane, Steady::time_point now);
    void begin(Lane& lane, CallPtr call, Steady::time_point now);
    void follow(Lane& lane, tocsin::lib::Connection::State state, Steady::time_point now);
    void dispatch(Steady::time_point now);
    bool connect(Lane& lane, Call& call, Steady::time_point now);
    void take(CallPtr call, tocsin::lib::Answer answer, Steady::time_point now);
    void back_off(Steady::time_point now);
    void finish(CallPtr call, tocsin_result outcome);
    void set_timer();
    int deliver();
    void forget(const void* user); // whose callback is not to be called any more
    std::deque<CallPtr>::iterator next_due(Steady::time_point now);

    std::string path_;
    tocsin::lib::Descriptor epoll_{};
    tocsin::lib::Descriptor timer_{};
    pid_t owner_ = 0;
    std::array<Lane, connections> lanes_{};
    std::deque<CallPtr> queue_{};    // in the order they were started
    std::deque<CallPtr> finished_{}; // whose callbacks are to be called
    std::size_t in_flight_ = 0;
    std::size_t bytes_ = 0; // of requests in flight
    Steady::time_point connect_after_{};
    unsigned failures_ = 0; // of connecting and of connections, since the last answer
    unsigned depth_ = 0;    // of callbacks
    bool closing_ = false;
    tocsin_result last_{};
};
