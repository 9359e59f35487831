// SPDX-License-Identifier: Apache-2.0
#include "core/calendar_parser.hpp"

#include "core/calendar_chain.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace tocsin {

namespace {

using calendar::Chain;
using calendar::ChainReader;
using calendar::Unit;

struct Shorthand {
    std::string_view name;
    std::string_view means;
};

// With the other spellings that systemd takes.
constexpr std::array<Shorthand, 13> shorthands{{
    {"minutely", "*:*"},
    {"hourly", "*:00"},
    {"daily", "00:00"},
    {"weekly", "Mon"},
    {"monthly", "*-*-01"},
    {"yearly", "*-01-01"},
    {"annually", "*-01-01"},
    {"anually", "*-01-01"},
    {"quarterly", "*-01,04,07,10-01"},
    {"semiannually", "*-01,07-01"},
    {"semi-annually", "*-01,07-01"},
    {"biannually", "*-01,07-01"},
    {"bi-annually", "*-01,07-01"},
}};

constexpr std::array<std::string_view, 7> weekdays{"monday", "tuesday",  "wednesday", "thursday",
                                                   "friday", "saturday", "sunday"};

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view text, std::string_view lower) {
    return std::ranges::equal(text, lower, {}, to_lower);
}

class Parser {
public:
    explicit Parser(std::string_view text) : in_(text) {}
    Result<CivilPattern> parse();

private:
    Result<void> weekdays_part();
    Result<unsigned> weekday();
    Result<void> date_part();
    Result<void> date_rest();
    Result<void> timestamp();
    Result<void> time_part();
    Result<void> settle();
    std::unexpected<Error> wrong(std::string_view object, std::string reason) const {
        return calendar::wrong(object, std::move(reason), in_.column());
    }

    ChainReader in_;
    Chain years_;
    Chain months_;
    Chain days_;
    Chain hours_;
    Chain minutes_;
    Chain seconds_;
    bool from_end_ = false; // days count from the month's end
    bool timed_ = false;    // an instant was given: no time of day follows
    unsigned week_ = 0;     // bit 0 is Monday
};

Result<CivilPattern> Parser::parse() {
    for (const auto part : {&Parser::weekdays_part, &Parser::date_part, &Parser::time_part, &Parser::settle}) {
        if (const auto done = (this->*part)(); !done) {
            return std::unexpected(done.error());
        }
    }
    CivilPattern pattern;
    pattern.years = calendar::year_bits(years_);
    pattern.months = static_cast<std::uint16_t>(calendar::bits(months_, calendar::month));
    pattern.days = calendar::day_bits(days_, from_end_);
    pattern.hours = static_cast<std::uint32_t>(calendar::bits(hours_, calendar::hour));
    pattern.minutes = calendar::bits(minutes_, calendar::minute);
    pattern.seconds = calendar::second_runs(seconds_);
    if (week_ != 0) {
        pattern.weekdays = static_cast<std::uint8_t>((week_ << 1 | week_ >> 6) & 0x7F);
    }
    return pattern;
}

// A name in full or its first three letters; 7: none here.
Result<unsigned> Parser::weekday() {
    for (unsigned i = 0; i < weekdays.size(); ++i) {
        for (const std::string_view name : {weekdays[i], weekdays[i].substr(0, 3)}) {
            if (!same_word(in_.rest().substr(0, name.size()), name)) {
                continue;
            }
            in_.skip(name.size());
            if (!in_.at_end() && std::string_view("-., ").find(in_.next()) == std::string_view::npos) {
                return wrong("weekday", "a name (Mon, Monday) ends with a space, \",\", \"..\" or \"-\"");
            }
            return i;
        }
    }
    return 7;
}

Result<void> Parser::weekdays_part() {
    unsigned range_from = 7; // 7: no range is open
    for (bool first = true;; first = false) {
        const auto day = weekday();
        if (!day) {
            return std::unexpected(day.error());
        }
        if (*day == 7) {
            return first ? Result<void>{} : wrong("weekday", "a name Mon..Sun must follow");
        }
        if (range_from != 7 && range_from > *day) {
            return wrong("weekday", "a range goes forward within Mon..Sun");
        }
        for (unsigned i = range_from == 7 ? *day : range_from; i <= *day; ++i) {
            week_ |= 1U << i;
        }
        const bool in_range = range_from != 7;
        range_from = 7;
        if (in_.take("..") || in_.take("-")) {
            if (in_range) {
                return wrong("weekday", "a range has two ends");
            }
            range_from = *day;
        } else if (in_.next() == '.') {
            return wrong("weekday", "a range is written Mon..Fri");
        } else {
            in_.take(",");
        }
        if (in_.at_end() || in_.next() == ' ') {
            in_.skip_spaces();
            return range_from == 7 ? Result<void>{} : wrong("weekday", "the range has no end");
        }
    }
}

