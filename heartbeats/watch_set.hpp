// SPDX-License-Identifier: Apache-2.0
// All watches in order of their keys and by when they are due. Pure: instants are arguments, nothing is stored or sent;
// every change comes back as an Outcome that says what must become durable. About 250 bytes a watch with short names.
#pragma once

#include "core/heartbeat.hpp"
#include "core/limits.hpp"
#include "core/ports.hpp"
#include "heartbeats/due_heap.hpp"
#include "heartbeats/list_query.hpp"

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace tocsin::heartbeats {

// A transition with the watch as it was right after it: what its event tells.
struct Happening {
    Transition transition{};
    Watch watch{};
};

struct Outcome {
    Watch watch{}; // as it is now, or was before it was forgotten
    std::vector<Happening> happened{};
    bool visible = false; // state, status or misses differ from before
};

class WatchSet {
public:
    explicit WatchSet(std::size_t watches_max = limits::watches_max) : watches_max_(watches_max) {}

    // A watch as it was stored. Its deadlines are held: they begin anew.
    void restore(Watch watch, Now now);
    // limit_exceeded where a watch more would be too many.
    Result<Outcome> beat(const Beat& beat, const WatchDefaults& defaults, Now now);
    // The next watch that is due; nullopt when none is.
    std::optional<Outcome> advance(Now now);
    // not_found, or conflict with the watch's state.
    Result<Outcome> act(const WatchKey& key, WatchAct act, Now now);

    // A configured watch is made where there is none; nullopt where nothing changes.
    std::optional<Outcome> configure(const WatchKey& key, std::int64_t interval_us, std::int64_t grace_us, Now now);
    // The configuration no longer names it: it is `new` again, or gone where it never beat.
    std::optional<Outcome> release(const WatchKey& key);
    std::vector<WatchKey> configured() const;

    const Watch* find(const WatchKey& key) const;
    std::size_t size() const { return watches_.size(); }
    std::optional<std::int64_t> next_due_boot_us() const { return due_.top_due_us(); }
    std::map<WatchState, std::size_t> counts() const;
    std::vector<WatchKey> urgent(std::size_t limit) const;
    // Watches that match, after `after`, in order of their keys; one more than `limit` where there are more.
    std::vector<Watch> list(const ListQuery& query, const std::optional<WatchKey>& after, std::size_t limit) const;

private:
    struct ByKey {
        using is_transparent = void;
        using Entry = std::unique_ptr<WatchEntry>;
        bool operator()(const Entry& a, const Entry& b) const { return a->watch.key < b->watch.key; }
        bool operator()(const Entry& a, const WatchKey& b) const { return a->watch.key < b; }
        bool operator()(const WatchKey& a, const Entry& b) const { return a < b->watch.key; }
    };
    using Entries = std::set<std::unique_ptr<WatchEntry>, ByKey>;

    WatchEntry* entry(const WatchKey& key) const;
    WatchEntry& add(Watch watch);
    void erase(const WatchKey& key);
    // After every change of an entry: its place in the heap, and the counts.
    Outcome settle(WatchEntry& entry, const Watch& before, std::vector<Happening> happened);
    std::size_t& count(WatchState state) { return counts_.at(static_cast<std::size_t>(state)); }

    Entries watches_;
    DueHeap due_;
    std::array<std::size_t, 6> counts_{};
    std::size_t watches_max_;
};

} // namespace tocsin::heartbeats
