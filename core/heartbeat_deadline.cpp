// SPDX-License-Identifier: Apache-2.0
#include "core/heartbeat_deadline.hpp"

#include "core/heartbeat_runs.hpp"

#include <algorithm>

namespace tocsin {
namespace {

// A restart grants each watch at least this, or its interval and grace where they are shorter.
constexpr std::int64_t restart_grace_us = 60'000'000;
// A clock that is set back by a day, with its daylight change, makes nothing due again.
constexpr std::int64_t set_back_us_kept = 25LL * 3600 * 1'000'000;

void set_deadline(Watch& watch, std::int64_t deadline_us, Now now) {
    watch.deadline_us = deadline_us;
    watch.due_boot_us = now.boot_us + (deadline_us + watch.grace_us - now.wall_us);
}

void set_slot(Watch& watch, std::optional<std::int64_t> slot_us, Now now) {
    if (slot_us) {
        set_deadline(watch, *slot_us, now);
    } else { // no slot is left: it stays up
        watch.deadline_us = 0;
        watch.due_boot_us = 0;
    }
}

std::int64_t patience_us(const Watch& watch) {
    return watch.interval_us + watch.grace_us;
}

// A deadline ahead of the slot that is next was made by a clock that has been set back since. It is kept, so that no
// slot is due again that was counted for or passed over, unless the clock was plainly wrong: then it would alarm in
// years.
std::optional<std::int64_t> slot_behind_us(const Watch& watch, Now now) {
    const Schedule& schedule = *watch.schedule();
    const std::optional<std::int64_t> next = slot_after(schedule, watch.plan->early_us, now.wall_us);
    if (!next || watch.deadline_us <= *next) {
        return next;
    }
    const bool a_little = watch.deadline_us - *next <= set_back_us_kept;
    const bool the_one_after = schedule.next_after(*next) == watch.deadline_us;
    return a_little || the_one_after ? std::optional(watch.deadline_us) : next;
}

// A source of period P ≤ interval whose beat at last + P was lost while the daemon was away beats again by last + 2P.
// Up to half of its patience that is in time anyway, and the deadline stays. Later it is put off: once, so that a
// daemon that is restarted often does not put it off for ever.
bool hold_interval(Watch& watch, Now now) {
    const std::int64_t base_us = watch.deadline_us - watch.interval_us;
    const std::int64_t due_us = watch.deadline_us + watch.grace_us;
    const bool unknown = watch.deadline_us == 0 || base_us > now.wall_us || due_us <= now.wall_us;
    if (!unknown && now.wall_us - base_us <= patience_us(watch) / 2) {
        set_deadline(watch, watch.deadline_us, now);
        return false;
    }
    if (unknown || !watch.held) {
        watch.held = true;
        set_deadline(watch, now.wall_us + watch.interval_us, now);
        return patience_us(watch) > restart_grace_us; // shorter ones are put off each time anyway
    }
    const std::int64_t least_us = now.wall_us + std::min(patience_us(watch), restart_grace_us);
    set_deadline(watch, std::max(due_us, least_us) - watch.grace_us, now);
    return false;
}

// Nothing was sent while the machine slept, but a source that follows the wall clock or sleeps through a period of its
// own may have lost one beat.
void sleep_interval(Watch& watch, std::int64_t slept_us, Now now) {
    const std::int64_t base_boot_us = watch.due_boot_us - patience_us(watch);
    std::int64_t due_boot_us = watch.due_boot_us + slept_us;
    if (now.boot_us - base_boot_us > patience_us(watch) / 2) {
        due_boot_us = std::max(due_boot_us, now.boot_us + patience_us(watch));
    }
    set_deadline(watch, now.wall_us + (due_boot_us - now.boot_us) - watch.grace_us, now);
}

void sleep_slot(Watch& watch, std::int64_t slept_us, Now now) {
    const std::int64_t slot_us = watch.deadline_us;
    if (slot_us != 0 && slot_us <= now.wall_us - slept_us) {
        watch.due_boot_us += slept_us; // its grace was running already
    } else if (slot_us != 0 && slot_us <= now.wall_us) {
        set_slot(watch, watch.schedule()->next_after(now.wall_us), now);
    }
}

void step_slot(Watch& watch, std::int64_t step_us, Now now) {
    const std::int64_t slot_us = watch.deadline_us;
    if (slot_us == 0) {
        set_slot(watch, slot_after(*watch.schedule(), watch.plan->early_us, now.wall_us), now);
    } else if (slot_us <= std::min(now.wall_us, now.wall_us - step_us)) {
        return; // past on either clock: its grace runs on
    } else if (slot_us <= now.wall_us) {
        set_slot(watch, watch.schedule()->next_after(now.wall_us), now); // jumped over
    } else {
        const std::optional<std::int64_t> behind = slot_behind_us(watch, now);
        set_slot(watch, behind && *behind < slot_us ? behind : std::optional(slot_us), now);
    }
}

} // namespace

std::optional<std::int64_t> slot_after(const Schedule& schedule, std::int64_t early_us, std::int64_t wall_us) {
    const std::optional<std::int64_t> next = schedule.next_after(wall_us);
    if (!next || early_us <= 0 || *next - wall_us > early_us) {
        return next;
    }
    const std::optional<std::int64_t> before = schedule.last_until(*next - 1);
    const std::int64_t early_most_us = before ? (*next - *before) / 2 : early_us;
    return *next - wall_us <= std::min(early_us, early_most_us) ? schedule.next_after(*next) : next;
}

bool is_waiting(const Watch& watch) {
    return watch.watched() &&
           (watch.state == WatchState::up || watch.state == WatchState::late || watch.state == WatchState::started);
}

WatchState resting_state(const Watch& watch, Now now) {
    if (!watch.plan->runs->under_way.empty()) {
        return WatchState::started;
    }
    return watch.deadline_us != 0 && now.wall_us > watch.deadline_us ? WatchState::late : WatchState::up;
}

void expect_after(Watch& watch, std::int64_t time_us, bool early, Now now) {
    watch.held = false;
    if (watch.schedule() == nullptr) {
        set_deadline(watch, time_us + watch.interval_us, now);
        return;
    }
    std::optional<std::int64_t> slot_us = slot_after(*watch.schedule(), early ? watch.plan->early_us : 0, time_us);
    if (slot_us && watch.state != WatchState::down) {
        slot_us = std::max(*slot_us, watch.deadline_us);
    }
    set_slot(watch, slot_us, now);
}

void expect_anew(Watch& watch, Now now) {
    watch.held = false;
    if (watch.schedule() == nullptr) {
        set_deadline(watch, now.wall_us + watch.interval_us, now);
    } else {
        set_slot(watch, slot_after(*watch.schedule(), watch.plan->early_us, now.wall_us), now);
    }
}

bool hold_after_restart(Watch& watch, Now now) {
    restart_runs(watch, now);
    if (!is_waiting(watch)) {
        return false;
    }
    bool stored_anew = false;
    if (watch.schedule() == nullptr) {
        stored_anew = hold_interval(watch, now);
    } else {
        set_slot(watch, slot_behind_us(watch, now), now);
    }
    watch.state = resting_state(watch, now);
    return stored_anew;
}

void hold_after_sleep(Watch& watch, std::int64_t slept_us, Now now) {
    restart_runs(watch, now);
    if (!is_waiting(watch)) {
        return;
    }
    if (watch.schedule() == nullptr) {
        sleep_interval(watch, slept_us, now);
    } else {
        sleep_slot(watch, slept_us, now);
    }
    watch.state = resting_state(watch, now);
}

void follow_wall_step(Watch& watch, std::int64_t step_us, Now now) {
    if (!watch.plan->runs->under_way.empty()) {
        watch.plan.edit([step_us](WatchPlan& plan) {
            plan.runs.edit([step_us](Runs& runs) {
                std::ranges::for_each(runs.under_way, [step_us](Run& run) { run.since_us += step_us; });
            });
        });
    }
    if (watch.schedule() == nullptr) {
        watch.deadline_us += watch.deadline_us == 0 ? 0 : step_us;
    } else if (is_waiting(watch)) {
        step_slot(watch, step_us, now);
        watch.state = resting_state(watch, now);
    }
}

} // namespace tocsin
