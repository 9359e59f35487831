// SPDX-License-Identifier: Apache-2.0
#include "core/schedule.hpp"

#include "core/calendar_parser.hpp"
#include "core/cron_parser.hpp"
#include "core/limits.hpp"
#include "core/zoned_pattern.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace tocsin {

namespace {

class ZonedSchedule final : public Schedule {
public:
    ZonedSchedule(std::string_view expression, ZonedPattern pattern)
        : expression_(expression), pattern_(std::move(pattern)) {}
    const std::string& expression() const override { return expression_; }
    const std::string& zone() const override { return pattern_.zone().name(); }
    std::optional<std::int64_t> next_after(std::int64_t wall_us) const override { return pattern_.next_after(wall_us); }
    std::optional<std::int64_t> last_until(std::int64_t wall_us) const override { return pattern_.last_until(wall_us); }

private:
    std::string expression_;
    ZonedPattern pattern_;
};

// Many watches have one each: what is not shared must stay small.
static_assert(sizeof(ZonedSchedule) <= 208);

using Made = Result<std::shared_ptr<const Schedule>>;

std::unexpected<Error> wrong(std::string object, std::string reason) {
    return fail(Code::invalid_argument, "schedule", std::move(object), std::move(reason));
}

std::unexpected<Error> neither(std::string_view text) {
    return wrong("", "\"" + std::string(text) +
                         "\" is neither five cron fields (minute hour day-of-month month day-of-week, as in \"0 3 * * "
                         "mon-fri\", or @daily) nor a systemd calendar expression (as in \"Mon..Fri *-*-* 09:30:00\", "
                         "or daily)");
}

std::size_t count_fields(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = text.find_first_not_of(" \t"); at != std::string_view::npos; ++count) {
        at = text.find_first_not_of(" \t", text.find_first_of(" \t", at));
    }
    return count;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// "@daily", but not "@1893456000", which is an instant of systemd.
bool looks_like_cron(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
    const bool shorthand =
        text.substr(begin).starts_with('@') && (text.size() < begin + 2 || !is_digit(text[begin + 1]));
    return shorthand || count_fields(text) == 5;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
    return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

Made make_cron(std::string_view expression, std::string_view zone_name) {
    auto cron = parse_cron(trimmed(expression));
    if (!cron) {
        return std::unexpected(cron.error());
    }
    auto zone = Zone::find(zone_name.empty() ? "UTC" : zone_name);
    if (!zone) {
        return std::unexpected(zone.error());
    }
    const Daylight policy = cron->fixed_time ? Daylight::none_is_lost : Daylight::every_pass;
    return std::make_shared<const ZonedSchedule>(expression,
                                                 ZonedPattern(std::move(cron->pattern), std::move(*zone), policy));
}

bool is_utc(std::string_view word) {
    return word.size() == 3 && (word[0] | 0x20) == 'u' && (word[1] | 0x20) == 't' && (word[2] | 0x20) == 'c';
}

struct ZonedText {
    std::string_view text;
    std::optional<Zone> zone; // written at the end
};

// The zone's name is the last word, when there is such a zone; UTC in any case.
ZonedText split_zone(std::string_view expression) {
    const std::size_t space = expression.rfind(' ');
    if (space == std::string_view::npos) {
        return {expression, std::nullopt};
    }
    const std::string_view word = expression.substr(space + 1);
    auto zone = Zone::find(is_utc(word) ? "UTC" : word);
    return zone ? ZonedText{expression.substr(0, space), std::move(*zone)} : ZonedText{expression, std::nullopt};
}

// The last word of what was refused, when it can only have been meant as a zone.
std::string_view unknown_zone(std::string_view text) {
    const std::string_view word = text.substr(text.rfind(' ') + 1);
    const bool letters = !word.empty() && std::isalpha(static_cast<unsigned char>(word[0])) != 0;
    return letters && word.size() < text.size() && text.find_first_of(":-~*") < text.size() - word.size()
               ? word
               : std::string_view();
}

Made make_calendar(std::string_view expression, std::string_view zone_name) {
    auto [text, zone] = split_zone(expression);
    auto pattern = parse_calendar(text);
    if (!pattern) {
        if (const auto word = unknown_zone(text); !zone && !word.empty()) {
            return std::unexpected(Zone::find(word).error());
        }
        return text.find_first_of(":-~,.@") == std::string_view::npos ? Made(neither(expression))
                                                                      : std::unexpected(pattern.error());
    }
    if (zone && !zone_name.empty() && zone->name() != zone_name) {
        return wrong("zone", "\"" + std::string(zone_name) + "\" is not the zone at the end of the schedule, " +
                                 zone->name() + "; write one of them");
    }
    if (text.find('@') != std::string_view::npos) {
        zone = Zone::utc(); // the instant is the same anywhere
    } else if (!zone) {
        auto found = Zone::find(zone_name.empty() ? "UTC" : zone_name);
        if (!found) {
            return std::unexpected(found.error());
        }
        zone = std::move(*found);
    }
    return std::make_shared<const ZonedSchedule>(
        expression, ZonedPattern(std::move(*pattern), std::move(*zone), Daylight::first_pass));
}

} // namespace

Result<std::shared_ptr<const Schedule>> Schedule::parse(std::string_view expression, std::string_view zone) {
    if (expression.size() > limits::schedule_bytes) {
        return wrong("", "a schedule has at most " + std::to_string(limits::schedule_bytes) + " bytes");
    }
    return looks_like_cron(expression) ? make_cron(expression, zone) : make_calendar(expression, zone);
}

} // namespace tocsin
