// SPDX-License-Identifier: Apache-2.0
#include "core/time.hpp"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

namespace tocsin {

namespace {

constexpr std::int64_t us_per_s = 1'000'000;
constexpr std::int64_t us_per_minute = 60 * us_per_s;
constexpr std::int64_t us_per_day = 86'400 * us_per_s;
constexpr std::array<std::string_view, 12> months{"jan", "feb", "mar", "apr", "may", "jun",
                                                  "jul", "aug", "sep", "oct", "nov", "dec"};

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Reads a text from the left; every take is all or nothing.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}
    bool done() const { return rest_.empty(); }
    char next() const { return rest_.empty() ? '\0' : rest_.front(); }

    bool take(char wanted) {
        if (next() != wanted || done()) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    // Exactly `digits` of them.
    std::optional<int> number(std::size_t digits) {
        if (rest_.size() < digits) {
            return std::nullopt;
        }
        int value = 0;
        for (const char c : rest_.substr(0, digits)) {
            if (!is_digit(c)) {
                return std::nullopt;
            }
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(digits);
        return value;
    }

    // 1…12 of "Jan"…"Dec" in any case.
    std::optional<int> month_name() {
        if (rest_.size() < 3) {
            return std::nullopt;
        }
        const std::array<char, 3> name{to_lower(rest_[0]), to_lower(rest_[1]), to_lower(rest_[2])};
        for (std::size_t i = 0; i < months.size(); ++i) {
            if (months[i] == std::string_view(name.data(), name.size())) {
                rest_.remove_prefix(3);
                return static_cast<int>(i) + 1;
            }
        }
        return std::nullopt;
    }

    // ".f…": microseconds, what is finer is cut off. Zero without one; nullopt for a dot without digits.
    std::optional<std::int64_t> fraction_us() {
        if (!take('.')) {
            return 0;
        }
        if (!is_digit(next())) {
            return std::nullopt;
        }
        std::int64_t value = 0;
        std::int64_t unit = us_per_s / 10;
        while (is_digit(next())) {
            value += (next() - '0') * unit;
            unit /= 10;
            rest_.remove_prefix(1);
        }
        return value;
    }

private:
    std::string_view rest_;
};

struct Civil {
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    std::int64_t fraction_us = 0;
};

// What is not right with it; a leap second is judged later, when its UTC is known.
std::optional<std::string> civil_problem(const Civil& civil) {
    const std::chrono::year_month_day day{std::chrono::year(civil.year),
                                          std::chrono::month(static_cast<unsigned>(civil.month)),
                                          std::chrono::day(static_cast<unsigned>(civil.day))};
    if (!day.ok()) {
        return "there is no such day";
    }
    if (civil.hour > 23 || civil.minute > 59 || civil.second > 60) {
        return "there is no such time of day";
    }
    return std::nullopt;
}

std::int64_t local_us(const Civil& civil) {
    const std::chrono::sys_days days = std::chrono::year_month_day{
        std::chrono::year(civil.year), std::chrono::month(static_cast<unsigned>(civil.month)),
        std::chrono::day(static_cast<unsigned>(civil.day))};
    const std::int64_t seconds = (civil.hour * 60 + civil.minute) * 60 + civil.second;
    return std::int64_t{days.time_since_epoch().count()} * us_per_day + seconds * us_per_s + civil.fraction_us;
}

// HH:MM:SS[.f]
bool read_clock(Reader& in, Civil& civil) {
    const auto hour = in.number(2);
    if (!hour || !in.take(':')) {
        return false;
    }
    const auto minute = in.number(2);
    if (!minute || !in.take(':')) {
        return false;
    }
    const auto second = in.number(2);
    const auto fraction = second ? in.fraction_us() : std::nullopt;
    if (!fraction) {
        return false;
    }
    civil.hour = *hour;
    civil.minute = *minute;
    civil.second = *second;
    civil.fraction_us = *fraction;
    return true;
}

// YYYY-MM-DD, then "T", "t" or a space
bool read_iso_date(Reader& in, Civil& civil) {
    const auto year = in.number(4);
    if (!year || !in.take('-')) {
        return false;
    }
    const auto month = in.number(2);
    if (!month || !in.take('-')) {
        return false;
    }
    const auto day = in.number(2);
    if (!day || !(in.take('T') || in.take('t') || in.take(' '))) {
        return false;
    }
    civil.year = *year;
    civil.month = *month;
    civil.day = *day;
    return true;
}

// D-Mon-YYYY or DD-Mon-YYYY, then a space
bool read_month_name_date(Reader& in, Civil& civil, bool two_digits) {
    const auto day = in.number(two_digits ? 2 : 1);
    if (!day || !in.take('-')) {
        return false;
    }
    const auto month = in.month_name();
    if (!month || !in.take('-')) {
        return false;
    }
    const auto year = in.number(4);
    if (!year || !in.take(' ')) {
        return false;
    }
    civil.year = *year;
    civil.month = *month;
    civil.day = *day;
    return true;
}

// "Z", "z", ±HH:MM or ±HHMM at the end of the text; nullopt when it is none of them.
std::optional<std::int64_t> read_offset_us(Reader& in) {
    if (in.take('Z') || in.take('z')) {
        return in.done() ? std::optional<std::int64_t>(0) : std::nullopt;
    }
    const std::int64_t sign = in.next() == '-' ? -1 : 1;
    if (!in.take('-') && !in.take('+')) {
        return std::nullopt;
    }
    const auto hours = in.number(2);
    in.take(':');
    const auto minutes = hours ? in.number(2) : std::nullopt;
    if (!minutes || !in.done() || *hours > 23 || *minutes > 59) {
        return std::nullopt;
    }
    return sign * (*hours * 60 + *minutes) * us_per_minute;
}

std::unexpected<Error> time_error(std::string_view why) {
    return fail(Code::invalid_argument, "time", "",
                "is not a time: " + std::string(why) +
                    "; write 2026-01-02T03:04:05Z, 2026-01-02 03:04:05, 02-Jan-2026 03:04:05 or a number");
}

bool all_digits(std::string_view text) {
    if (text.starts_with('-')) {
        text.remove_prefix(1);
    }
    for (const char c : text) {
        if (!is_digit(c)) {
            return false;
        }
    }
    return !text.empty();
}

std::int64_t floor_div(std::int64_t value, std::int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

char digit(std::int64_t value) {
    return static_cast<char>('0' + value % 10);
}

// Two digits, each at its place.
void put_two(char* at, std::int64_t value) {
    at[0] = digit(value / 10);
    at[1] = digit(value);
}

// Far enough away that no time which can be written is outside, and near enough to be counted on with.
constexpr std::int64_t far_s = 900'000'000'000;

// The database lists what a zone's rule makes of the years up to this one; later ones are for the reader to work out.
constexpr std::chrono::year_month_day listed_until = std::chrono::year{2037} / 12 / 31;

std::int64_t start_us(std::chrono::sys_days day) {
    return std::int64_t{day.time_since_epoch().count()} * us_per_day;
}

ZoneSpan stored_span(const date::time_zone& zone, std::int64_t utc_us) {
    const date::sys_info info = zone.get_info(date::sys_seconds(std::chrono::seconds(floor_div(utc_us, us_per_s))));
    const auto bound_us = [](date::sys_seconds at) {
        return std::clamp<std::int64_t>(at.time_since_epoch().count(), -far_s, far_s) * us_per_s;
    };
    return {bound_us(info.begin), bound_us(info.end), info.offset.count() * us_per_s};
}

// A rule names months and weekdays ("the last Sunday of March"): a listed year whose weekdays fall alike shows what it
// makes of a later one. From March on leap years are like others, so the year is looked at in two parts.
ZoneSpan span_by_rule(const date::time_zone& zone, const ZoneSpan& last, std::int64_t utc_us) {
    const std::int64_t listed_end_us = start_us(std::chrono::sys_days{listed_until} + std::chrono::days{1});
    if (utc_us < listed_end_us) {
        return {last.begin_us, listed_end_us, last.offset_us};
    }
    const std::chrono::year_month_day date{
        std::chrono::sys_days{std::chrono::days{static_cast<int>(floor_div(utc_us, us_per_day))}}};
    const bool late = date.month() >= std::chrono::March;
    const std::chrono::month first = late ? std::chrono::March : std::chrono::January;
    const std::chrono::sys_days begin{date.year() / first / 1};
    const std::chrono::sys_days end{late ? (date.year() + std::chrono::years{1}) / 1 / 1 : date.year() / 3 / 1};
    std::chrono::year alike = listed_until.year();
    while (std::chrono::weekday{alike / first / 1} != std::chrono::weekday{begin}) {
        --alike;
    }
    const std::int64_t shift_us = start_us(begin) - start_us(alike / first / 1);
    const ZoneSpan span = stored_span(zone, utc_us - shift_us);
    return {std::max(span.begin_us + shift_us, start_us(begin)), std::min(span.end_us + shift_us, start_us(end)),
            span.offset_us};
}

} // namespace

Zone Zone::utc() {
    return {};
}

Result<Zone> Zone::find(std::string_view name) {
    Zone zone;
    if (name == "UTC" || name == "Etc/UTC") {
        zone.name_ = name;
        return zone;
    }
    try {
        zone.zone_ = date::locate_zone(std::string(name));
        zone.name_ = name;
        // Reads the zone's file now: later calls do not fail.
        static_cast<void>(zone.to_utc_us(0));
        return zone;
    } catch (const std::exception&) {
        return fail(Code::invalid_argument, "time zone", std::string(name),
                    "is not in this system's time zone database; write a name like \"UTC\" or \"Europe/Berlin\"");
    }
}

std::int64_t Zone::to_utc_us(std::int64_t local_us) const {
    if (zone_ == nullptr) {
        return local_us;
    }
    const std::int64_t local_s = floor_div(local_us, us_per_s);
    const date::local_info info = zone_->get_info(date::local_seconds(std::chrono::seconds(local_s)));
    if (info.result == date::local_info::nonexistent) {
        return info.first.end.time_since_epoch().count() * us_per_s;
    }
    return local_us - info.first.offset.count() * us_per_s;
}

ZoneSpan Zone::span_at(std::int64_t utc_us) const {
    if (zone_ == nullptr) {
        return {-far_s * us_per_s, far_s * us_per_s, 0};
    }
    const ZoneSpan span = stored_span(*zone_, utc_us);
    // A zone whose list goes on longer, or ended before, has no rule.
    const bool by_rule = span.end_us == far_s * us_per_s && span.begin_us >= start_us(listed_until.year() / 1 / 1) &&
                         span.begin_us <= start_us(listed_until);
    return by_rule ? span_by_rule(*zone_, span, utc_us) : span;
}

Result<std::int64_t> parse_time_us(std::string_view text, const Zone& zone) {
    if (all_digits(text)) {
        std::int64_t value = 0;
        if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
            return time_error("the number is too large");
        }
        return time_us_from_integer(value);
    }
    Civil civil;
    Reader in(text);
    const bool iso = text.size() > 4 && text[4] == '-';
    const bool date_read =
        iso ? read_iso_date(in, civil) : read_month_name_date(in, civil, text.size() > 2 && text[2] == '-');
    if (!date_read || !read_clock(in, civil)) {
        return time_error("it has none of the known forms");
    }
    if (const auto problem = civil_problem(civil)) {
        return time_error(*problem);
    }
    std::int64_t utc_us = 0;
    if (in.done()) {
        utc_us = zone.to_utc_us(local_us(civil));
    } else {
        const auto offset_us = iso ? read_offset_us(in) : std::nullopt;
        if (!offset_us) {
            return time_error("what follows the seconds is no offset");
        }
        utc_us = local_us(civil) - *offset_us;
    }
    // A leap second ends a day of UTC; it becomes the first second of the next one.
    if (civil.second == 60 && floor_div(utc_us, us_per_s) % 86'400 != 0) {
        return time_error("there is no such time of day");
    }
    return utc_us;
}

std::int64_t time_us_from_integer(std::int64_t value) {
    const auto size = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    if (size < 100'000'000'000ULL) {
        return value * us_per_s;
    }
    if (size < 100'000'000'000'000ULL) {
        return value * 1'000;
    }
    if (size < 100'000'000'000'000'000ULL) {
        return value;
    }
    return floor_div(value, 1'000);
}

std::string format_time(std::int64_t us) {
    std::string out;
    append_time(out, us);
    return out;
}

void append_time(std::string& out, std::int64_t us) {
    const std::int64_t days = floor_div(us, us_per_day);
    const std::int64_t rest = us % us_per_day + (us % us_per_day < 0 ? us_per_day : 0);
    // Howard Hinnant's civil_from_days (https://howardhinnant.github.io/date_algorithms.html), in 64 bits.
    const std::int64_t shifted = days + 719'468;
    const std::int64_t era = floor_div(shifted, 146'097);
    const std::int64_t day_of_era = shifted - era * 146'097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
    const std::int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    const std::int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    std::array<char, 27> text{"0000-00-00T00:00:00.000000"};
    text.back() = 'Z';
    put_two(&text[0], year / 100);
    put_two(&text[2], year);
    put_two(&text[5], month);
    put_two(&text[8], day);
    put_two(&text[11], rest / 3'600'000'000);
    put_two(&text[14], rest / 60'000'000 % 60);
    put_two(&text[17], rest / 1'000'000 % 60);
    put_two(&text[20], rest / 10'000 % 100);
    put_two(&text[22], rest / 100 % 100);
    put_two(&text[24], rest % 100);
    if (year < 0 || year > 9'999) {
        out += std::to_string(year);
        out.append(text.data() + 4, text.size() - 4);
        return;
    }
    out.append(text.data(), text.size());
}

} // namespace tocsin
