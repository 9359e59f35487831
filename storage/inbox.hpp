// SPDX-License-Identifier: Apache-2.0
// What waits for the writer: bounded by events and bytes, clients and readers' effects each with bounds of their own,
// so that neither can shut the other out. Effects go first, but nothing overtakes an operation that changes rows: the
// newest row wins. An effect with patience causes no commit of its own while it may go along with another.
#pragma once

#include "core/ports.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::storage {

// All or nothing.
struct Op {
    bool effect = false; // of a reader, not of a client
    std::vector<Event> events{};
    std::vector<TableChange> rows{};
    std::string cursor_name{};
    std::uint64_t cursor = 0;
    std::int64_t patience_us = 0; // of an effect
    Done<Receipt> done{};
    std::size_t bytes = 0; // set by push()

    // What it counts against the bounds.
    std::size_t weight() const { return std::max<std::size_t>(1, events.size() + rows.size()); }
};

class Inbox {
public:
    // The reason why it is refused; the operation is the caller's still.
    std::optional<Error> push(Op& op);
    void ping(std::move_only_function<void()> answer);
    // Makes take() return once more, with what there is.
    void nudge();
    void close(); // nothing more comes in; what is there is still taken

    struct Work {
        std::vector<Op> ops{};
        std::vector<std::move_only_function<void()>> pings{};
    };
    // Waits for work, at most `patience` where given; nullopt when closed and empty.
    std::optional<Work> take(std::optional<std::chrono::milliseconds> patience);

    std::uint64_t queued_events() const; // rows too

private:
    struct Load {
        std::size_t weight = 0;
        std::size_t bytes = 0;
    };
    using Instant = std::chrono::steady_clock::time_point;
    bool ready() const;
    void wait(std::optional<Instant> patience_ends, std::unique_lock<std::mutex>& lock);
    void move_some(std::list<Op>& from, Work& work, Load& taken);

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::list<Op> first_{}; // effects, and whatever must not be overtaken by one
    std::list<Op> plain_{}; // events of clients, nothing else
    std::vector<std::move_only_function<void()>> pings_{};
    Instant first_due_ = Instant::max(); // then the patience of what is in first_ ends
    Load clients_{};
    Load effects_{};
    bool nudged_ = false;
    bool closed_ = false;
};

} // namespace tocsin::storage
