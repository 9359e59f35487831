// SPDX-License-Identifier: Apache-2.0
#include "core/builder_access.hpp"
#include "core/event_fields.hpp"
#include "core/json.hpp"
#include "core/json_impl.hpp"
#include "core/json_plain.hpp"
#include "core/utf8.hpp"

#include <utility>

namespace tocsin::json {

struct Parser::Impl {
    Document document{};
    PlainReader plain{};
    std::string scratch{};
};

namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

// What events are read with.
struct Reading {
    Document& document;
    PlainReader& plain;
    std::string& scratch; // keeps its memory from event to event; an event's own is as large as it must be
    const IntakeRules& rules;
    std::int64_t now_us;
    Redaction redaction{rules.redact};
};

// What most values are.
bool takes(EventBuilder& builder, EventField field, const element& value) {
    switch (value.type()) {
    case simdjson::dom::element_type::STRING: {
        const std::string_view text(value);
        return is_printable_ascii(text) && BuilderAccess::takes(builder, field, text);
    }
    case simdjson::dom::element_type::INT64:
        return BuilderAccess::takes(builder, field, std::int64_t(value));
    default:
        return false;
    }
}

// Only of what a builder looks at: whether it is an object or an array.
Scalar shallow(const element& value) {
    if (value.is_object()) {
        return RawJson{"{}"};
    }
    return value.is_array() ? Scalar(RawJson{"[]"}) : scalar_of(value);
}

void set_payload(EventBuilder& builder, const element& value, const Reading& in) {
    if (!BuilderAccess::first_payload(builder)) {
        return;
    }
    in.scratch.clear();
    if (auto problem = append_payload(in.scratch, value, in.redaction)) {
        builder.refuse(name_of(EventField::payload), std::move(*problem));
        return;
    }
    BuilderAccess::payload(builder, in.scratch);
}

std::optional<Error> fill(Event& event, const element& value, const Reading& in) {
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) {
        const std::string kind(value.is_array() ? "an array" : kind_of(scalar_of(value)));
        return field_error("", "is " + kind + ", not an event object");
    }
    EventBuilder builder(in.rules, in.now_us, event);
    for (const auto field : object) {
        const auto known = field_of(field.key);
        if (!known) {
            builder.set(field.key, {}); // refused by its name
        } else if (*known == EventField::payload && field.value.is_object()) {
            set_payload(builder, field.value, in);
        } else if (!takes(builder, *known, field.value)) {
            BuilderAccess::set(builder, *known, shallow(field.value));
        }
    }
    return BuilderAccess::complete(builder);
}

// What a text that cannot be read is answered with: an error of a field where it is JSON but for one value.
Error unreadable_event(std::string_view text) {
    const Fault fault = diagnose(text);
    if (!fault.readable) {
        return unreadable(fault);
    }
    return field_error(fault.field, fault.reason + ", at byte " + std::to_string(fault.offset), fault.index);
}

std::string label(std::size_t index, std::string_view field) {
    std::string text = "event " + std::to_string(index);
    if (!field.empty()) {
        text += ": ";
        text += field;
    }
    return text;
}

void set_index(Error& error, std::size_t index) {
    if (error.fields.empty()) {
        error.fields.push_back({index, "", error.reason});
    }
    for (FieldError& field : error.fields) {
        field.index = index;
    }
}

// An empty event made in its place, not over zeros that Event() would fill all of it with first.
struct Fresh {
    operator Event() const { return {}; }
};

// The events of a batch so far, and what is wrong with it.
class Batch {
public:
    explicit Batch(std::size_t expected) { events_.reserve(expected); }

    // The place of one more.
    Event& next() {
        if (!error_.fields.empty()) {
            events_.clear(); // nobody will have them
        }
        return events_.emplace_back(Fresh{});
    }

    // False when there is no use in going on.
    bool refuse(Error&& found, std::size_t index) {
        set_index(found, index);
        if (error_.fields.empty() || found.code != Code::invalid_event) {
            error_ = Error{found.code, found.context, label(index, found.object), found.reason};
        }
        for (FieldError& field : found.fields) {
            if (error_.fields.size() < limits::errors_listed) {
                error_.fields.push_back(std::move(field));
            }
        }
        return error_.code == Code::invalid_event && error_.fields.size() < limits::errors_listed;
    }

    Result<std::vector<Event>> finish() {
        if (!error_.fields.empty()) {
            return std::unexpected(std::move(error_));
        }
        if (events_.empty()) {
            return fail(Code::invalid_argument, "submit", "", "there are no events in it");
        }
        return std::move(events_);
    }

private:
    std::vector<Event> events_{};
    Error error_{};
};

Error too_many() {
    Error error{Code::limit_exceeded, "submit", "",
                "more than " + std::to_string(limits::batch_events) + " events in one batch; send them in several"};
    error.too_large = true;
    return error;
}

