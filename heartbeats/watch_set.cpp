// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/watch_set.hpp"

#include "core/heartbeat_deadline.hpp"

#include <algorithm>
#include <tuple>

namespace tocsin::heartbeats {
namespace {

void collect(std::vector<Happening>& happened, std::vector<Happened> transitions, const Watch& watch) {
    for (Happened& transition : transitions) {
        happened.push_back(Happening{std::move(transition), watch});
    }
}

std::unexpected<Error> unknown(const WatchKey& key) {
    return fail(Code::not_found, "heartbeat", key.source, "there is no watch of this source and scid");
}

bool differs_visibly(const Watch& a, const Watch& b) {
    return a.state != b.state || a.misses != b.misses || a.status != b.status;
}

// What a person must look at first: down, late, then whatever is due soonest; new and paused ones last.
std::tuple<int, std::int64_t, const WatchKey&> urgency(const WatchEntry& entry) {
    const Watch& watch = entry.watch;
    switch (watch.state) {
    case WatchState::down:
        return {0, watch.deadline_us, watch.key};
    case WatchState::late:
        return {1, watch.due_boot_us, watch.key};
    case WatchState::started:
    case WatchState::up:
        return {2, watch.due_boot_us, watch.key};
    case WatchState::fresh:
        return {3, 0, watch.key};
    case WatchState::paused:
        return {4, 0, watch.key};
    }
    fatal("a WatchState that is none");
}

} // namespace

WatchEntry* WatchSet::entry(const WatchKey& key) const {
    const auto found = watches_.find(key);
    return found == watches_.end() ? nullptr : &found->entry;
}

const Watch* WatchSet::find(const WatchKey& key) const {
    const WatchEntry* found = entry(key);
    return found == nullptr ? nullptr : &found->watch;
}

WatchEntry& WatchSet::add(Watch watch) {
    // Rows are restored in order of their keys: then its place is at the end.
    WatchEntry& added = watches_.emplace_hint(watches_.end(), Slot{WatchEntry{std::move(watch)}})->entry;
    ++count(added.watch.state);
    if (added.watch.made_by != Watch::nobody) {
        ++made_by_[added.watch.made_by];
    }
    due_.update(added);
    return added;
}

void WatchSet::erase(const WatchKey& key) {
    const auto found = watches_.find(key);
    if (found != watches_.end()) {
        --count(found->entry.watch.state);
        const auto made = made_by_.find(found->entry.watch.made_by);
        if (made != made_by_.end() && --made->second == 0) {
            made_by_.erase(made);
        }
        due_.remove(found->entry);
        watches_.erase(found);
    }
}

Outcome WatchSet::settle(WatchEntry& entry, const Watch& before, std::vector<Happening> happened) {
    --count(before.state);
    ++count(entry.watch.state);
    due_.update(entry);
    return Outcome{entry.watch, std::move(happened), differs_visibly(before, entry.watch)};
}

bool WatchSet::restore(Watch watch, Now now) {
    const bool changed = hold_after_restart(watch, now);
    erase(watch.key);
    add(std::move(watch));
    return changed;
}

template <typename Change> std::vector<Watch> WatchSet::change_all(const Change& change) {
    std::vector<Watch> shown;
    for (const Slot& slot : watches_) {
        const WatchState before = slot.entry.watch.state;
        change(slot.entry.watch);
        due_.update(slot.entry);
        if (slot.entry.watch.state != before) {
            --count(before);
            ++count(slot.entry.watch.state);
            shown.push_back(slot.entry.watch);
        }
    }
    return shown;
}

std::vector<Watch> WatchSet::after_sleep(std::int64_t slept_us, Now now) {
    return change_all([slept_us, now](Watch& watch) { hold_after_sleep(watch, slept_us, now); });
}

std::vector<Watch> WatchSet::after_wall_step(std::int64_t step_us, Now now) {
    return change_all([step_us, now](Watch& watch) { follow_wall_step(watch, step_us, now); });
}

// Root may use all the room: what is its own must not be shut out.
std::optional<Error> WatchSet::no_room(const Beat& beat) const {
    if (watches_.size() >= watches_max_) {
        return fail(Code::limit_exceeded, "beat", beat.key.source,
                    "the " + std::to_string(watches_max_) + " watches that can be kept are taken; forget some")
            .error();
    }
    const auto made = beat.uid ? made_by_.find(*beat.uid) : made_by_.end();
    if (made == made_by_.end() || made->first == 0 || made->second < per_uid_max_) {
        return std::nullopt;
    }
    return fail(Code::limit_exceeded, "beat", beat.key.source,
                "the " + std::to_string(per_uid_max_) + " watches that beats of uid " + std::to_string(*beat.uid) +
                    " may make are there; forget some")
        .error();
}

Result<Outcome> WatchSet::beat(const Beat& beat, const WatchDefaults& defaults, Now now) {
    WatchEntry* found = entry(beat.key);
    const bool is_new = found == nullptr;
    if (is_new) {
        if (auto full = no_room(beat)) {
            return std::unexpected(std::move(*full));
        }
        found = &add(Watch{.key = beat.key, .made_by = beat.uid.value_or(Watch::nobody)});
    }
    const Watch before = found->watch;
    std::vector<Happening> happened;
    // A miss that the timer has not told yet comes before the beat that ends it.
    std::vector<Happened> passed = time_passed(found->watch, now);
    collect(happened, std::move(passed), found->watch);
    std::vector<Happened> beaten = apply_beat(found->watch, beat, defaults, now);
    collect(happened, std::move(beaten), found->watch);
    Outcome outcome = settle(*found, before, std::move(happened));
    outcome.visible = outcome.visible || is_new;
    return outcome;
}

std::optional<Outcome> WatchSet::advance(Now now) {
    const std::optional<std::int64_t> due_us = due_.top_due_us();
    if (!due_us || *due_us > now.boot_us) {
        return std::nullopt;
    }
    WatchEntry& entry = *due_.top();
    const Watch before = entry.watch;
    std::vector<Happening> happened;
    std::vector<Happened> passed = time_passed(entry.watch, now);
    collect(happened, std::move(passed), entry.watch);
    return settle(entry, before, std::move(happened));
}

Result<Outcome> WatchSet::act(const WatchKey& key, WatchAct act, Now now) {
    WatchEntry* found = entry(key);
    if (found == nullptr) {
        return unknown(key);
    }
    const Watch before = found->watch;
    if (act == WatchAct::forget && before.configured) {
        return fail(Code::conflict, "forget", key.source,
                    "the watch is set by the configuration: remove its [[heartbeat]] entry and reload");
    }
    if (act == WatchAct::forget) {
        erase(key);
        return Outcome{before, {}, true};
    }
    std::vector<Happening> happened;
    if (act == WatchAct::pause) { // a miss that is due already is told before the watch rests
        std::vector<Happened> passed = time_passed(found->watch, now);
        collect(happened, std::move(passed), found->watch);
    }
    Result<void> done = act == WatchAct::pause ? pause(found->watch) : resume(found->watch, now);
    Outcome outcome = settle(*found, before, std::move(happened));
    if (!done) {
        return std::unexpected(std::move(done.error()));
    }
    return outcome;
}

Result<Outcome> WatchSet::stop(const WatchKey& key, Now now) {
    WatchEntry* found = entry(key);
    if (found == nullptr) {
        return unknown(key);
    }
    const Watch before = found->watch;
    if (!before.configured && before.state != WatchState::paused) {
        erase(key);
        return Outcome{before, {}, true};
    }
    std::vector<Happening> happened;
    std::vector<Happened> passed = time_passed(found->watch, now);
    collect(happened, std::move(passed), found->watch);
    rest(found->watch);
    return settle(*found, before, std::move(happened));
}

std::optional<Outcome> WatchSet::configure(const WatchKey& key, const WatchSetting& setting, Now now) {
    WatchEntry* found = entry(key);
    if (found == nullptr) {
        found = &add(Watch{.key = key});
    }
    const Watch before = found->watch;
    tocsin::configure(found->watch, setting, now);
    if (found->watch == before) {
        return std::nullopt;
    }
    return settle(*found, before, {});
}

std::optional<Outcome> WatchSet::release(const WatchKey& key) {
    WatchEntry* found = entry(key);
    if (found == nullptr || !found->watch.configured) {
        return std::nullopt;
    }
    const Watch before = found->watch;
    if (before.last_us == 0) {
        erase(key);
        return Outcome{before, {}, true};
    }
    found->watch =
        Watch{.key = before.key, .last_us = before.last_us, .status = before.status, .made_by = before.made_by};
    if (!before.run().empty()) {
        found->watch.plan = WatchPlan{.runs = Runs{.last = before.run()}};
    }
    return settle(*found, before, {});
}

std::vector<WatchKey> WatchSet::configured() const {
    std::vector<WatchKey> keys;
    for (const Slot& slot : watches_) {
        if (slot.entry.watch.configured) {
            keys.push_back(slot.key());
        }
    }
    return keys;
}

std::map<WatchState, std::size_t> WatchSet::counts() const {
    std::map<WatchState, std::size_t> result;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        result[static_cast<WatchState>(i)] = counts_.at(i);
    }
    return result;
}

