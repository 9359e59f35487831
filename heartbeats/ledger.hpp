// SPDX-License-Identifier: Apache-2.0
// What must become durable: for each changed watch its row as it is when the commit is made, the events of its
// transitions, and who waits for it. One commit at a time; whatever changes meanwhile joins the next one, so that many
// beats share a flush and a row and its events are never apart. A commit that fails answers its waiters with the error,
// but rows and events stay and are tried again with back-off until they are stored. Everything is bounded; instants are
// boot time in µs.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::heartbeats {

class Ledger : public std::enable_shared_from_this<Ledger> {
public:
    struct Hooks {
        std::function<std::optional<std::string>(const WatchKey&)>
            row;                       // nullopt: the watch is gone, its row is deleted
        std::function<void()> settled; // a commit ended, well or not
    };

    Ledger(StateStore& store, const Clock& clock, Hooks hooks)
        : store_(store), clock_(clock), hooks_(std::move(hooks)) {}

    void add(const WatchKey& key, std::vector<Event> events);
    // After add() of the same key: answered with `answer` when that is durable.
    void wait(const WatchKey& key, Watch answer, Done<Watch> done);
    // Starts a commit where there is something to store, none is under way and no back-off forbids it.
    void flush();
    // No further commit and no further call of a hook; those who wait for a later commit are told so.
    void stop();

    // Time should not go on while so much is unsaid.
    bool crowded() const { return events_pending_ >= events_crowded; }
    // A beat must be refused.
    bool full(const WatchKey& key) const;
    // When flush() is worth a call again; nullopt while a commit is under way or nothing is left.
    std::optional<std::int64_t> retry_boot_us() const;

private:
    static constexpr std::size_t commit_rows = 4'096;
    static constexpr std::size_t commit_events = 1'000;
    static constexpr std::size_t events_crowded = 4'000;
    static constexpr std::size_t events_pending_max = 40'000;
    static constexpr std::size_t events_per_key_max = 100;
    static constexpr std::size_t waiters_max = 65'536;
    static constexpr std::int64_t retry_us_min = 100'000;
    static constexpr std::int64_t retry_us_max = 5'000'000;

    struct Waiter {
        Watch answer;
        Done<Watch> done;
    };
    struct Pending {
        std::vector<Event> events{};
        std::vector<Waiter> waiters{};
    };
    using Batch = std::vector<std::pair<WatchKey, Pending>>;

    Batch take();
    StateChange change_of(const Batch& batch) const;
    void ended(const std::optional<Error>& error);
    void put_back(Batch batch);

    StateStore& store_;
    const Clock& clock_;
    Hooks hooks_;
    std::map<WatchKey, Pending> pending_;
    std::deque<WatchKey> order_; // the keys of pending_, first come first stored
    Batch in_flight_;
    bool busy_ = false;
    bool stopped_ = false;
    std::size_t events_pending_ = 0; // in flight included
    std::size_t waiters_ = 0;
    std::int64_t retry_us_ = retry_us_min;
    std::int64_t not_before_boot_us_ = 0;
};

} // namespace tocsin::heartbeats
