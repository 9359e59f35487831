// SPDX-License-Identifier: Apache-2.0
// What is shown of a watch. What would need a wake-up to be kept, as the misses of one that is down, is found here.
#include "core/heartbeat.hpp"
#include "core/heartbeat_rhythm.hpp"

#include <algorithm>

namespace tocsin {
namespace {

constexpr std::size_t next_shown = 3;
constexpr std::uint64_t slots_walked_max = 50; // a watch that missed more slots has missed "50 or more"

// How the deadlines went on after the one that was missed.
struct Outlook {
    std::uint64_t missed = 0;                 // further ones
    std::optional<std::int64_t> next_us = {}; // the first that is not missed
};

bool is_missing(const Watch& watch) {
    return watch.state == WatchState::down && watch.misses > 0;
}

Outlook walk_slots(const Watch& watch) {
    Outlook outlook{.next_us = watch.schedule()->next_after(watch.deadline_us)};
    while (outlook.next_us && *outlook.next_us + watch.grace_us <= watch.shown_us() &&
           outlook.missed < slots_walked_max - 1) {
        ++outlook.missed;
        outlook.next_us = watch.schedule()->next_after(*outlook.next_us);
    }
    if (outlook.next_us && *outlook.next_us + watch.grace_us <= watch.shown_us()) {
        outlook.next_us = watch.schedule()->next_after(watch.shown_us());
    }
    return outlook;
}

Outlook outlook_of(const Watch& watch) {
    if (watch.deadline_us == 0 || !watch.watched() || watch.state == WatchState::paused) {
        return {};
    }
    if (watch.shown_us() == 0 || watch.state != WatchState::down) {
        return {.next_us = watch.deadline_us};
    }
    if (watch.schedule() != nullptr) {
        return walk_slots(watch);
    }
    const std::int64_t over_us = watch.shown_us() - watch.deadline_us - watch.grace_us;
    const std::int64_t more = std::max<std::int64_t>(over_us / watch.interval_us, 0);
    return {static_cast<std::uint64_t>(more), watch.deadline_us + (more + 1) * watch.interval_us};
}

struct Instants {
    std::array<std::int64_t, next_shown> us{};
    std::size_t count = 0;
};

Instants next_instants(const Watch& watch) {
    Instants instants;
    std::optional<std::int64_t> next = outlook_of(watch).next_us;
    while (next && instants.count < next_shown) {
        instants.us.at(instants.count++) = *next;
        next = watch.schedule() != nullptr ? watch.schedule()->next_after(*next) : *next + watch.interval_us;
    }
    return instants;
}

std::int64_t between_us(const Watch& watch, const Instants& instants) {
    return watch.schedule() == nullptr || instants.count < 2 ? watch.interval_us : instants.us[1] - instants.us[0];
}

void describe_calendar(const Watch& watch, const Instants& instants, const FieldSink& sink) {
    const Schedule* schedule = watch.schedule();
    sink("schedule", schedule == nullptr ? std::string_view() : std::string_view(schedule->expression()));
    sink("zone", schedule == nullptr ? std::string_view() : std::string_view(schedule->zone()));
    sink("next", TimesUs{std::span(instants.us).first(instants.count)});
}

} // namespace

std::uint64_t misses_of(const Watch& watch) {
    return is_missing(watch) ? watch.misses + outlook_of(watch).missed : watch.misses;
}

std::int64_t interval_shown_us(const Watch& watch) {
    return watch.schedule() == nullptr ? watch.interval_us : between_us(watch, next_instants(watch));
}

void describe(const Watch& watch, const FieldSink& sink) {
    const Instants instants = next_instants(watch);
    sink("source", std::string_view(watch.key.source));
    sink("scid", watch.key.scid);
    sink("state", to_string(watch.state));
    if (watch.last_us != 0) {
        sink("last", TimeUs{watch.last_us});
    }
    if (watch.deadline_us != 0) {
        sink("deadline", TimeUs{watch.deadline_us});
    }
    sink("interval_s", static_cast<double>(between_us(watch, instants)) / 1e6);
    sink("grace_s", static_cast<double>(watch.grace_us) / 1e6);
    describe_calendar(watch, instants, sink);
    sink("misses", misses_of(watch));
    sink("status", std::string_view(*watch.status));
    sink("run", std::string_view(watch.run()));
    if (const auto pace = watch.watched() ? std::nullopt : pace_of(*watch.rhythm, rhythm_gaps_shown)) {
        sink("suggested_interval_s", static_cast<double>(pace->interval_us) / 1e6);
    }
}

} // namespace tocsin
