// SPDX-License-Identifier: Apache-2.0
#include "core/heartbeat_runs.hpp"

#include "core/heartbeat_deadline.hpp"
#include "core/limits.hpp"

#include <algorithm>

namespace tocsin {
namespace {

template <typename Change> void edit_runs(Watch& watch, Change change) {
    watch.plan.edit([&change](WatchPlan& plan) { plan.runs.edit(change); });
}

const std::vector<Run>& under_way(const Watch& watch) {
    return watch.plan->runs->under_way;
}

bool has_limit(const Watch& watch, const Run& run) {
    return watch.plan->run_limit_us > 0 && !run.told;
}

// Its limit, or the instant at which it is forgotten.
std::int64_t due_boot_us(const Watch& watch, const Run& run) {
    const std::int64_t limit_us = has_limit(watch, run) ? watch.plan->run_limit_us : limits::run_us_max;
    return run.since_boot_us + std::min(limit_us, limits::run_us_max);
}

void since(Run& run, std::int64_t time_us, Now now) {
    run.since_us = time_us;
    run.since_boot_us = now.boot_us - (now.wall_us - time_us);
}

// The last limit has passed: what was due meanwhile was the run's, the next beat is due from here.
void wait_again(Watch& watch, std::int64_t at_us, Now now) {
    const std::int64_t at_boot_us = now.boot_us - (now.wall_us - at_us);
    if (is_waiting(watch) && watch.deadline_us != 0 && watch.due_boot_us <= at_boot_us) {
        expect_after(watch, at_us, false, now);
    }
}

} // namespace

void begin_run(Watch& watch, const std::string& id, std::int64_t time_us, Now now) {
    edit_runs(watch, [&id, time_us, now](Runs& runs) {
        std::erase_if(runs.under_way, [&id](const Run& run) { return run.id == id; });
        if (runs.under_way.size() >= limits::runs_max) {
            runs.under_way.erase(runs.under_way.begin());
        }
        since(runs.under_way.emplace_back(Run{.id = id}), time_us, now);
    });
}

bool end_run(Watch& watch, const std::string& id) {
    std::size_t ended = 0;
    if (!under_way(watch).empty()) {
        edit_runs(watch, [&id, &ended](Runs& runs) {
            ended = std::erase_if(runs.under_way, [&id](const Run& run) { return id.empty() || run.id == id; });
        });
    }
    return ended > 0;
}

void keep_run_alive(Watch& watch, const std::string& id, std::int64_t time_us, Now now) {
    if (under_way(watch).empty()) {
        return;
    }
    edit_runs(watch, [&id, time_us, now](Runs& runs) {
        for (Run& run : runs.under_way) {
            if (id.empty() || run.id == id) {
                since(run, time_us, now);
                run.told = false;
            }
        }
    });
}

void forget_runs(Watch& watch) {
    if (!under_way(watch).empty()) {
        edit_runs(watch, [](Runs& runs) { runs.under_way.clear(); });
    }
}

std::vector<Happened> runs_passed(Watch& watch, Now now) {
    std::vector<Happened> happened;
    const std::optional<std::int64_t> next = next_run_boot_us(watch);
    if (!next || *next > now.boot_us) {
        return happened;
    }
    for (std::size_t i = 0; i < under_way(watch).size(); ++i) {
        const Run& run = under_way(watch)[i];
        const std::int64_t due_us = due_boot_us(watch, run);
        if (due_us <= now.boot_us && has_limit(watch, run)) {
            happened.push_back({Transition::overrun, run.id, run.since_us + watch.plan->run_limit_us});
            edit_runs(watch, [i](Runs& runs) { runs.under_way[i].told = true; });
        }
    }
    edit_runs(watch, [now](Runs& runs) {
        std::erase_if(runs.under_way,
                      [now](const Run& run) { return run.since_boot_us + limits::run_us_max <= now.boot_us; });
    });
    std::ranges::sort(happened, {}, &Happened::at_us);
    if (!happened.empty() && !within_limit(watch)) {
        wait_again(watch, happened.back().at_us, now);
    }
    if (watch.state == WatchState::started) {
        watch.state = resting_state(watch, now);
    }
    return happened;
}

bool within_limit(const Watch& watch) {
    return std::ranges::any_of(under_way(watch), [&watch](const Run& run) { return has_limit(watch, run); });
}

std::optional<std::int64_t> next_run_boot_us(const Watch& watch) {
    std::optional<std::int64_t> next;
    for (const Run& run : under_way(watch)) {
        const std::int64_t due_us = due_boot_us(watch, run);
        next = std::min(next.value_or(due_us), due_us);
    }
    return next;
}

void restart_runs(Watch& watch, Now now) {
    if (under_way(watch).empty()) {
        return;
    }
    edit_runs(watch, [now](Runs& runs) {
        for (Run& run : runs.under_way) {
            // One whose overrun is told keeps its age, so that it is forgotten in its time.
            since(run, run.told ? std::clamp(run.since_us, now.wall_us - limits::run_us_max, now.wall_us) : now.wall_us,
                  now);
        }
    });
}

} // namespace tocsin
