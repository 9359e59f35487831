// SPDX-License-Identifier: Apache-2.0
// The state machine of a watch: what beats and the passing of time do to it.
#include "core/heartbeat.hpp"

#include "core/heartbeat_deadline.hpp"
#include "core/heartbeat_rhythm.hpp"
#include "core/heartbeat_runs.hpp"
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

// The same schedule is the same object; one that is new makes what the old one expected void.
void take_schedule(Watch& watch, const Beat& beat) {
    if (beat.calendar == watch.plan->schedule) {
        return;
    }
    watch.interval_us = 0;
    watch.deadline_us = 0;
    watch.plan.edit([&beat](WatchPlan& plan) {
        plan.schedule = beat.calendar;
        plan.early_us = limits::early_us_default;
    });
}

void take_interval(Watch& watch, std::int64_t interval_us) {
    watch.interval_us = interval_us;
    if (watch.schedule() != nullptr) {
        watch.plan.edit([](WatchPlan& plan) {
            plan.schedule = nullptr;
            plan.early_us = 0;
        });
    }
}

void learn(Watch& watch) {
    if (const std::optional<Pace> pace = pace_of(*watch.rhythm, rhythm_gaps_learned)) {
        watch.interval_us = pace->interval_us;
        watch.grace_us = pace->grace_us;
    }
}

// What the beat, or the defaults, say about when the next is due. The configuration's word is the operator's: beats do
// not change it.
void take_settings(Watch& watch, const Beat& beat, const WatchDefaults& defaults) {
    if (watch.configured) {
        return;
    }
    if (beat.calendar != nullptr) {
        take_schedule(watch, beat);
    } else if (beat.interval_us) {
        take_interval(watch, *beat.interval_us);
    } else if (!watch.watched() && defaults.auto_register) {
        watch.interval_us = defaults.interval_us;
    } else if (!watch.watched() && defaults.learn) {
        learn(watch);
    }
    if (beat.grace_us) {
        watch.grace_us = *beat.grace_us;
    } else if (watch.watched() && watch.grace_us == 0) {
        watch.grace_us = defaults.grace_us;
    }
    if (watch.watched()) {
        watch.rhythm.clear();
    }
}

// A sign of life that says "all is well as of `time_us`". One that is older than deadline and grace brings nobody back.
std::vector<Happened> revive(Watch& watch, std::int64_t time_us, bool early, Now now) {
    const bool was_down = watch.state == WatchState::down;
    expect_after(watch, time_us, early, now);
    if (was_down && watch.deadline_us != 0 && watch.due_boot_us <= now.boot_us) {
        return {};
    }
    watch.state = resting_state(watch, now);
    watch.misses = 0;
    return was_down ? std::vector{Happened{Transition::recovered}} : std::vector<Happened>{};
}

std::vector<Happened> start_run(Watch& watch, const Beat& beat, std::int64_t time_us, Now now) {
    std::vector<Happened> happened = revive(watch, time_us, true, now);
    if (watch.state != WatchState::down) {
        begin_run(watch, beat.run, time_us, now);
        watch.state = WatchState::started;
    }
    return happened;
}

void end_pause(Watch& watch, Now now) {
    watch.state = watch.watched() ? WatchState::up : WatchState::fresh;
    watch.resting = false;
    watch.misses = 0;
    if (watch.watched()) {
        expect_anew(watch, now);
    }
}

// The end of a run counts for no slot ahead: its start was the beat.
std::vector<Happened> finish_run(Watch& watch, const Beat& beat, std::int64_t time_us, Now now) {
    const bool ended = end_run(watch, beat.run);
    return revive(watch, time_us, !ended, now);
}

std::vector<Happened> fail_watch(Watch& watch, const Beat& beat, std::int64_t time_us, Now now) {
    const bool ended = end_run(watch, beat.run);
    expect_after(watch, time_us, !ended, now);
    watch.state = WatchState::down;
    watch.misses = 0;
    return {Happened{Transition::failed}};
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
    beat.uid = event.origin.uid;
    beat.unit = event.origin.unit;
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
    case Transition::overrun:
        return "heartbeat.overrun";
    }
    fatal("a Transition that is none");
}