Error too_long() {
    Error error{Code::limit_exceeded, "submit", "",
                "more than " + std::to_string(limits::batch_bytes) + " bytes in one batch; send it in several"};
    error.too_large = true;
    return error;
}

std::optional<Error> read_tree(Event& event, std::string_view text, const Reading& in) {
    const auto read = in.document.read(text);
    if (read.error() != simdjson::SUCCESS) {
        return unreadable_event(text);
    }
    return fill(event, read.value_unsafe(), in);
}

// One event in a text of its own.
std::optional<Error> read_single(Event& event, std::string_view text, const Reading& in) {
    EventBuilder builder(in.rules, in.now_us, event);
    std::optional<Error> error;
    if (in.plain.read(text, builder, in.redaction)) {
        error = BuilderAccess::complete(builder);
    } else {
        event = {};
        error = read_tree(event, text, in);
    }
    if (!error && text.size() > limits::event_bytes) {
        error = field_error("", "an event is at most " + std::to_string(limits::event_bytes) + " bytes");
    }
    return error;
}

Result<std::vector<Event>> array_of(const simdjson::dom::array& array, const Reading& in) {
    if (array.size() > limits::batch_events) {
        return std::unexpected(too_many());
    }
    Batch batch(array.size());
    std::size_t index = 0;
    for (const element value : array) {
        auto error = fill(batch.next(), value, in);
        if (error && !batch.refuse(std::move(*error), index)) {
            break;
        }
        ++index;
    }
    return batch.finish();
}

} // namespace

Parser::Parser() : impl_(std::make_unique<Impl>()) {}
Parser::~Parser() = default;

Result<void> Parser::object(std::string_view text, const FieldSink& sink) {
    const auto read = impl_->document.read(text);
    if (read.error() != simdjson::SUCCESS) {
        return std::unexpected(unreadable(text));
    }
    simdjson::dom::object object;
    if (read.get(object) != simdjson::SUCCESS) {
        return fail(Code::invalid_argument, "JSON", "", "a JSON object is expected");
    }
    if (const auto key = repeated_key(object)) {
        return fail(Code::invalid_argument, "JSON", std::string(*key), "is given twice");
    }
    for (const auto field : object) {
        impl_->scratch.clear();
        TreeWriter writer(impl_->scratch, limits::payload_depth);
        if (!writer.write(field.value)) {
            return fail(Code::invalid_argument, "JSON", std::string(field.key), writer.problem());
        }
        const bool nested = field.value.is_object() || field.value.is_array();
        sink(field.key, nested ? Scalar(RawJson{impl_->scratch}) : scalar_of(field.value));
    }
    return {};
}

Result<std::vector<Event>> Parser::events(std::string_view text, const IntakeRules& rules, std::int64_t now_us,
                                          bool* was_array) {
    const std::string_view inner = trimmed(text);
    const bool is_array = inner.starts_with('[');
    if (was_array != nullptr) {
        *was_array = is_array;
    }
    if (inner.size() > limits::batch_bytes) {
        return std::unexpected(too_long());
    }
    const Reading in{impl_->document, impl_->plain, impl_->scratch, rules, now_us};
    if (!is_array) {
        std::vector<Event> one(1);
        if (auto error = read_single(one.front(), inner, in)) {
            return std::unexpected(std::move(*error));
        }
        return one;
    }
    simdjson::dom::array array;
    if (impl_->document.read(inner).get(array) != simdjson::SUCCESS) {
        Error error = unreadable_event(inner);
        if (!error.fields.empty()) {
            error.object = label(error.fields.front().index, error.object);
        }
        return std::unexpected(std::move(error));
    }
    return array_of(array, in);
}

Result<void> Parser::append(std::vector<Event>& events, std::string_view line, const IntakeRules& rules,
                            std::int64_t now_us, std::size_t index) {
    auto error = read_single(events.emplace_back(), trimmed(line),
                             {impl_->document, impl_->plain, impl_->scratch, rules, now_us});
    if (!error) {
        return {};
    }
    events.pop_back();
    set_index(*error, index);
    return std::unexpected(std::move(*error));
}

Result<std::vector<Event>> Parser::ndjson(std::string_view text, const IntakeRules& rules, std::int64_t now_us) {
    if (text.size() > limits::batch_bytes) {
        return std::unexpected(too_long());
    }
    constexpr std::size_t usual_line_bytes = 200;
    Batch batch(std::min(text.size() / usual_line_bytes, limits::batch_events));
    const Reading in{impl_->document, impl_->plain, impl_->scratch, rules, now_us};
    std::size_t index = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty()) {
            continue;
        }
        if (index == limits::batch_events) {
            return std::unexpected(too_many());
        }
        auto error = read_single(batch.next(), line, in);
        if (error && !batch.refuse(std::move(*error), index)) {
            break;
        }
        ++index;
    }
    return batch.finish();
}

} // namespace tocsin::json
