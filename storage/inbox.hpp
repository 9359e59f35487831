// SPDX-License-Identifier: Apache-2.0
// What waits for the writer: bounded by events and bytes, each client and readers' effects with bounds of their own, so
// that none can shut another out. Effects go first, then clients in the order of their lanes. Of a row the newest state
// is written, however late what carries an older one has its turn. An effect with patience causes no commit of its own
// while it may go along with another.
#pragma once

#include "storage/lanes.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::storage {

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
    // What was taken last is written, or refused.
    void served();

    std::uint64_t queued_events() const; // rows too
    Pressure pressure() const;
    std::size_t rows_watched() const; // of which an older state waits

private:
    using Instant = Lanes::Instant;
    // A row that clients' operations in their lanes change.
    struct Waiting {
        std::size_t operations = 0;
        std::uint64_t newest = 0; // of those that were taken meanwhile; 0: none
        std::optional<std::string> value{};
    };
    std::optional<Error> refusal(const Op& op) const;
    bool ready() const;
    void wait(std::optional<Instant> patience_ends, std::unique_lock<std::mutex>& lock);
    void take_effects(Work& work, Load& taken);
    void note_rows(Op& op);
    void renew_rows(Op& op);

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::list<Op> effects_{};
    Lanes clients_{};
    std::vector<std::move_only_function<void()>> pings_{};
    Instant effects_due_ = Instant::max(); // then their patience ends
    Load effects_load_{};
    std::map<std::string, Waiting> rows_{}; // by table and key
    std::uint64_t sequence_ = 0;
    Instant taken_at_{}; // of the writer's thread alone
    bool taken_ = false;
    bool nudged_ = false;
    bool closed_ = false;
};

} // namespace tocsin::storage
