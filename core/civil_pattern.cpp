// SPDX-License-Identifier: Apache-2.0
#include "core/civil_pattern.hpp"

#include <algorithm>
#include <bit>

namespace tocsin {

namespace {

using std::chrono::sys_days;

constexpr std::int64_t us_per_hour = 60 * CivilPattern::us_per_minute;
constexpr std::int64_t us_per_day = 24 * us_per_hour;
constexpr sys_days first_day{std::chrono::year{CivilPattern::year_min} / 1 / 1};
constexpr sys_days last_day{std::chrono::year{CivilPattern::year_max} / 12 / 31};

// The lowest bit at or above `from`, the highest at or below it; -1: none.
int bit_from(std::uint64_t bits, int from) {
    const std::uint64_t rest = from > 63 ? 0 : bits >> from << from;
    return rest == 0 ? -1 : std::countr_zero(rest);
}

int bit_until(std::uint64_t bits, int until) {
    const std::uint64_t rest = until < 0 ? 0 : bits << (63 - until) >> (63 - until);
    return rest == 0 ? -1 : 63 - std::countl_zero(rest);
}

sys_days floor_day(std::int64_t local_us) {
    return std::chrono::floor<std::chrono::days>(
        std::chrono::sys_time<std::chrono::microseconds>{std::chrono::microseconds{local_us}});
}

std::int64_t start_us(sys_days day) {
    return std::int64_t{day.time_since_epoch().count()} * us_per_day;
}

} // namespace

std::optional<std::int64_t> CivilPattern::next(std::int64_t local_us) const {
    const std::int64_t from_us = std::max(local_us, start_us(first_day));
    const sys_days today = floor_day(from_us);
    auto day = day_from(today);
    if (day == today) {
        if (const auto time = time_from(from_us - start_us(today))) {
            return start_us(today) + *time;
        }
        day = day_from(today + std::chrono::days{1});
    }
    const auto time = time_from(0);
    return day && time ? std::optional(start_us(*day) + *time) : std::nullopt;
}

std::optional<std::int64_t> CivilPattern::previous(std::int64_t local_us) const {
    const std::int64_t until_us = std::min(local_us, start_us(last_day) + us_per_day - 1);
    const sys_days today = floor_day(until_us);
    auto day = day_until(today);
    if (day == today) {
        if (const auto time = time_until(until_us - start_us(today))) {
            return start_us(today) + *time;
        }
        day = day_until(today - std::chrono::days{1});
    }
    const auto time = time_until(us_per_day - 1);
    return day && time ? std::optional(start_us(*day) + *time) : std::nullopt;
}

bool CivilPattern::has_year(int year) const {
    const auto place = static_cast<unsigned>(year - year_min);
    return (years[place / 64] >> place % 64 & 1) != 0;
}

std::uint32_t CivilPattern::days_of(std::chrono::year year, std::chrono::month month) const {
    const auto length = static_cast<unsigned>((year / month / std::chrono::last).day());
    const unsigned first = std::chrono::weekday{sys_days{year / month / 1}}.c_encoding();
    // The week turned so that bit 0 is the first of the month's weekday, then said five times; days count from 1.
    const std::uint64_t week = (std::uint64_t{weekdays} >> first | std::uint64_t{weekdays} << (7 - first)) & 0x7F;
    constexpr std::uint64_t five_weeks = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28;
    const std::uint64_t by_week = week * five_weeks << 1;
    const std::uint64_t by_month = days[length - 28];
    const std::uint64_t exists = (2ULL << length) - 2;
    return static_cast<std::uint32_t>((either_day ? by_month | by_week : by_month & by_week) & exists);
}

std::optional<sys_days> CivilPattern::day_from(sys_days day) const {
    const std::chrono::year_month_day start{day};
    int month = static_cast<int>(static_cast<unsigned>(start.month()));
    int first = static_cast<int>(static_cast<unsigned>(start.day()));
    for (int year = static_cast<int>(start.year()); year <= year_max; ++year, month = 1, first = 1) {
        if (!has_year(year)) {
            continue;
        }
        for (int m = bit_from(months, month); m > 0 && m <= 12; m = bit_from(months, m + 1)) {
            const std::chrono::month here{static_cast<unsigned>(m)};
            const int found = bit_from(days_of(std::chrono::year{year}, here), m == month ? first : 1);
            if (found > 0) {
                return sys_days{std::chrono::year{year} / here / found};
            }
        }
    }
    return std::nullopt;
}

std::optional<sys_days> CivilPattern::day_until(sys_days day) const {
    const std::chrono::year_month_day end{day};
    int month = static_cast<int>(static_cast<unsigned>(end.month()));
    int last = static_cast<int>(static_cast<unsigned>(end.day()));
    for (int year = static_cast<int>(end.year()); year >= year_min; --year, month = 12, last = 31) {
        if (!has_year(year)) {
            continue;
        }
        for (int m = bit_until(months, month); m > 0; m = bit_until(months, m - 1)) {
            const std::chrono::month here{static_cast<unsigned>(m)};
            const int found = bit_until(days_of(std::chrono::year{year}, here), m == month ? last : 31);
            if (found > 0) {
                return sys_days{std::chrono::year{year} / here / found};
            }
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> CivilPattern::time_from(std::int64_t of_day_us) const {
    int minute_from = static_cast<int>(of_day_us % us_per_hour / us_per_minute);
    std::int64_t second_at = of_day_us % us_per_minute;
    const int hour_from = static_cast<int>(of_day_us / us_per_hour);
    for (int hour = bit_from(hours, hour_from); hour >= 0 && hour < 24; hour = bit_from(hours, hour + 1)) {
        if (hour != hour_from) {
            minute_from = 0;
            second_at = 0;
        }
        for (int m = bit_from(minutes, minute_from); m >= 0 && m < 60; m = bit_from(minutes, m + 1)) {
            if (const auto second = second_from(m == minute_from ? second_at : 0)) {
                return hour * us_per_hour + m * us_per_minute + *second;
            }
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> CivilPattern::time_until(std::int64_t of_day_us) const {
    int minute_until = static_cast<int>(of_day_us % us_per_hour / us_per_minute);
    std::int64_t second_at = of_day_us % us_per_minute;
    const int hour_until = static_cast<int>(of_day_us / us_per_hour);
    for (int hour = bit_until(hours, hour_until); hour >= 0; hour = bit_until(hours, hour - 1)) {
        if (hour != hour_until) {
            minute_until = 59;
            second_at = us_per_minute - 1;
        }
        for (int m = bit_until(minutes, minute_until); m >= 0; m = bit_until(minutes, m - 1)) {
            if (const auto second = second_until(m == minute_until ? second_at : us_per_minute - 1)) {
                return hour * us_per_hour + m * us_per_minute + *second;
            }
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> CivilPattern::second_from(std::int64_t of_minute_us) const {
    if (seconds.empty()) {
        return of_minute_us == 0 ? std::optional<std::int64_t>(0) : std::nullopt;
    }
    std::optional<std::int64_t> best;
    for (const SecondRun& run : seconds) {
        std::int64_t value = run.start_us;
        if (value < of_minute_us) {
            if (run.step_us == 0) {
                continue;
            }
            value += (of_minute_us - value + run.step_us - 1) / run.step_us * run.step_us;
            if (value > run.stop_us) {
                continue;
            }
        }
        best = best ? std::min(*best, value) : value;
    }
    return best;
}

std::optional<std::int64_t> CivilPattern::second_until(std::int64_t of_minute_us) const {
    if (seconds.empty()) {
        return 0;
    }
    std::optional<std::int64_t> best;
    for (const SecondRun& run : seconds) {
        std::int64_t value = run.start_us;
        if (value > of_minute_us) {
            continue;
        }
        if (run.step_us != 0) {
            value += (std::min<std::int64_t>(of_minute_us, run.stop_us) - value) / run.step_us * run.step_us;
        }
        best = best ? std::max(*best, value) : value;
    }
    return best;
}

} // namespace tocsin