std::vector<Happened> apply_beat(Watch& watch, const Beat& beat, const WatchDefaults& defaults, Now now) {
    const std::int64_t time_us = std::min(beat.time_us, now.wall_us);
    // A last beat in the future means that the wall clock was set back since: then what comes now is newer.
    if (time_us < std::min(watch.last_us, now.wall_us)) {
        return {};
    }
    if (!beat.status.empty()) {
        watch.status = beat.status;
    }
    if (beat.kind == BeatKind::note || beat.kind == BeatKind::stop) {
        return {};
    }
    if (!watch.watched()) {
        note_gap(watch, beat.kind, time_us);
    }
    watch.last_us = time_us;
    if (watch.resting) {
        end_pause(watch, now);
    }
    if (!beat.run.empty()) {
        watch.plan.edit([&beat](WatchPlan& plan) { plan.runs.edit([&beat](Runs& runs) { runs.last = beat.run; }); });
    }
    take_settings(watch, beat, defaults);
    if (watch.state == WatchState::paused || !watch.watched()) {
        return {};
    }
    switch (beat.kind) {
    case BeatKind::start:
        return start_run(watch, beat, time_us, now);
    case BeatKind::fail:
        return fail_watch(watch, beat, time_us, now);
    case BeatKind::alive:
        keep_run_alive(watch, beat.run, time_us, now);
        return revive(watch, time_us, false, now);
    case BeatKind::ok:
    case BeatKind::finish:
        return finish_run(watch, beat, time_us, now);
    case BeatKind::note:
    case BeatKind::stop:
        return {};
    }
    fatal("a BeatKind that is none");
}

std::vector<Happened> time_passed(Watch& watch, Now now) {
    std::vector<Happened> happened = runs_passed(watch, now);
    if (!is_waiting(watch) || within_limit(watch) || watch.deadline_us == 0) {
        return happened;
    }
    if (now.boot_us >= watch.due_boot_us) {
        watch.state = WatchState::down;
        watch.misses = 1;
        happened.push_back({Transition::missed});
    } else if (watch.state == WatchState::up && now.boot_us >= watch.due_boot_us - watch.grace_us) {
        watch.state = WatchState::late;
    }
    return happened;
}

void configure(Watch& watch, const WatchSetting& setting, Now now) {
    const WatchPlan& plan = *watch.plan;
    const bool same_wait = watch.configured && watch.interval_us == setting.interval_us &&
                           watch.grace_us == setting.grace_us && plan.schedule == setting.schedule &&
                           plan.early_us == setting.early_us;
    watch.configured = true;
    watch.rhythm.clear();
    watch.interval_us = setting.interval_us;
    watch.grace_us = setting.grace_us;
    watch.plan.edit([&setting](WatchPlan& to) {
        to.schedule = setting.schedule;
        to.early_us = setting.schedule == nullptr ? 0 : setting.early_us;
        to.run_limit_us = setting.run_limit_us;
    });
    if (same_wait && watch.state != WatchState::fresh) {
        return;
    }
    if (watch.state == WatchState::fresh) {
        watch.state = WatchState::up;
    }
    if (is_waiting(watch)) {
        expect_anew(watch, now);
        watch.state = resting_state(watch, now);
    }
}

Result<void> pause(Watch& watch) {
    if (watch.state == WatchState::paused && !watch.resting) {
        return fail(Code::conflict, "pause", watch.key.source, "the watch is paused already");
    }
    forget_runs(watch);
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

std::optional<std::int64_t> next_due_boot_us(const Watch& watch) {
    std::optional<std::int64_t> due = next_run_boot_us(watch);
    if (is_waiting(watch) && watch.deadline_us != 0 && !within_limit(watch)) {
        const std::int64_t deadline = watch.due_boot_us - (watch.state == WatchState::up ? watch.grace_us : 0);
        due = std::min(due.value_or(deadline), deadline);
    }
    return due;
}

} // namespace tocsin
