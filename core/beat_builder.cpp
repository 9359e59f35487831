// SPDX-License-Identifier: Apache-2.0
#include "core/heartbeat.hpp"

#include "core/limits.hpp"
#include "core/nearest.hpp"
#include "core/time.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace tocsin {
namespace {

using Problem = std::optional<std::string>; // the reason

constexpr std::int64_t us_per_s = 1'000'000;

std::string wanted(std::string_view what, const Scalar& value) {
    return "must be " + std::string(what) + ", not " + std::string(kind_of(value));
}

template <typename T> bool parse_all(std::string_view text, T& out) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failure == std::errc() && end == text.data() + text.size() && !text.empty();
}

Problem to_integer(const Scalar& value, std::int64_t& out) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        out = *number;
    } else if (const auto* small = std::get_if<std::uint32_t>(&value)) {
        out = *small;
    } else if (const auto* large = std::get_if<std::uint64_t>(&value)) {
        if (!std::in_range<std::int64_t>(*large)) {
            return "is out of range";
        }
        out = static_cast<std::int64_t>(*large);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
        if (!parse_all(*text, out)) {
            return "\"" + std::string(text->substr(0, 64)) + "\" is not an integer of 64 bits";
        }
    } else {
        return wanted("an integer", value);
    }
    return std::nullopt;
}

Problem check_bounds(std::int64_t us) {
    if (us < limits::interval_us_min || us > limits::interval_us_max) {
        return "must be between " + format_duration(limits::interval_us_min) + " and " +
               format_duration(limits::interval_us_max);
    }
    return std::nullopt;
}

Problem to_us(const Scalar& value, std::optional<std::int64_t>& out) {
    std::int64_t us = 0;
    if (Problem problem = to_integer(value, us)) {
        return problem;
    }
    out = us;
    return check_bounds(us);
}

// A duration with its unit; a plain number is seconds.
Problem to_duration(const Scalar& value, std::optional<std::int64_t>& out) {
    double seconds = 0;
    std::int64_t whole = 0;
    const auto* text = std::get_if<std::string_view>(&value);
    if (const auto* real = std::get_if<double>(&value)) {
        seconds = *real;
    } else if (text != nullptr && !parse_all(*text, seconds)) {
        Result<std::int64_t> parsed = parse_duration_us(*text);
        if (!parsed) {
            return parsed.error().reason;
        }
        out = *parsed;
        return check_bounds(*parsed);
    } else if (text == nullptr) {
        if (to_integer(value, whole)) {
            return wanted("a duration such as \"30s\", or a number of seconds", value);
        }
        seconds = static_cast<double>(whole);
    }
    const double us = seconds * static_cast<double>(us_per_s);
    if (!std::isfinite(us) || us < 0 || us > static_cast<double>(limits::interval_us_max)) {
        return check_bounds(-1);
    }
    out = std::llround(us);
    return check_bounds(*out);
}

Problem to_text(const Scalar& value, std::size_t max, std::string& out) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) {
        return wanted("a string", value);
    }
    if (text->size() > max) {
        return "is longer than " + std::to_string(max) + " bytes";
    }
    if (!valid_utf8(*text) || text->find('\0') != std::string_view::npos) {
        return "is not valid UTF-8 without U+0000";
    }
    out = *text;
    return std::nullopt;
}

Problem set_scid(Beat& beat, const Scalar& value) {
    return to_integer(value, beat.key.scid);
}
Problem set_interval_us(Beat& beat, const Scalar& value) {
    return to_us(value, beat.interval_us);
}
Problem set_grace_us(Beat& beat, const Scalar& value) {
    return to_us(value, beat.grace_us);
}
Problem set_interval(Beat& beat, const Scalar& value) {
    return to_duration(value, beat.interval_us);
}
Problem set_grace(Beat& beat, const Scalar& value) {
    return to_duration(value, beat.grace_us);
}
Problem set_status(Beat& beat, const Scalar& value) {
    return to_text(value, limits::status_bytes, beat.status);
}
Problem set_schedule(Beat& beat, const Scalar& value) {
    return to_text(value, limits::schedule_bytes, beat.schedule);
}
Problem set_zone(Beat& beat, const Scalar& value) {
    return to_text(value, limits::name_bytes, beat.zone);
}

Problem set_run(Beat& beat, const Scalar& value) {
    if (Problem problem = to_text(value, limits::run_bytes, beat.run)) {
        return problem;
    }
    return beat.run.empty() ? std::nullopt : name_problem(beat.run, limits::run_bytes);
}

Problem set_kind(Beat& beat, const Scalar& value) {
    const auto* text = std::get_if<std::string_view>(&value);
    const std::optional<BeatKind> kind = text == nullptr ? std::nullopt : beat_kind_from(*text);
    if (!kind) {
        return "must be one of ok, start, finish, fail, alive";
    }
    beat.kind = *kind;
    return std::nullopt;
}

struct Option {
    std::string_view name;
    Problem (*set)(Beat&, const Scalar&);
};

constexpr std::array options{
    Option{"scid", set_scid},
    Option{"interval_usec", set_interval_us},
    Option{"grace_usec", set_grace_us},
    Option{"interval", set_interval},
    Option{"grace", set_grace},
    Option{"schedule", set_schedule},
    Option{"zone", set_zone},
    Option{"state", set_kind},
    Option{"run", set_run},
    Option{"status", set_status},
};

std::string unknown_option(std::string_view key) {
    std::array<std::string_view, options.size()> names{};
    for (std::size_t i = 0; i < options.size(); ++i) {
        names.at(i) = options.at(i).name;
    }
    return "is not an option of a beat" + suggestion(key, names);
}

Error option_error(std::string_view key, std::string reason) {
    return Error{
        .code = Code::invalid_argument, .context = "beat", .object = std::string(key), .reason = std::move(reason)};
}

} // namespace

std::string_view schedule_option(const Error& refused) {
    return refused.context == "time zone" || refused.object == "zone" ? "zone" : "schedule";
}

BeatBuilder::BeatBuilder(std::string_view source) {
    beat_.key.source = source.substr(0, limits::name_bytes + 1);
    if (auto problem = name_problem(source)) {
        error_ = option_error("source", std::move(*problem));
    } else if (source == daemon_source) {
        error_ = option_error("source", "is the daemon's own name");
    }
}

void BeatBuilder::set(std::string_view key, const Scalar& value) {
    if (error_ || std::holds_alternative<std::monostate>(value)) {
        return; // the first mistake is told; null is absent
    }
    for (const Option& option : options) {
        if (option.name == key) {
            if (Problem problem = option.set(beat_, value)) {
                error_ = option_error(key, std::move(*problem));
            }
            return;
        }
    }
    error_ = option_error(key.substr(0, limits::name_bytes), unknown_option(key));
}

void BeatBuilder::from(const Origin& origin) {
    beat_.uid = origin.uid;
    beat_.unit = origin.unit;
}

Result<Beat> BeatBuilder::finish(std::int64_t now_us) {
    if (!error_ && !beat_.schedule.empty() && beat_.interval_us) {
        error_ = option_error("schedule", "cannot be given with an interval: a watch waits by one or the other");
    }
    if (!error_ && !beat_.zone.empty() && beat_.schedule.empty()) {
        error_ = option_error("zone", "is of a schedule, and none is given");
    }
    if (error_) {
        return std::unexpected(std::move(*error_));
    }
    beat_.time_us = now_us;
    return std::move(beat_);
}

} // namespace tocsin
