// SPDX-License-Identifier: Apache-2.0
#include "core/event.hpp"
#include "core/event_check.hpp"
#include "core/event_fields.hpp"
#include "core/job.hpp"
#include "core/json_impl.hpp"
#include "core/nearest.hpp"
#include "core/utf8.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace tocsin {

namespace {

using Problem = std::optional<std::string>;

// A name has no control characters; a text has none but may have lines: only U+0000 is refused.
enum class TextKind : std::uint8_t { name, text };

struct TextField {
    EventField field;
    std::string Event::* member;
    std::size_t max_bytes;
    TextKind kind;
};

constexpr std::array<TextField, 10> text_fields{{
    {EventField::event_name, &Event::event_name, limits::name_bytes, TextKind::name},
    {EventField::event_src, &Event::event_src, limits::name_bytes, TextKind::name},
    {EventField::event_rule, &Event::event_rule, limits::text_bytes, TextKind::text},
    {EventField::spark_script, &Event::spark_script, limits::name_bytes, TextKind::name},
    {EventField::gem_full_path, &Event::gem_full_path, limits::path_bytes, TextKind::name},
    {EventField::event_id, &Event::event_id, limits::name_bytes, TextKind::name},
    {EventField::description, &Event::description, limits::text_bytes, TextKind::text},
    {EventField::summary, &Event::summary, limits::text_bytes, TextKind::text},
    {EventField::environment, &Event::environment, limits::name_bytes, TextKind::name},
    {EventField::idempotency_key, &Event::idempotency_key, limits::key_bytes, TextKind::name},
}};

// Where in text_fields a field stands; beyond it: nowhere.
constexpr std::array<std::size_t, field_count> text_rows = [] {
    std::array<std::size_t, field_count> rows{};
    rows.fill(text_fields.size());
    for (std::size_t i = 0; i < text_fields.size(); ++i) {
        rows[static_cast<std::size_t>(text_fields[i].field)] = i;
    }
    return rows;
}();

bool is_absent(const Scalar& value) {
    const auto* text = std::get_if<std::string_view>(&value);
    return std::holds_alternative<std::monostate>(value) || (text != nullptr && text->empty());
}

std::string not_a(const Scalar& value, std::string_view wanted) {
    return "is " + std::string(kind_of(value)) + ", not " + std::string(wanted);
}

Problem text_problem(std::string_view text, std::size_t max_bytes) {
    if (text.size() > max_bytes) {
        return "is longer than " + std::to_string(max_bytes) + " bytes";
    }
    if (is_printable_ascii(text)) {
        return std::nullopt;
    }
    if (text.find('\0') != std::string_view::npos) {
        return "has the character U+0000";
    }
    if (!valid_utf8(text)) {
        return "is not valid UTF-8";
    }
    return std::nullopt;
}

Problem read_text(const TextField& row, const Scalar& value, Event& event) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) {
        return not_a(value, "a string");
    }
    Problem problem =
        row.kind == TextKind::name ? name_problem(*text, row.max_bytes) : text_problem(*text, row.max_bytes);
    if (!problem && row.field == EventField::spark_script) {
        problem = script_name_problem(*text);
    }
    if (!problem) {
        event.*row.member = row.field == EventField::environment ? canonical_environment(*text) : *text;
    }
    return problem;
}

// Integers of any width; nullopt for what is none or does not fit.
std::optional<std::int64_t> integer_of(const Scalar& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return *number;
    }
    if (const auto* number = std::get_if<std::uint32_t>(&value)) {
        return *number;
    }
    const auto* number = std::get_if<std::uint64_t>(&value);
    if (number != nullptr && std::in_range<std::int64_t>(*number)) {
        return static_cast<std::int64_t>(*number);
    }
    return std::nullopt;
}

std::string integer_problem(const Scalar& value) {
    return std::holds_alternative<std::uint64_t>(value) ? "does not fit a signed 64-bit integer"
                                                        : not_a(value, "an integer");
}

Problem read_scid(const Scalar& value, Event& event) {
    const auto number = integer_of(value);
    if (!number) {
        return integer_problem(value);
    }
    event.scid = *number;
    return std::nullopt;
}

Problem read_rule_id(const Scalar& value, Event& event) {
    event.event_rule_id = integer_of(value);
    return event.event_rule_id ? std::nullopt : Problem(integer_problem(value));
}

Problem read_count(const Scalar& value, Event& event) {
    const auto number = integer_of(value);
    if (!number && !std::holds_alternative<std::uint64_t>(value)) {
        return not_a(value, "an integer");
    }
    if (!number || *number < 1 || std::cmp_greater(*number, limits::count_max)) {
        return "is not between 1 and " + std::to_string(limits::count_max);
    }
    event.count = static_cast<std::uint64_t>(*number);
    return std::nullopt;
}

