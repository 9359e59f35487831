// SPDX-License-Identifier: Apache-2.0
// When a watch is due: after a beat, after a restart of the daemon, after the machine slept, and after somebody set the
// wall clock. Deadlines are kept twice: deadline_us in wall time for people, due_boot_us in boot time for the timer.
#pragma once

#include "core/heartbeat.hpp"

namespace tocsin {

// The first slot that is still ahead for someone who is heard at `wall_us` and counts for a slot up to `early_us`
// before it, though never more than half of the time since the slot before.
std::optional<std::int64_t> slot_after(const Schedule& schedule, std::int64_t early_us, std::int64_t wall_us);

// It is watched and up, late or started: a beat is due some time.
bool is_waiting(const Watch& watch);
// Up or late, or started while a run is under way.
WatchState resting_state(const Watch& watch, Now now);

// The watch was heard at `time_us`. `early`: it may count for the slot ahead. A slot that was counted for is never due
// again.
void expect_after(Watch& watch, std::int64_t time_us, bool early, Now now);
// Nothing is known about the time before now: a full interval, or the first slot that can be judged.
void expect_anew(Watch& watch, Now now);

// The daemon starts: what may have been sent while it was away is nobody's miss. True when the row must be stored anew.
bool hold_after_restart(Watch& watch, Now now);
// The machine slept `slept_us` until now.
void hold_after_sleep(Watch& watch, std::int64_t slept_us, Now now);
// The wall clock was set by `step_us` and is now.wall_us since.
void follow_wall_step(Watch& watch, std::int64_t step_us, Now now);

} // namespace tocsin