// Seconds since the epoch, UTC.
Result<void> Parser::timestamp() {
    const std::string_view digits = in_.rest();
    std::int64_t value = 0;
    const auto [read_to, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    constexpr std::chrono::sys_days end = std::chrono::year{CivilPattern::year_max + 1} / 1 / 1;
    if (problem != std::errc{} || read_to != digits.data() + digits.size() || value < 0 || digits.starts_with('-') ||
        value >= std::chrono::sys_seconds{end}.time_since_epoch().count()) {
        return wrong("timestamp", "behind \"@\" are whole seconds since 1970, up to the year 2199");
    }
    const std::chrono::sys_seconds instant{std::chrono::seconds{value}};
    const auto day = std::chrono::floor<std::chrono::days>(instant);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{instant - day};
    years_ = calendar::just(static_cast<int>(date.year()));
    months_ = calendar::just(static_cast<unsigned>(date.month()));
    days_ = calendar::just(static_cast<unsigned>(date.day()));
    hours_ = calendar::just(time.hours().count());
    minutes_ = calendar::just(time.minutes().count());
    seconds_ = calendar::just(time.seconds().count() * calendar::us_per_s);
    in_.skip(digits.size());
    timed_ = true;
    return {};
}

// [YEAR-]MONTH-DAY, or nothing where a time begins.
Result<void> Parser::date_part() {
    if (in_.at_end()) {
        return {};
    }
    if (in_.take("@")) {
        return timestamp();
    }
    const ChainReader begin = in_;
    auto first = in_.chain(calendar::date_or_time);
    if (!first) {
        return std::unexpected(first.error());
    }
    if (in_.at_end() || in_.next() == ':') {
        in_ = begin;
        return {};
    }
    months_ = std::move(*first);
    from_end_ = in_.take("~");
    if (!from_end_ && !in_.take("-")) {
        return wrong("date", "is written YEAR-MONTH-DAY or MONTH-DAY");
    }
    return date_rest();
}

Result<void> Parser::date_rest() {
    auto second = in_.chain(calendar::date_or_time);
    if (!second) {
        return std::unexpected(second.error());
    }
    days_ = std::move(*second);
    if (!in_.at_end() && in_.next() != ' ') {
        if (from_end_) {
            return wrong("date", "\"~\" stands before the day alone");
        }
        from_end_ = in_.take("~");
        if (!from_end_ && !in_.take("-")) {
            return wrong("date", "is written YEAR-MONTH-DAY or MONTH-DAY");
        }
        auto third = in_.chain(calendar::day);
        if (!third) {
            return std::unexpected(third.error());
        }
        years_ = std::move(months_);
        months_ = std::move(days_);
        days_ = std::move(*third);
    }
    if (!in_.at_end() && in_.next() != ' ') {
        return wrong("date", "ends with a space");
    }
    in_.skip_spaces();
    return {};
}

// HOUR:MINUTE[:SECOND], midnight where nothing is left.
Result<void> Parser::time_part() {
    if (timed_) {
        return {};
    }
    hours_ = minutes_ = seconds_ = calendar::just(0);
    if (in_.at_end()) {
        return {};
    }
    const std::array<std::pair<Chain*, const Unit*>, 3> parts{
        {{&hours_, &calendar::hour}, {&minutes_, &calendar::minute}, {&seconds_, &calendar::second}}};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool optional = i == 2;
        if (optional && in_.at_end()) {
            return {};
        }
        if (i > 0 && !in_.take(":")) {
            return wrong("time", "is written HOUR:MINUTE or HOUR:MINUTE:SECOND");
        }
        auto chain = in_.chain(*parts[i].second);
        if (!chain) {
            return std::unexpected(chain.error());
        }
        *parts[i].first = std::move(*chain);
    }
    return in_.at_end() ? Result<void>{} : wrong("time", "nothing but a time zone follows the seconds");
}

Result<void> Parser::settle() {
    from_end_ = from_end_ && !days_.empty();
    calendar::complete_years(years_);
    const std::array<std::pair<Chain*, const Unit*>, 6> chains{
        {{&years_, &calendar::year},
         {&months_, &calendar::month},
         {&days_, from_end_ ? &calendar::day_from_end : &calendar::day},
         {&hours_, &calendar::hour},
         {&minutes_, &calendar::minute},
         {&seconds_, &calendar::second}}};
    for (const auto& [chain, unit] : chains) {
        if (const auto good = calendar::settle(*chain, *unit); !good) {
            return good;
        }
    }
    return {};
}

} // namespace

Result<CivilPattern> parse_calendar(std::string_view text) {
    if (text.empty()) {
        return calendar::wrong("", "a weekday, a date or a time must be given", 1);
    }
    for (const Shorthand& shorthand : shorthands) {
        if (same_word(text, shorthand.name)) {
            return Parser(shorthand.means).parse();
        }
    }
    return Parser(text).parse();
}

} // namespace tocsin