Problem read_severity(const Scalar& value, Event& event) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) {
        return not_a(value, "a string");
    }
    const auto severity = severity_from(*text);
    if (!severity) {
        return in_quotes(*text) + " is not one of info, warning, error, critical";
    }
    event.severity = *severity;
    return std::nullopt;
}

Problem read_type(const Scalar& value, Event& event) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) {
        return not_a(value, "a string");
    }
    const auto type = event_type_from(*text);
    if (!type) {
        return in_quotes(*text) + " is not one of standard, dataset";
    }
    event.event_type = *type;
    return std::nullopt;
}

Problem read_time(const Scalar& value, const Zone& zone, Event& event) {
    if (const auto* time = std::get_if<TimeUs>(&value)) {
        event.event_time_us = time->us;
        return std::nullopt;
    }
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        const auto time = parse_time_us(*text, zone);
        if (!time) {
            return in_quotes(*text) + " " + time.error().reason;
        }
        event.event_time_us = *time;
        return std::nullopt;
    }
    const auto number = integer_of(value);
    if (!number) {
        return std::holds_alternative<std::uint64_t>(value) ? "is too large for a time" : not_a(value, "a time");
    }
    event.event_time_us = time_us_from_integer(*number);
    return std::nullopt;
}

Problem read_payload(const Scalar& value, const IntakeRules& rules, Event& event) {
    const auto* raw = std::get_if<RawJson>(&value);
    if (raw == nullptr) {
        return not_a(value, "an object");
    }
    return json::append_payload(event.payload, raw->text, json::Redaction(rules.redact));
}

Problem read_field(EventField field, const Scalar& value, const IntakeRules& rules, Event& event) {
    switch (field) {
    case EventField::scid:
        return read_scid(value, event);
    case EventField::event_time:
        return read_time(value, rules.zone, event);
    case EventField::event_rule_id:
        return read_rule_id(value, event);
    case EventField::count:
        return read_count(value, event);
    case EventField::severity:
        return read_severity(value, event);
    case EventField::event_type:
        return read_type(value, event);
    case EventField::payload:
        return read_payload(value, rules, event);
    default:
        break;
    }
    const std::size_t row = text_rows[static_cast<std::size_t>(field)];
    return row == text_fields.size() ? Problem("cannot be set") : read_text(text_fields[row], value, event);
}

template <typename T> bool takes_if(T& member, const auto& read) {
    if (read) {
        member = *read;
    }
    return read.has_value();
}

bool takes_word(Event& event, EventField field, std::string_view text, const Zone& zone) {
    switch (field) {
    case EventField::severity:
        return takes_if(event.severity, severity_from(text));
    case EventField::event_type:
        return takes_if(event.event_type, event_type_from(text));
    case EventField::event_time:
        return takes_if(event.event_time_us, parse_time_us(text, zone));
    default:
        return false;
    }
}

// Of printable ASCII.
bool takes_text(Event& event, EventField field, std::string_view text, const Zone& zone) {
    const std::size_t place = text_rows[static_cast<std::size_t>(field)];
    if (place == text_fields.size()) {
        return takes_word(event, field, text, zone);
    }
    const TextField& row = text_fields[place];
    if (text.size() > row.max_bytes || (field == EventField::spark_script && script_name_problem(text))) {
        return false;
    }
    event.*row.member = std::string(field == EventField::environment ? canonical_environment(text) : text);
    return true;
}

bool takes_integer(Event& event, EventField field, std::int64_t number) {
    switch (field) {
    case EventField::scid:
        event.scid = number;
        return true;
    case EventField::event_time:
        event.event_time_us = time_us_from_integer(number);
        return true;
    case EventField::event_rule_id:
        event.event_rule_id = number;
        return true;
    case EventField::count:
        event.count = static_cast<std::uint64_t>(number);
        return number >= 1 && std::cmp_less_equal(number, limits::count_max);
    default:
        return false;
    }
}

constexpr std::uint64_t bit_of(EventField field) {
    return std::uint64_t{1} << static_cast<unsigned>(field);
}

Problem time_problem(std::int64_t time_us, std::int64_t now_us) {
    if (time_us < 0) {
        return "is before 1970";
    }
    if (time_us > now_us + limits::future_us_max) {
        return "is more than 24 h ahead of this host's clock, which says " + format_time(now_us);
    }
    return std::nullopt;
}

