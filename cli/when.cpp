// SPDX-License-Identifier: Apache-2.0
#include "cli/when.hpp"

#include "core/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace tocsin::cli {
namespace {

constexpr std::int64_t us_per_s = 1'000'000;
constexpr std::int64_t minute_s = 60;
constexpr std::int64_t hour_s = 3'600;
constexpr std::int64_t day_s = 86'400;
constexpr int tm_year_base = 1900;

struct Unit {
    std::string_view name; // and its plural with s
    std::int64_t seconds;
};
constexpr std::array<Unit, 14> units{{
    {"s", 1},
    {"sec", 1},
    {"second", 1},
    {"m", minute_s},
    {"min", minute_s},
    {"minute", minute_s},
    {"h", hour_s},
    {"hr", hour_s},
    {"hour", hour_s},
    {"d", day_s},
    {"day", day_s},
    {"w", 7 * day_s},
    {"week", 7 * day_s},
    {"year", 365 * day_s},
}};

void skip_spaces(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

std::optional<std::int64_t> unit_seconds(std::string_view name) {
    if (name == "y") {
        return 365 * day_s;
    }
    for (const Unit& unit : units) {
        const bool plural = unit.name.size() > 1 && name.size() == unit.name.size() + 1 &&
                            name.starts_with(unit.name) && name.back() == 's';
        if (name == unit.name || plural) {
            return unit.seconds;
        }
    }
    return std::nullopt;
}

// "1 hour 30 min", "1h30m", "90s".
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
        skip_spaces(text);
        const std::string_view name = text.substr(0, text.find_first_of(" 0123456789"));
        const auto seconds = unit_seconds(name);
        std::int64_t part = 0;
        if (!seconds || __builtin_mul_overflow(amount, *seconds * us_per_s, &part) ||
            __builtin_add_overflow(sum, part, &sum)) {
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

std::int64_t local_midnight_us(std::int64_t now_us, int days) {
    std::tm parts = broken_down(now_us, false);
    parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
    parts.tm_mday += days;
    parts.tm_isdst = -1;
    return static_cast<std::int64_t>(std::mktime(&parts)) * us_per_s;
}

std::string offset_text(long seconds) {
    const long minutes = (seconds < 0 ? -seconds : seconds) / minute_s;
    return fmt::format("{}{:02}:{:02}", seconds < 0 ? '-' : '+', minutes / minute_s, minutes % minute_s);
}

} // namespace

std::optional<std::int64_t> relative_time_us(std::string_view text, std::int64_t now_us) {
    if (text == "now") {
        return now_us;
    }
    constexpr std::array<std::string_view, 3> days{"yesterday", "today", "tomorrow"};
    for (std::size_t i = 0; i < days.size(); ++i) {
        if (text == days.at(i)) {
            return local_midnight_us(now_us, static_cast<int>(i) - 1);
        }
    }
    constexpr std::string_view ago = " ago";
    if (text.ends_with(ago)) {
        const auto span = span_us(text.substr(0, text.size() - ago.size()));
        return span ? std::optional(now_us - *span) : std::nullopt;
    }
    if (text.starts_with('-') || text.starts_with('+')) {
        const auto span = span_us(text.substr(1));
        return span ? std::optional(text.front() == '-' ? now_us - *span : now_us + *span) : std::nullopt;
    }
    return std::nullopt;
}

std::string time_for_daemon(std::string_view text, std::int64_t now_us) {
    const auto us = relative_time_us(text, now_us);
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
