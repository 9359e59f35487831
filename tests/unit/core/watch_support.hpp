// SPDX-License-Identifier: Apache-2.0
// One moment told by both clocks, and beats at it.
#pragma once

#include "core/heartbeat.hpp"
#include "tests/unit/core/fake_schedule.hpp"

namespace tocsin::watches {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t hour = 3'600 * second;
constexpr std::int64_t wall_start = 1'767'322'800 * second; // 2026-01-02T03:00:00Z, a full hour

// Boot time began a day before.
inline Now at(std::int64_t us) {
    return Now{wall_start + us, 86'400 * second + us};
}

inline Beat beat_at(std::int64_t us, BeatKind kind = BeatKind::ok, std::string run = "") {
    Beat beat;
    beat.key = {"pump", 3};
    beat.kind = kind;
    beat.run = std::move(run);
    beat.time_us = at(us).wall_us;
    return beat;
}

// Beats now, at `us`.
inline std::vector<Happened> beat(Watch& watch, std::int64_t us, BeatKind kind = BeatKind::ok, std::string run = "") {
    return apply_beat(watch, beat_at(us, kind, std::move(run)), {}, at(us));
}

inline Watch watch_of(std::int64_t interval_us, std::int64_t grace_us, std::int64_t run_limit_us = 0) {
    Watch watch{.key = {"pump", 3}};
    configure(watch, {.interval_us = interval_us, .grace_us = grace_us, .run_limit_us = run_limit_us}, at(0));
    return watch;
}

inline Watch watch_by(std::string_view schedule, std::int64_t grace_us, std::int64_t early_us = 0,
                      std::int64_t run_limit_us = 0) {
    Watch watch{.key = {"pump", 3}};
    configure(watch,
              {.grace_us = grace_us,
               .schedule = fake_schedule(schedule, "").value(),
               .early_us = early_us,
               .run_limit_us = run_limit_us},
              at(0));
    return watch;
}

} // namespace tocsin::watches
