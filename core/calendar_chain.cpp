// SPDX-License-Identifier: Apache-2.0
#include "core/calendar_chain.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace tocsin::calendar {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Calls `set` with each value of a settled link, upwards.
template <typename Set> void each(const Link& link, std::int64_t to, Set set) {
    const std::int64_t last = link.repeat == 0 ? link.start : link.stop.value_or(to);
    const std::int64_t step = std::max<std::int64_t>(link.repeat, 1);
    for (std::int64_t value = link.start; value <= last; value += step) {
        set(static_cast<unsigned>(value));
    }
}

// The n-th day from the end of a month as a day from its beginning.
Link turned(Link link, std::int64_t length) {
    const std::int64_t start = length + 1 - link.start;
    if (link.stop) {
        link.start = length + 1 - *link.stop;
        link.stop = start;
    } else {
        link.start = start;
    }
    return link;
}

} // namespace

std::unexpected<Error> wrong(std::string_view object, std::string reason, std::size_t column) {
    return fail(Code::invalid_argument, "schedule", std::string(object),
                std::move(reason) + " (column " + std::to_string(column) + ")");
}

void ChainReader::skip_spaces() {
    while (next() == ' ') {
        skip(1);
    }
}

bool ChainReader::take(std::string_view wanted) {
    if (!rest().starts_with(wanted)) {
        return false;
    }
    skip(wanted.size());
    return true;
}

std::unexpected<Error> ChainReader::wrong_here(const Unit& unit, std::string reason) const {
    return wrong(unit.name, std::move(reason), column());
}

Result<Chain> ChainReader::chain(const Unit& unit) {
    Chain chain;
    if (take("*")) {
        if (unit.scale != 1) {
            chain.push_back({.repeat = unit.scale, .text = "*", .column = column()});
        }
        return chain;
    }
    do {
        auto read = link(unit);
        if (!read) {
            return std::unexpected(read.error());
        }
        chain.push_back(*read);
    } while (take(","));
    return chain;
}

Result<Link> ChainReader::link(const Unit& unit) {
    Link link{.column = column()};
    const std::string_view begin = rest();
    const auto start = number(unit);
    if (!start) {
        return std::unexpected(start.error());
    }
    link.start = *start;
    if (take("..")) {
        const auto stop = number(unit);
        if (!stop) {
            return std::unexpected(stop.error());
        }
        link.stop = *stop;
        link.repeat = unit.scale;
    }
    if (take("/")) {
        const auto repeat = number(unit);
        if (!repeat || *repeat == 0) {
            return repeat ? wrong_here(unit, "a repetition is more than 0") : std::unexpected(repeat.error());
        }
        link.repeat = *repeat;
    } else if (link.stop && unit.scale != 1 && link.start + link.repeat > *link.stop) {
        return wrong_here(unit, "a range shorter than a second needs a repetition, as in 1..1.5/0.1");
    }
    if (!at_end() && std::string_view(" ,-~:").find(next()) == std::string_view::npos) {
        return wrong_here(unit, "\"" + std::string(1, next()) + "\" is not expected here");
    }
    link.text = begin.substr(0, begin.size() - rest().size());
    return link;
}

Result<std::int64_t> ChainReader::number(const Unit& unit) {
    std::int64_t value = 0;
    const auto [end, problem] = std::from_chars(rest().data(), rest().data() + rest().size(), value);
    if (!is_digit(next())) {
        return wrong_here(unit, at_end() ? "a number or \"*\" is missing" : "a number or \"*\" must stand here");
    }
    if (problem != std::errc{} || value > std::numeric_limits<std::int32_t>::max() / unit.scale) {
        return wrong_here(unit, "the number is too large");
    }
    skip(static_cast<std::size_t>(end - rest().data()));
    value *= unit.scale;
    if (unit.scale != 1 && next() == '.' && !rest().starts_with("..")) {
        const auto fraction = fraction_us(unit);
        return fraction ? Result<std::int64_t>(value + *fraction) : fraction;
    }
    return value;
}

