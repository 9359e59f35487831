// SPDX-License-Identifier: Apache-2.0
#include "core/cron_parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>

namespace tocsin {

namespace {

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
    std::string_view name;
    unsigned low;
    unsigned high;
    std::span<const std::string_view> names; // of `low` and what follows
    std::string_view allowed;
};

constexpr std::array<Field, 5> fields{{
    {"minute", 0, 59, {}, "0..59"},
    {"hour", 0, 23, {}, "0..23"},
    {"day-of-month", 1, 31, {}, "1..31"},
    {"month", 1, 12, month_names, "1..12 or jan..dec"},
    {"day-of-week", 0, 7, weekday_names, "0..7 or sun..sat (0 and 7 are Sunday)"},
}};

struct Shorthand {
    std::string_view name;
    std::string_view means;
};

constexpr std::array<Shorthand, 7> shorthands{{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
}};

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view text, std::string_view lower) {
    return std::ranges::equal(text, lower, {}, to_lower);
}

// A piece of a field and where it begins, for messages.
struct Piece {
    const Field* field;
    std::string_view text;
    std::size_t column;

    std::unexpected<Error> wrong(std::string_view why) const {
        return fail(Code::invalid_argument, "schedule", std::string(field->name),
                    "\"" + std::string(text) + "\" " + std::string(why) + " (column " + std::to_string(column) + ")");
    }
    Piece part(std::size_t begin, std::size_t count = std::string_view::npos) const {
        return {field, text.substr(begin, count), column + begin};
    }
};

std::optional<unsigned> number(std::string_view digits) {
    unsigned value = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool all = !digits.empty() && problem == std::errc{} && end == digits.data() + digits.size();
    return all ? std::optional(value) : std::nullopt;
}

Result<unsigned> parse_value(const Piece& piece) {
    const Field& field = *piece.field;
    for (std::size_t i = 0; i < field.names.size(); ++i) {
        if (same_word(piece.text, field.names[i])) {
            return field.low + static_cast<unsigned>(i);
        }
    }
    const auto value = number(piece.text);
    if (!value || *value < field.low || *value > field.high) {
        return piece.wrong("is not within " + std::string(field.allowed));
    }
    return *value;
}

struct Range {
    unsigned from;
    unsigned to;
};

// "*", "5" or "5-9"; a single value before a step goes on to the end of the field.
Result<Range> parse_range(const Piece& piece, bool stepped) {
    const Field& field = *piece.field;
    if (piece.text == "*") {
        return Range{field.low, field.high};
    }
    const std::size_t dash = piece.text.find('-');
    const auto from = parse_value(piece.part(0, dash));
    if (!from) {
        return std::unexpected(from.error());
    }
    if (dash == std::string_view::npos) {
        return Range{*from, stepped ? field.high : *from};
    }
    auto to = parse_value(piece.part(dash + 1));
    if (!to) {
        return std::unexpected(to.error());
    }
    if (*from > 0 && *to == 0 && same_word(piece.text.substr(dash + 1), "sun")) {
        to = 7; // "fri-sun" can mean nothing else
    }
    if (*to < *from) {
        return piece.wrong("is no range: the second value must not be below the first");
    }
    return Range{*from, *to};
}

Result<std::uint64_t> parse_item(const Piece& piece) {
    const std::size_t slash = piece.text.find('/');
    const bool stepped = slash != std::string_view::npos;
    const auto range = parse_range(piece.part(0, slash), stepped);
    if (!range) {
        return std::unexpected(range.error());
    }
    unsigned step = 1;
    if (stepped) {
        const auto read = number(piece.text.substr(slash + 1));
        if (!read || *read == 0) {
            return piece.part(slash).wrong("is no step: write a whole number from 1 behind the \"/\"");
        }
        step = std::min(*read, piece.field->high + 1); // longer ones reach the first value alone
    }
    std::uint64_t bits = 0;
    for (unsigned value = range->from; value <= range->to; value += step) {
        bits |= std::uint64_t{1} << value;
    }
    return bits;
}

Result<std::uint64_t> parse_field(const Piece& piece) {
    std::uint64_t bits = 0;
    std::size_t begin = 0;
    while (begin <= piece.text.size()) {
        const std::size_t end = std::min(piece.text.find(',', begin), piece.text.size());
        const auto item = parse_item(piece.part(begin, end - begin));
        if (!item) {
            return std::unexpected(item.error());
        }
        bits |= *item;
        begin = end + 1;
    }
    return bits;
}

Result<std::string_view> expand(std::string_view text) {
    if (!text.starts_with('@')) {
        return text;
    }
    std::string known;
    for (const Shorthand& shorthand : shorthands) {
        if (shorthand.name == text) {
            return shorthand.means;
        }
        known += (known.empty() ? "" : ", ") + std::string(shorthand.name);
    }
    return fail(Code::invalid_argument, "schedule", "",
                "\"" + std::string(text) + "\" is not one of " + known + "; what happens once has no schedule");
}

} // namespace

Result<CronSchedule> parse_cron(std::string_view text) {
    const auto full = expand(text);
    if (!full) {
        return std::unexpected(full.error());
    }
    std::array<std::string_view, fields.size()> texts;
    std::array<std::uint64_t, fields.size()> bits{};
    std::size_t at = 0;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::size_t begin = std::min(full->find_first_not_of(" \t", at), full->size());
        const std::size_t end = std::min(full->find_first_of(" \t", begin), full->size());
        texts[i] = full->substr(begin, end - begin);
        const auto read = parse_field({&fields[i], texts[i], begin + 1});
        if (!read) {
            return std::unexpected(read.error());
        }
        bits[i] = *read;
        at = end;
    }
    CronSchedule cron;
    CivilPattern& pattern = cron.pattern;
    pattern.minutes = bits[0];
    pattern.hours = static_cast<std::uint32_t>(bits[1]);
    pattern.days.fill(static_cast<std::uint32_t>(bits[2]));
    pattern.months = static_cast<std::uint16_t>(bits[3]);
    pattern.weekdays = static_cast<std::uint8_t>((bits[4] | bits[4] >> 7) & 0x7F);
    // As cron does it, a field is unrestricted when it begins with "*", "*/2" included.
    pattern.either_day = !texts[2].starts_with('*') && !texts[4].starts_with('*');
    cron.fixed_time = !texts[0].starts_with('*') && !texts[1].starts_with('*');
    return cron;
}

} // namespace tocsin
