// SPDX-License-Identifier: Apache-2.0
// The runs of a watch: start and finish or fail with the same id make one, several may be under way, each has the run
// limit of the watch to itself. A run that was heard of 72 h ago is forgotten.
#pragma once

#include "core/heartbeat.hpp"

namespace tocsin {

// A start of an id that is under way begins it anew; one more than limits::runs_max takes the place of the oldest.
void begin_run(Watch& watch, const std::string& id, std::int64_t time_us, Now now);
// An empty id ends them all. True when there was one.
bool end_run(Watch& watch, const std::string& id);
// Its limit begins anew; an empty id speaks for them all.
void keep_run_alive(Watch& watch, const std::string& id, std::int64_t time_us, Now now);
void forget_runs(Watch& watch);

// Overruns that have come to pass, oldest first. The last run within its limit to end so lets the watch wait for a beat
// again, as if it had beaten then: a run stands in for the beats that would have been due meanwhile.
std::vector<Happened> runs_passed(Watch& watch, Now now);
// While one is, no beat is missed.
bool within_limit(const Watch& watch);
std::optional<std::int64_t> next_run_boot_us(const Watch& watch);

// After a restart or a sleep every limit begins anew.
void restart_runs(Watch& watch, Now now);

} // namespace tocsin
