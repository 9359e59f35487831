// SPDX-License-Identifier: Apache-2.0
// A civil pattern in a time zone: which instants it means, through every change of the local clock. What a change skips
// or repeats is decided by `Daylight`; spans of one offset are walked, never minutes.
#pragma once

#include "core/civil_pattern.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>

namespace tocsin {

enum class Daylight : std::uint8_t {
    every_pass,   // cron with "*" in minute or hour: what is skipped is lost, what is repeated happens twice
    first_pass,   // systemd: what is skipped is lost, what is repeated happens the first time
    none_is_lost, // cron at a fixed time: as first_pass, but what is skipped happens once, when the clock has jumped
};

class ZonedPattern {
public:
    ZonedPattern(CivilPattern pattern, Zone zone, Daylight policy);
    const Zone& zone() const { return zone_; }

    // As Schedule's.
    std::optional<std::int64_t> next_after(std::int64_t wall_us) const;
    std::optional<std::int64_t> last_until(std::int64_t wall_us) const;

private:
    std::int64_t local_from(const ZoneSpan& span, std::int64_t local_end_before) const;
    bool makes_up(const ZoneSpan& span, std::int64_t local_end_before) const;

    CivilPattern pattern_;
    Zone zone_;
    Daylight daylight_;
};

} // namespace tocsin
