// SPDX-License-Identifier: Apache-2.0
#include "cli/when.hpp"

#include "core/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <utility>

namespace tocsin::cli {
namespace {

constexpr std::int64_t us_per_ms = 1'000;
constexpr std::int64_t us_per_s = 1'000'000;
constexpr std::int64_t minute_us = 60 * us_per_s;
constexpr std::int64_t hour_us = 60 * minute_us;
constexpr std::int64_t day_us = 24 * hour_us;
constexpr std::int64_t month_us = 30 * day_us + day_us * 7 / 16; // as systemd has it
constexpr std::int64_t minute_s = 60;
constexpr std::int64_t hour_s = 3'600;
constexpr std::int64_t day_s = 86'400;
constexpr int tm_year_base = 1900;
constexpr std::size_t date_length = 10; // of 2026-01-31

struct Unit {
    std::string_view name;
    std::int64_t us;
    bool plural = false; // with an s, too
};
constexpr std::array<Unit, 25> units{{
    {"us", 1},
    {"usec", 1, true},
    {"microsecond", 1, true},
    {"ms", us_per_ms},
    {"msec", us_per_ms, true},
    {"millisecond", us_per_ms, true},
    {"s", us_per_s},
    {"sec", us_per_s, true},
    {"second", us_per_s, true},
    {"m", minute_us},
    {"min", minute_us, true},
    {"minute", minute_us, true},
    {"h", hour_us},
    {"hr", hour_us, true},
    {"hour", hour_us, true},
    {"d", day_us},
    {"day", day_us, true},
    {"w", 7 * day_us},
    {"week", 7 * day_us, true},
    {"M", month_us},
    {"month", month_us, true},
    {"y", 365 * day_us},
    {"yr", 365 * day_us, true},
    {"year", 365 * day_us, true},
    {"\u00b5s", 1},
}};

void skip_spaces(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

std::optional<std::int64_t> unit_us(std::string_view name) {
    const auto fits = [name](const Unit& unit) {
        return name == unit.name || (unit.plural && name.size() == unit.name.size() + 1 &&
                                     name.starts_with(unit.name) && name.back() == 's');
    };
    const auto found = std::ranges::find_if(units, fits);
    return found == units.end() ? std::nullopt : std::optional(found->us);
}

// ".5" at the front of `text`; 0 without one, nullopt for a dot that no digit follows.
std::optional<double> take_fraction(std::string_view& text) {
    if (!text.starts_with('.')) {
        return 0;
    }
    text.remove_prefix(1);
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    double value = 0;
    double unit = 1;
    for (const char c : text.substr(0, digits)) {
        unit /= 10;
        value += (c - '0') * unit;
    }
    text.remove_prefix(digits);
    return digits == 0 ? std::nullopt : std::optional(value);
}

// "1 hour 30 min", "1h30m", "1.5h", "90s".
std::optional<std::int64_t> span_us(std::string_view text) {
    std::int64_t sum = 0;
    skip_spaces(text);
    if (text.empty()) {
        return std::nullopt;
    }
    while (!text.empty()) {
        std::int64_t amount = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), amount);
        if (problem != std::errc{} || amount < 0) {
            return std::nullopt;
        }
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const auto fraction = take_fraction(text);
        skip_spaces(text);
        const std::string_view name = text.substr(0, text.find_first_of(" 0123456789"));
        const auto unit = unit_us(name);
        std::int64_t part = 0;
        if (!unit || !fraction || __builtin_mul_overflow(amount, *unit, &part) ||
            __builtin_add_overflow(sum, part, &sum) ||
            __builtin_add_overflow(sum, std::llround(*fraction * static_cast<double>(*unit)), &sum)) {
            return std::nullopt;
        }
        text.remove_prefix(name.size());
        skip_spaces(text);
    }
    return sum;
}

std::tm broken_down(std::int64_t us, bool utc) {
    const auto seconds = static_cast<std::time_t>(us / us_per_s - (us % us_per_s < 0 ? 1 : 0));
    std::tm parts{};
    if (utc) {
        ::gmtime_r(&seconds, &parts);
    } else {
        ::localtime_r(&seconds, &parts);
    }
    return parts;
}

std::string offset_text(long seconds) {
    const long minutes = (seconds < 0 ? -seconds : seconds) / minute_s;
    return fmt::format("{}{:02}:{:02}", seconds < 0 ? '-' : '+', minutes / minute_s, minutes % minute_s);
}

// The zone of a time: one that is named, or the machine's.
class Place {
public:
    // nullopt when there is no zone of that name.
    static std::optional<Place> named(std::string_view name) {
        auto zone = Zone::find(name);
        return zone ? std::optional(Place(std::move(*zone))) : std::nullopt;
    }
    static Place here() { return Place(std::nullopt); }

