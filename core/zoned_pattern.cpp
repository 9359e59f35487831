// SPDX-License-Identifier: Apache-2.0
#include "core/zoned_pattern.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {

namespace {

// More than any local clock is away from UTC, and than any change moves it.
constexpr std::int64_t two_days_us = 2LL * 86'400 * 1'000'000;
constexpr std::int64_t wall_min_us = 0;
constexpr std::int64_t wall_max_us =
    std::chrono::sys_time<std::chrono::microseconds>{
        std::chrono::sys_days{std::chrono::year{CivilPattern::year_max + 1} / 1 / 1}}
        .time_since_epoch()
        .count() +
    two_days_us;

} // namespace

ZonedPattern::ZonedPattern(CivilPattern pattern, Zone zone, Daylight policy)
    : pattern_(std::move(pattern)), zone_(std::move(zone)), daylight_(policy) {}

// Where the local clock of a span shows what it has not shown before (or begins, where a second pass counts).
std::int64_t ZonedPattern::local_from(const ZoneSpan& span, std::int64_t local_end_before) const {
    const std::int64_t begin = span.begin_us + span.offset_us;
    return daylight_ == Daylight::every_pass ? begin : std::max(begin, local_end_before);
}

// Whether the jump at the beginning of a span skipped something that is made up for there.
bool ZonedPattern::makes_up(const ZoneSpan& span, std::int64_t local_end_before) const {
    if (daylight_ != Daylight::none_is_lost) {
        return false;
    }
    const auto skipped = pattern_.next(local_end_before);
    return skipped && *skipped < span.begin_us + span.offset_us;
}

std::optional<std::int64_t> ZonedPattern::next_after(std::int64_t wall_us) const {
    std::int64_t at = std::clamp(wall_us, wall_min_us - 1, wall_max_us) + 1;
    while (at <= wall_max_us) {
        const ZoneSpan span = zone_.span_at(at);
        const std::int64_t before = span.begin_us + zone_.span_at(span.begin_us - 1).offset_us;
        if (at == span.begin_us && makes_up(span, before)) {
            return at;
        }
        const auto local = pattern_.next(std::max(at + span.offset_us, local_from(span, before)));
        if (local && *local < span.end_us + span.offset_us) {
            return *local - span.offset_us;
        }
        if (!local && daylight_ != Daylight::every_pass) {
            return std::nullopt;
        }
        // Nothing up to `local`: what lies between is passed over, unless a change near `at` may turn the clock back.
        const std::int64_t far = local ? *local - two_days_us : wall_max_us;
        at = span.end_us - at > two_days_us ? std::max(span.end_us, far) : span.end_us;
    }
    return std::nullopt;
}

std::optional<std::int64_t> ZonedPattern::last_until(std::int64_t wall_us) const {
    std::int64_t at = std::min(wall_us, wall_max_us);
    while (at >= wall_min_us) {
        const ZoneSpan span = zone_.span_at(at);
        const std::int64_t before = span.begin_us + zone_.span_at(span.begin_us - 1).offset_us;
        const auto local = pattern_.previous(at + span.offset_us);
        if (local && *local >= local_from(span, before)) {
            const std::int64_t found = *local - span.offset_us;
            return found >= wall_min_us ? std::optional(found) : std::nullopt;
        }
        if (makes_up(span, before)) {
            return span.begin_us >= wall_min_us ? std::optional(span.begin_us) : std::nullopt;
        }
        const std::int64_t far = local ? *local + two_days_us : wall_min_us - 1;
        at = at - span.begin_us > two_days_us ? std::min(span.begin_us - 1, far) : span.begin_us - 1;
    }
    return std::nullopt;
}

} // namespace tocsin