std::vector<WatchKey> WatchSet::urgent(std::size_t limit) const {
    std::vector<const WatchEntry*> order;
    order.reserve(watches_.size());
    for (const Slot& slot : watches_) {
        order.push_back(&slot.entry);
    }
    const auto middle = order.begin() + static_cast<std::ptrdiff_t>(std::min(limit, order.size()));
    std::partial_sort(order.begin(), middle, order.end(),
                      [](const WatchEntry* a, const WatchEntry* b) { return urgency(*a) < urgency(*b); });
    std::vector<WatchKey> keys;
    std::for_each(order.begin(), middle, [&keys](const WatchEntry* entry) { keys.push_back(entry->watch.key); });
    return keys;
}

std::vector<Watch> WatchSet::list(const ListQuery& query, const std::optional<WatchKey>& after,
                                  std::size_t limit) const {
    std::vector<Watch> items;
    // With sources named, each is a range of its own; without, everything is one.
    const std::size_t ranges = std::max<std::size_t>(query.sources.size(), 1);
    for (std::size_t i = 0; i < ranges && items.size() <= limit; ++i) {
        const std::string* source = query.sources.empty() ? nullptr : &query.sources[i];
        WatchKey from{source == nullptr ? "" : *source, std::numeric_limits<std::int64_t>::min()};
        auto at = after && !(*after < from) ? watches_.upper_bound(*after) : watches_.lower_bound(from);
        for (; at != watches_.end() && items.size() <= limit; ++at) {
            const Watch& watch = at->entry.watch;
            if (source != nullptr && watch.key.source != *source) {
                break;
            }
            if (query.matches(watch)) {
                items.push_back(watch);
            }
        }
    }
    return items;
}

} // namespace tocsin::heartbeats
