// SPDX-License-Identifier: Apache-2.0
#include "core/heartbeat_rhythm.hpp"

#include "core/limits.hpp"

#include <algorithm>
#include <limits>

namespace tocsin {
namespace {

constexpr std::int64_t us_per_ms = 1'000;

std::uint32_t add_ms(std::uint32_t waited_ms, std::int64_t gap_us) {
    constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max(); // 49 days
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(waited_ms + gap_us / us_per_ms, 0, most));
}

// A run is one beat, whether it says start and finish or only one of them.
bool counts(Rhythm& rhythm, BeatKind kind) {
    rhythm.starts = rhythm.starts || kind == BeatKind::start;
    return kind == BeatKind::start || (kind != BeatKind::alive && !rhythm.starts);
}

} // namespace

void note_gap(Watch& watch, BeatKind kind, std::int64_t time_us) {
    watch.rhythm.edit([&watch, kind, time_us](Rhythm& rhythm) {
        const std::int64_t gap_us = watch.last_us == 0 ? 0 : time_us - watch.last_us;
        rhythm.waited_ms = add_ms(rhythm.waited_ms, gap_us);
        if (!counts(rhythm, kind) || rhythm.waited_ms == 0) {
            return; // two in the same instant are one
        }
        rhythm.gaps_ms.at(rhythm.at) = rhythm.waited_ms;
        rhythm.at = static_cast<std::uint8_t>((rhythm.at + 1U) % Rhythm::gaps_max);
        rhythm.count = static_cast<std::uint8_t>(std::min<std::size_t>(rhythm.count + 1U, Rhythm::gaps_max));
        rhythm.waited_ms = 0;
    });
}

std::optional<Pace> pace_of(const Rhythm& rhythm, std::size_t gaps) {
    if (rhythm.count < gaps || rhythm.count == 0) {
        return std::nullopt;
    }
    std::array<std::uint32_t, Rhythm::gaps_max> sorted = rhythm.gaps_ms;
    const auto end = sorted.begin() + rhythm.count;
    std::sort(sorted.begin(), end);
    const std::int64_t interval_us = sorted.at(rhythm.count / 2U) * us_per_ms;
    if (interval_us < limits::interval_us_min || interval_us > limits::interval_us_max) {
        return std::nullopt;
    }
    const std::int64_t longest_us = sorted.at(rhythm.count - 1U) * us_per_ms;
    const std::int64_t grace_us = std::max(interval_us / 2, longest_us - interval_us);
    return Pace{interval_us, std::clamp(grace_us, limits::interval_us_min, limits::interval_us_max)};
}

} // namespace tocsin
