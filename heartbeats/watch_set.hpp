// SPDX-License-Identifier: Apache-2.0
// All watches in order of their keys and by when they are due. Pure: instants are arguments, nothing is stored or sent;
// every change comes back as an Outcome that says what must become durable. About 200 bytes a watch with a name of 20.
#pragma once

#include "core/heartbeat.hpp"
#include "core/limits.hpp"
#include "core/ports.hpp"
#include "heartbeats/due_heap.hpp"
#include "heartbeats/list_query.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace tocsin::heartbeats {

// A transition with the watch as it was right after it: what its event tells.
struct Happening {
    Happened what{};
    Watch watch{};
};

struct Outcome {
    Watch watch{}; // as it is now, or was before it was forgotten
    std::vector<Happening> happened{};
    bool visible = false; // state, status or misses differ from before
};

class WatchSet {
public:
    explicit WatchSet(std::size_t watches_max = limits::watches_max,
                      std::size_t per_uid_max = limits::watches_per_uid_max)
        : watches_max_(watches_max), per_uid_max_(per_uid_max) {}

    // A watch as it was stored; its deadline is held for the time away. True when its row must be stored anew.
    bool restore(Watch watch, Now now);
    // limit_exceeded where a watch more would be too many, of all or of those that beats of this user made.
    Result<Outcome> beat(const Beat& beat, const WatchDefaults& defaults, Now now);
    // The next watch that is due; nullopt when none is.
    std::optional<Outcome> advance(Now now);
    // not_found, or conflict with the watch's state.
    Result<Outcome> act(const WatchKey& key, WatchAct act, Now now);
    // The source itself says that it ends. Its watch is forgotten; a configured one rests until it beats again; one
    // that a person has paused stays as it is. not_found.
    Result<Outcome> stop(const WatchKey& key, Now now);

    // A configured watch is made where there is none; nullopt where nothing changes.
    std::optional<Outcome> configure(const WatchKey& key, const WatchSetting& setting, Now now);
    // The configuration no longer names it: it is `new` again, or gone where it never beat.
    std::optional<Outcome> release(const WatchKey& key);
    std::vector<WatchKey> configured() const;

    // The machine slept, or the wall clock was set: every deadline is looked at. Watches that look different now.
    std::vector<Watch> after_sleep(std::int64_t slept_us, Now now);
    std::vector<Watch> after_wall_step(std::int64_t step_us, Now now);

    const Watch* find(const WatchKey& key) const;
    std::size_t size() const { return watches_.size(); }
    std::optional<std::int64_t> next_due_boot_us() const { return due_.top_due_us(); }
    std::map<WatchState, std::size_t> counts() const;
    std::vector<WatchKey> urgent(std::size_t limit) const;
    // Watches that match, after `after`, in order of their keys; one more than `limit` where there are more.
    std::vector<Watch> list(const ListQuery& query, const std::optional<WatchKey>& after, std::size_t limit) const;

private:
    // In the set's own node, beside its key: nothing but the key orders it.
    struct Slot {
        mutable WatchEntry entry{};
        const WatchKey& key() const { return entry.watch.key; }
    };
    struct ByKey {
        using is_transparent = void;
        bool operator()(const Slot& a, const Slot& b) const { return a.key() < b.key(); }
        bool operator()(const Slot& a, const WatchKey& b) const { return a.key() < b; }
        bool operator()(const WatchKey& a, const Slot& b) const { return a < b.key(); }
    };
    using Entries = std::set<Slot, ByKey>;

    WatchEntry* entry(const WatchKey& key) const;
    WatchEntry& add(Watch watch);
    template <typename Change> std::vector<Watch> change_all(const Change& change);
    void erase(const WatchKey& key);
    std::optional<Error> no_room(const Beat& beat) const;
    // After every change of an entry: its place in the heap, and the counts.
    Outcome settle(WatchEntry& entry, const Watch& before, std::vector<Happening> happened);
    std::size_t& count(WatchState state) { return counts_.at(static_cast<std::size_t>(state)); }

    Entries watches_;
    DueHeap due_;
    std::array<std::size_t, 6> counts_{};
    std::map<std::uint32_t, std::size_t> made_by_{}; // watches of each user
    std::size_t watches_max_;
    std::size_t per_uid_max_;
};

} // namespace tocsin::heartbeats