Error error_of(std::vector<FieldError> errors) {
    Error error{Code::invalid_event, "event", errors.front().field, errors.front().reason};
    error.fields = std::move(errors);
    return error;
}

} // namespace

bool EventBuilder::first_time(EventField field) {
    const bool first = (seen_ & bit_of(field)) == 0;
    seen_ |= bit_of(field);
    return first;
}

bool EventBuilder::takes(EventField field, std::string_view text) {
    if ((seen_ & bit_of(field)) != 0) {
        return false;
    }
    if (!text.empty()) {
        if (!takes_text(event_, field, text, rules_.zone)) {
            return false;
        }
        time_given_ |= field == EventField::event_time;
    }
    seen_ |= bit_of(field);
    return true;
}

bool EventBuilder::takes(EventField field, std::int64_t number) {
    if ((seen_ & bit_of(field)) != 0 || !takes_integer(event_, field, number)) {
        return false;
    }
    seen_ |= bit_of(field);
    time_given_ |= field == EventField::event_time;
    return true;
}

void EventBuilder::refuse(std::string_view key, std::string reason) {
    if (errors_.size() < limits::errors_listed) {
        errors_.push_back({0, std::string(utf8_cut(key, limits::name_bytes)), std::move(reason)});
    }
}

void EventBuilder::set(std::string_view key, const Scalar& value) {
    const auto field = field_of(key);
    if (!field) {
        refuse(key, "is not a field of an event" + suggestion(key, event_field_names()));
        return;
    }
    set(*field, value);
}

void EventBuilder::set(EventField field, const Scalar& value) {
    if (!first_time(field)) {
        refuse(name_of(field), "is given twice");
        return;
    }
    if (is_absent(value)) {
        return;
    }
    if (set_by_daemon(field)) {
        refuse(name_of(field), "is set by the daemon");
        return;
    }
    if (auto problem = read_field(field, value, rules_, event_)) {
        refuse(name_of(field), std::move(*problem));
    } else if (field == EventField::event_time) {
        time_given_ = true;
    }
}

void EventBuilder::check_required(bool from_daemon) {
    const auto refused = [this](EventField field) {
        return std::ranges::find(errors_, name_of(field), &FieldError::field) != errors_.end();
    };
    if (event_.event_name.empty() && !refused(EventField::event_name)) {
        refuse(name_of(EventField::event_name), "is required");
    }
    if (event_.event_src.empty() && !refused(EventField::event_src)) {
        refuse(name_of(EventField::event_src), "is required");
    }
    if (event_.event_src == daemon_source && !from_daemon) {
        refuse(name_of(EventField::event_src), "\"tocsin\" is the daemon's own name; choose another");
    }
    if (!refused(EventField::payload) && !refused(EventField::event_id)) {
        for (FieldError& problem : dataset_problems(event_, rules_)) {
            refuse(problem.field, std::move(problem.reason));
        }
    }
}

std::optional<Error> EventBuilder::complete(bool from_daemon) {
    if (!time_given_) {
        event_.event_time_us = now_us_;
    } else if (auto problem = time_problem(event_.event_time_us, now_us_); problem && !from_daemon) {
        refuse(name_of(EventField::event_time), std::move(*problem));
    }
    check_required(from_daemon);
    if (!errors_.empty()) {
        return error_of(std::move(errors_));
    }
    if (size_of(event_) > limits::event_bytes) {
        return field_error("", "an event is at most " + std::to_string(limits::event_bytes) + " bytes");
    }
    if (!event_.idempotency_key.empty()) {
        event_.content_hash = content_hash_of(event_, time_given_);
    }
    event_.received_time_us = now_us_;
    event_.host = rules_.host;
    return std::nullopt;
}

Result<Event> EventBuilder::finish(bool from_daemon) {
    if (auto error = complete(from_daemon)) {
        return std::unexpected(std::move(*error));
    }
    return std::move(event_);
}

Event daemon_event(std::string_view name, std::int64_t event_time_us, std::int64_t now_us, std::string payload_json,
                   Severity severity) {
    static const IntakeRules no_rules;
    EventBuilder builder(no_rules, now_us);
    builder.set(name_of(EventField::event_name), name);
    builder.set(name_of(EventField::event_src), daemon_source);
    builder.set(name_of(EventField::severity), to_string(severity));
    if (!payload_json.empty()) {
        builder.set(name_of(EventField::payload), RawJson{payload_json});
    }
    auto event = builder.finish(true);
    if (!event) {
        fatal("an event of the daemon itself is invalid: " + std::string(name) + ": " + event.error().detail());
    }
    event->event_time_us = event_time_us;
    event->origin.transport = "daemon";
    return std::move(*event);
}

} // namespace tocsin
