// SPDX-License-Identifier: Apache-2.0
// Which moments of a local clock a schedule means, whatever notation it was written in: sets of years, months, days,
// weekdays, hours and minutes as bits, and runs of seconds. Local times are µs since 1970-01-01T00:00 of that clock;
// what a time zone makes of them is not known here.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace tocsin {

// start, start + step, … up to stop, within a minute; a step of 0 is start alone.
struct SecondRun {
    std::int32_t start_us = 0;
    std::int32_t stop_us = 0;
    std::int32_t step_us = 0;
};

class CivilPattern {
public:
    static constexpr int year_min = 1970;
    static constexpr int year_max = 2199;
    static constexpr std::int64_t us_per_minute = 60'000'000;

    // The first match at or after `local_us`, the last one at or before it; nullopt: none within the years.
    std::optional<std::int64_t> next(std::int64_t local_us) const;
    std::optional<std::int64_t> previous(std::int64_t local_us) const;

    // Bit n is the value n, of years the value 1970 + n. As made, every midnight.
    std::array<std::uint64_t, 4> years{~0ULL, ~0ULL, ~0ULL, ~0ULL};
    std::array<std::uint32_t, 4> days{~0U, ~0U, ~0U, ~0U}; // of months with 28, 29, 30, 31 days
    std::uint64_t minutes = 1;
    std::uint32_t hours = 1;
    std::uint16_t months = 0xFFFF;
    std::uint8_t weekdays = 0x7F;   // bit 0 is Sunday
    bool either_day = false;        // the day of the month or the weekday is enough
    std::vector<SecondRun> seconds; // empty: second 0 alone, which needs no memory

private:
    std::uint32_t days_of(std::chrono::year year, std::chrono::month month) const;
    bool has_year(int year) const;
    std::optional<std::chrono::sys_days> day_from(std::chrono::sys_days day) const;
    std::optional<std::chrono::sys_days> day_until(std::chrono::sys_days day) const;
    std::optional<std::int64_t> time_from(std::int64_t of_day_us) const;
    std::optional<std::int64_t> time_until(std::int64_t of_day_us) const;
    std::optional<std::int64_t> second_from(std::int64_t of_minute_us) const;
    std::optional<std::int64_t> second_until(std::int64_t of_minute_us) const;
};

} // namespace tocsin