// ".f…": what is finer than µs is rounded.
Result<std::int64_t> ChainReader::fraction_us(const Unit& unit) {
    skip(1);
    if (!is_digit(next())) {
        return wrong_here(unit, "digits must follow the point");
    }
    std::int64_t value = 0;
    for (int i = 0; i < 6; ++i) {
        value = value * 10 + (is_digit(next()) ? next() - '0' : 0);
        skip(is_digit(next()) ? 1 : 0);
    }
    if (is_digit(next()) && next() >= '5') {
        ++value;
    }
    while (is_digit(next())) {
        skip(1);
    }
    return value;
}

Chain just(std::int64_t value) {
    return {Link{.start = value}};
}

void complete_years(Chain& chain) {
    constexpr auto complete = [](std::int64_t& value) {
        if (value < 70) {
            value += 2000;
        } else if (value < 100) {
            value += 1900;
        }
    };
    for (Link& link : chain) {
        complete(link.start);
        if (link.stop) {
            complete(*link.stop);
        }
    }
}

Result<void> settle(Chain& chain, const Unit& unit) {
    for (Link& link : chain) {
        const std::string text = "\"" + std::string(link.text) + "\" ";
        if (link.stop && *link.stop > link.start && link.repeat > 0) {
            *link.stop -= (*link.stop - link.start) % link.repeat;
        }
        if (link.stop == link.start) {
            link.stop.reset();
            link.repeat = 0;
        }
        const auto outside = [&unit](std::int64_t value) { return value < unit.from || value > unit.to; };
        if (outside(link.start) || (link.stop && outside(*link.stop))) {
            return wrong(unit.name, text + "is not within " + std::string(unit.allowed), link.column);
        }
        if (link.stop && *link.stop < link.start) {
            return wrong(unit.name, text + "is no range: the second value must not be below the first", link.column);
        }
        const std::int64_t room = unit.backwards ? link.start - unit.from : unit.to - link.start;
        if (link.repeat > unit.to - unit.from || (!link.stop && link.repeat > room)) {
            return wrong(unit.name, text + "never repeats within " + std::string(unit.allowed), link.column);
        }
    }
    return {};
}

std::uint64_t bits(const Chain& chain, const Unit& unit) {
    std::uint64_t set = chain.empty() ? ~0ULL : 0;
    for (const Link& link : chain) {
        each(link, unit.to, [&set](unsigned value) { set |= 1ULL << value; });
    }
    return set;
}

std::array<std::uint64_t, 4> year_bits(const Chain& chain) {
    std::array<std::uint64_t, 4> set{};
    set.fill(chain.empty() ? ~0ULL : 0);
    for (const Link& link : chain) {
        each(link, year.to, [&set](unsigned value) {
            const unsigned place = value - static_cast<unsigned>(year.from);
            set[place / 64] |= 1ULL << place % 64;
        });
    }
    return set;
}

std::array<std::uint32_t, 4> day_bits(const Chain& chain, bool from_end) {
    std::array<std::uint32_t, 4> set{};
    set.fill(chain.empty() ? ~0U : 0);
    for (unsigned i = 0; i < set.size(); ++i) {
        const std::int64_t length = 28 + i;
        for (const Link& link : chain) {
            each(from_end ? turned(link, length) : link, length, [&set, i](unsigned value) { set[i] |= 1U << value; });
        }
    }
    return set;
}

std::vector<SecondRun> second_runs(const Chain& chain) {
    if (chain.size() == 1 && chain[0].start == 0 && chain[0].repeat == 0) {
        return {};
    }
    std::vector<SecondRun> runs;
    runs.reserve(chain.size());
    for (const Link& link : chain) {
        const std::int64_t stop = link.repeat == 0 ? link.start : link.stop.value_or(second.to);
        runs.push_back({static_cast<std::int32_t>(link.start), static_cast<std::int32_t>(stop),
                        static_cast<std::int32_t>(link.repeat)});
    }
    return runs;
}

} // namespace tocsin::calendar