    // "2026-01-31"
    std::string day(std::int64_t now_us, int days) const {
        const std::int64_t offset = zone_ ? zone_->span_at(now_us).offset_us : offset_here(now_us);
        return format_time(now_us + offset + days * day_us).substr(0, date_length);
    }
    // A civil time in µs, as if it were UTC.
    std::int64_t to_utc_us(std::int64_t civil_us) const {
        if (zone_) {
            return zone_->to_utc_us(civil_us);
        }
        std::tm parts = broken_down(civil_us, true);
        parts.tm_isdst = -1;
        const std::int64_t below_second = ((civil_us % us_per_s) + us_per_s) % us_per_s;
        return static_cast<std::int64_t>(std::mktime(&parts)) * us_per_s + below_second;
    }

private:
    explicit Place(std::optional<Zone> zone) : zone_(std::move(zone)) {}
    static std::int64_t offset_here(std::int64_t now_us) {
        return std::int64_t{broken_down(now_us, false).tm_gmtoff} * us_per_s;
    }
    std::optional<Zone> zone_;
};

// now, "-1h", "+30m", "2h ago", and "2h", which is said of the past.
std::optional<std::int64_t> distance_us(std::string_view text, std::int64_t now_us) {
    constexpr std::string_view ago = " ago";
    const bool ahead = text.starts_with('+');
    if (ahead || text.starts_with('-')) {
        text.remove_prefix(1);
    } else if (text.ends_with(ago)) {
        text.remove_suffix(ago.size());
    }
    const auto span = span_us(text);
    std::int64_t time = 0;
    if (!span || __builtin_add_overflow(now_us, ahead ? *span : -*span, &time)) {
        return std::nullopt;
    }
    return time;
}

// What follows an @: seconds, as date +@%s and systemd have it.
std::optional<std::int64_t> epoch_us(std::string_view text) {
    std::int64_t seconds = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (problem != std::errc{}) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto fraction = take_fraction(text);
    std::int64_t time = 0;
    if (!fraction || !text.empty() || __builtin_mul_overflow(seconds, us_per_s, &time)) {
        return std::nullopt;
    }
    return time + std::llround(*fraction * static_cast<double>(us_per_s));
}

std::string_view take_word(std::string_view& text) {
    skip_spaces(text);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    skip_spaces(text);
    return word;
}

std::optional<int> spoken_day(std::string_view word) {
    constexpr std::array<std::string_view, 3> days{"yesterday", "today", "tomorrow"};
    const auto* const found = std::ranges::find(days, word);
    return found == days.end() ? std::nullopt : std::optional(static_cast<int>(found - days.begin()) - 1);
}

// 2026-01-31 or 31-Jan-2026; what the letters are is for parse_time_us to say.
bool is_date(std::string_view word) {
    return (word.size() >= date_length && word.size() <= date_length + 1) && std::ranges::count(word, '-') == 2;
}

// "10:00", "10:00:30", "10:00:30.5"
bool is_clock(std::string_view word) {
    return word.find(':') != std::string_view::npos && word.find_first_not_of("0123456789:.") == std::string_view::npos;
}

// [DATE|DAY] [CLOCK] [ZONE], the first of them there.
std::optional<std::int64_t> civil_time_us(std::string_view text, std::int64_t now_us) {
    std::string joined(text);
    if (joined.size() > date_length && joined[date_length] == 'T') {
        joined[date_length] = ' ';
    }
    std::string_view rest = joined;
    std::string_view word = take_word(rest);
    const auto days = spoken_day(word);
    const std::string_view date = days || is_date(word) ? std::exchange(word, take_word(rest)) : std::string_view{};
    const std::string_view clock = is_clock(word) ? std::exchange(word, take_word(rest)) : std::string_view{};
    if ((date.empty() && clock.empty()) || !rest.empty()) {
        return std::nullopt;
    }
    const auto place = word.empty() ? Place::here() : Place::named(word);
    if (!place) {
        return std::nullopt;
    }
    const bool needs_seconds = std::ranges::count(clock, ':') == 1;
    const auto civil =
        parse_time_us(fmt::format("{} {}{}", date.empty() || days ? place->day(now_us, days.value_or(0)) : date,
                                  clock.empty() ? "00:00" : clock, clock.empty() || needs_seconds ? ":00" : ""),
                      Zone::utc());
    return civil ? std::optional(place->to_utc_us(*civil)) : std::nullopt;
}

} // namespace

std::optional<std::int64_t> spoken_time_us(std::string_view text, std::int64_t now_us) {
    if (text == "now") {
        return now_us;
    }
    if (text.starts_with('@')) {
        return epoch_us(text.substr(1));
    }
    const auto distance = distance_us(text, now_us);
    return distance ? distance : civil_time_us(text, now_us);
}

std::string time_for_daemon(std::string_view text, std::int64_t now_us) {
    const auto us = spoken_time_us(text, now_us);
    return us ? format_time(*us) : std::string(text);
}

std::string show_time_us(std::int64_t us, bool utc) {
    const std::tm parts = broken_down(us, utc);
    const std::int64_t ms = ((us % us_per_s) + us_per_s) % us_per_s / 1'000;
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}{}", parts.tm_year + tm_year_base, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, ms,
                       utc ? "Z" : offset_text(parts.tm_gmtoff));
}

std::string show_time(std::string_view rfc3339, bool utc) {
    if (rfc3339.empty()) {
        return {};
    }
    const auto us = parse_time_us(rfc3339, Zone::utc());
    return us ? show_time_us(*us, utc) : std::string(rfc3339);
}

std::string show_short_time(std::string_view rfc3339, bool utc) {
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto us = parse_time_us(rfc3339, Zone::utc());
    if (!us) {
        return std::string(rfc3339);
    }
    const std::tm parts = broken_down(*us, utc);
    return fmt::format("{} {:02} {:02}:{:02}:{:02}", months.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_mday,
                       parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string show_age_us(std::int64_t us) {
    const std::int64_t seconds = std::max<std::int64_t>(us, 0) / us_per_s;
    if (seconds < minute_s) {
        return fmt::format("{}s", seconds);
    }
    if (seconds < hour_s) {
        return fmt::format("{}m {}s", seconds / minute_s, seconds % minute_s);
    }
    if (seconds < day_s) {
        return fmt::format("{}h {}m", seconds / hour_s, seconds % hour_s / minute_s);
    }
    return fmt::format("{}d {}h", seconds / day_s, seconds % day_s / hour_s);
}

} // namespace tocsin::cli
