// SPDX-License-Identifier: Apache-2.0
// The pace of a source that nobody watches, from the gaps between its beats: what can be proposed for it, or learned.
#pragma once

#include "core/heartbeat.hpp"

namespace tocsin {

inline constexpr std::size_t rhythm_gaps_shown = 3;                  // a proposal needs so many gaps
inline constexpr std::size_t rhythm_gaps_learned = Rhythm::gaps_max; // a watch that is learned

struct Pace {
    std::int64_t interval_us = 0; // the median gap
    std::int64_t grace_us = 0;    // half of it, or what the longest gap needed
};

// A beat of a watch that is `new`, before its last_us moves on.
void note_gap(Watch& watch, BeatKind kind, std::int64_t time_us);
// nullopt with fewer than `gaps`, or where the pace is beyond the bounds of an interval.
std::optional<Pace> pace_of(const Rhythm& rhythm, std::size_t gaps);

} // namespace tocsin
