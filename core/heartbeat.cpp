// SPDX-License-Identifier: Apache-2.0
// The state machine of a watch. Deadlines are kept twice: deadline_us in wall time for people, due_boot_us in boot time
// for the timer, so that a step of the wall clock moves no deadline.
#include "core/heartbeat.hpp"

#include "core/limits.hpp"

#include <algorithm>
#include <array>

namespace tocsin {
namespace {

constexpr std::array<std::pair<WatchState, std::string_view>, 6> state_names{{
    {WatchState::fresh, "new"},
    {WatchState::up, "up"},
    {WatchState::late, "late"},
    {WatchState::down, "down"},
    {WatchState::started, "started"},
    {WatchState::paused, "paused"},
}};

constexpr std::array<std::pair<BeatKind, std::string_view>, 5> kind_names{{
    {BeatKind::ok, "ok"},
    {BeatKind::start, "start"},
    {BeatKind::finish, "finish"},
    {BeatKind::fail, "fail"},
    {BeatKind::alive, "alive"},
}};

bool is_watched(const Watch& watch) {
    return watch.interval_us > 0;
}

bool is_waiting(const Watch& watch) {
    return is_watched(watch) &&
           (watch.state == WatchState::up || watch.state == WatchState::late || watch.state == WatchState::started);
}

// What the beat, or the defaults, say about the interval. The configuration's word is the operator's: beats do not
// change it.
void take_interval(Watch& watch, const Beat& beat, const WatchDefaults& defaults) {
    if (watch.configured) {
        return;
    }
    if (beat.interval_us) {
        watch.interval_us = *beat.interval_us;
    } else if (!is_watched(watch) && defaults.auto_register) {
        watch.interval_us = defaults.interval_us;
    }
    if (beat.grace_us) {
        watch.grace_us = *beat.grace_us;
    } else if (is_watched(watch) && watch.grace_us == 0) {
        watch.grace_us = defaults.grace_us;
    }
}

// The next beat is due an interval after `from_us` (wall time, not after now).
void set_deadline(Watch& watch, std::int64_t from_us, Now now) {
    watch.deadline_us = from_us + watch.interval_us;
    watch.due_boot_us = now.boot_us + (watch.deadline_us + watch.grace_us - now.wall_us);
}

// A sign of life that says "all is well as of `time_us`". One that is older than deadline and grace brings nobody back.
std::vector<Transition> revive(Watch& watch, std::int64_t time_us, Now now) {
    set_deadline(watch, time_us, now);
    if (watch.due_boot_us <= now.boot_us && watch.state == WatchState::down) {
        return {};
    }
    const bool was_down = watch.state == WatchState::down;
    watch.state = now.wall_us > watch.deadline_us ? WatchState::late : WatchState::up;
    watch.misses = 0;
    return was_down ? std::vector{Transition::recovered} : std::vector<Transition>{};
}

std::vector<Transition> start_run(Watch& watch, std::int64_t time_us, Now now) {
    const bool was_waiting = is_waiting(watch);
    if (was_waiting) {
        watch.state = WatchState::started; // the deadline stays: a run must finish by then
        watch.misses = 0;
        return {};
    }
    std::vector<Transition> transitions = revive(watch, time_us, now);
    if (watch.state != WatchState::down) {
        watch.state = WatchState::started;
    }
    return transitions;
}

void end_pause(Watch& watch, Now now) {
    watch.state = is_watched(watch) ? WatchState::up : WatchState::fresh;
    watch.resting = false;
    watch.misses = 0;
    if (is_watched(watch)) {
        set_deadline(watch, now.wall_us, now);
    }
}

std::vector<Transition> fail_watch(Watch& watch, std::int64_t time_us, Now now) {
    set_deadline(watch, time_us, now);
    watch.state = WatchState::down;
    watch.misses = 0;
    return {Transition::failed};
}

} // namespace

std::string_view to_string(WatchState state) {
    for (const auto& [value, name] : state_names) {
        if (value == state) {
            return name;
        }
    }
    fatal("a WatchState that is none");
}

std::optional<WatchState> watch_state_from(std::string_view text) {
    for (const auto& [value, name] : state_names) {
        if (name == text) {
            return value;
        }
    }
    return std::nullopt;
}

std::optional<BeatKind> beat_kind_from(std::string_view text) {
    for (const auto& [value, name] : kind_names) {
        if (name == text) {
            return value;
        }
    }
    return std::nullopt;
}

bool is_beat(const Event& event) {
    constexpr std::string_view name = "heartbeat";
    return std::ranges::equal(event.event_name, name, [](char given, char wanted) {
        return (given >= 'A' && given <= 'Z' ? static_cast<char>(given - 'A' + 'a') : given) == wanted;
    });
}

Beat beat_of(const Event& event) {
    Beat beat;
    beat.key = WatchKey{event.event_src, event.scid};
    beat.time_us = event.event_time_us;
    std::size_t size = std::min(event.summary.size(), limits::status_bytes);
    while (size > 0 && size < event.summary.size() &&
           (static_cast<unsigned char>(event.summary[size]) & 0xC0U) == 0x80U) {
        --size; // never inside a character
    }
    beat.status = event.summary.substr(0, size);
    return beat;
}

std::string_view event_name(Transition transition) {
    switch (transition) {
    case Transition::missed:
        return "heartbeat.missed";
    case Transition::recovered:
        return "heartbeat.recovered";
    case Transition::failed:
        return "heartbeat.failed";
    }
    fatal("a Transition that is none");
}

std::vector<Transition> apply_beat(Watch& watch, const Beat& beat, const WatchDefaults& defaults, Now now) {
    const std::int64_t time_us = std::min(beat.time_us, now.wall_us);
    // A last beat in the future means that the wall clock was set back since: then what comes now is newer.
    if (time_us < std::min(watch.last_us, now.wall_us)) {
        return {};
    }
    if (!beat.status.empty()) {
        watch.status = beat.status;
    }
    if (beat.kind == BeatKind::note) {
        return {};
    }
    watch.last_us = time_us;
    if (watch.resting) {
        end_pause(watch, now);
    }
    if (!beat.run.empty()) {
        watch.run = beat.run;
    }
    take_interval(watch, beat, defaults);
    if (watch.state == WatchState::paused || !is_watched(watch)) {
        return {};
    }
    switch (beat.kind) {
    case BeatKind::start:
        return start_run(watch, time_us, now);
    case BeatKind::fail:
        return fail_watch(watch, time_us, now);
    case BeatKind::alive:
        if (watch.state == WatchState::started) {
            return {};
        }
        return revive(watch, time_us, now);
    case BeatKind::ok:
    case BeatKind::finish:
        return revive(watch, time_us, now);
    case BeatKind::note:
        return {};
    }
    fatal("a BeatKind that is none");
}

std::vector<Transition> time_passed(Watch& watch, Now now) {
    if (!is_waiting(watch)) {
        return {};
    }
    if (now.boot_us >= watch.due_boot_us) {
        watch.state = WatchState::down;
        ++watch.misses;
        return {Transition::missed};
    }
    if (watch.state == WatchState::up && now.boot_us >= watch.due_boot_us - watch.grace_us) {
        watch.state = WatchState::late;
    }
    return {};
}

void configure(Watch& watch, std::int64_t interval_us, std::int64_t grace_us, Now now) {
    const bool same = watch.configured && watch.interval_us == interval_us && watch.grace_us == grace_us;
    watch.configured = true;
    watch.interval_us = interval_us;
    watch.grace_us = grace_us;
    if (same && watch.state != WatchState::fresh) {
        return;
    }
    if (watch.state == WatchState::fresh) {
        watch.state = WatchState::up;
    }
    if (is_waiting(watch)) {
        set_deadline(watch, now.wall_us, now);
    }
}

Result<void> pause(Watch& watch) {
    if (watch.state == WatchState::paused && !watch.resting) {
        return fail(Code::conflict, "pause", watch.key.source, "the watch is paused already");
    }
    watch.state = WatchState::paused;
    watch.resting = false; // now by a person, whom no beat overrules
    watch.deadline_us = 0;
    watch.due_boot_us = 0;
    return {};
}

Result<void> resume(Watch& watch, Now now) {
    if (watch.state != WatchState::paused) {
        return fail(Code::conflict, "resume", watch.key.source, "the watch is not paused");
    }
    end_pause(watch, now);
    return {};
}

void rest(Watch& watch) {
    if (watch.state != WatchState::paused) {
        watch.resting = pause(watch).has_value();
    }
}

void hold_after_restart(Watch& watch, Now now) {
    if (is_waiting(watch)) {
        set_deadline(watch, now.wall_us, now);
    }
}

std::optional<std::int64_t> next_due_boot_us(const Watch& watch) {
    if (!is_waiting(watch)) {
        return std::nullopt;
    }
    return watch.state == WatchState::up ? watch.due_boot_us - watch.grace_us : watch.due_boot_us;
}

void describe(const Watch& watch, const FieldSink& sink) {
    sink("source", std::string_view(watch.key.source));
    sink("scid", watch.key.scid);
    sink("state", to_string(watch.state));
    if (watch.last_us != 0) {
        sink("last", TimeUs{watch.last_us});
    }
    if (watch.deadline_us != 0) {
        sink("deadline", TimeUs{watch.deadline_us});
    }
    sink("interval_s", static_cast<double>(watch.interval_us) / 1e6);
    sink("grace_s", static_cast<double>(watch.grace_us) / 1e6);
    sink("misses", watch.misses);
    sink("status", std::string_view(watch.status));
    sink("run", std::string_view(watch.run));
}

} // namespace tocsin
