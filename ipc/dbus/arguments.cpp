// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/arguments.hpp"

#include "core/limits.hpp"
#include "ipc/dbus/call.hpp"
#include "ipc/dbus/read_variant.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

constexpr std::size_t texts_max = 64; // in a list of names

class EventSink final : public EntrySink {
public:
    explicit EventSink(EventBuilder& builder) : builder_(builder) {}
    void value(std::string_view key, const Scalar& value) override { builder_.set(key, value); }
    void refuse(std::string_view key, std::string reason) override { builder_.refuse(key, std::move(reason)); }

private:
    EventBuilder& builder_;
};

// For builders that keep the first mistake: what cannot even be given to them is kept here.
class FirstProblem : public EntrySink {
public:
    void refuse(std::string_view key, std::string reason) override {
        if (!problem_) {
            problem_ = Error{Code::invalid_argument, "bus", std::string(key), std::move(reason)};
        }
    }
    Result<void> check() const { return problem_ ? Result<void>(std::unexpected(*problem_)) : Result<void>(); }

private:
    std::optional<Error> problem_{};
};

class FilterSink final : public FirstProblem {
public:
    explicit FilterSink(FilterBuilder& builder) : builder_(builder) {}
    void value(std::string_view key, const Scalar& value) override { builder_.add(key, value); }

private:
    FilterBuilder& builder_;
};

class BeatSink final : public FirstProblem {
public:
    explicit BeatSink(BeatBuilder& builder) : builder_(builder) {}
    void value(std::string_view key, const Scalar& value) override { builder_.set(key, value); }

private:
    BeatBuilder& builder_;
};

class ListSink final : public FirstProblem {
public:
    explicit ListSink(ListFilter& filter) : filter_(filter) {}
    void value(std::string_view key, const Scalar& value) override {
        std::string text;
        if (const auto* words = std::get_if<std::string_view>(&value)) {
            text = *words;
        } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
            text = std::to_string(*number);
        } else if (const auto* large = std::get_if<std::uint64_t>(&value)) {
            text = std::to_string(*large);
        } else {
            refuse(key, "must be a string or an integer, not " + std::string(kind_of(value)));
            return;
        }
        std::vector<std::string>& values = filter_[std::string(key)];
        if (values.size() >= limits::filter_values || text.size() > limits::filter_text_bytes) {
            refuse(key, "has too many or too long values");
            return;
        }
        values.push_back(std::move(text));
    }

private:
    ListFilter& filter_;
};

Error too_large(std::string reason) {
    Error error{Code::limit_exceeded, "submit", "", std::move(reason)};
    error.too_large = true;
    return error;
}

// A batch on its way: good events as long as all are good, mistakes with their index.
struct Batch {
    std::vector<Event> events{};
    std::vector<FieldError> mistakes{};
    std::size_t count = 0;
    std::size_t bytes = 0;

    void take(Result<Event> event) {
        if (event) {
            bytes += size_of(*event);
            if (mistakes.empty()) {
                events.push_back(std::move(*event));
            }
        } else {
            for (FieldError& field : event.error().fields) {
                if (mistakes.size() < limits::errors_listed) {
                    field.index = count;
                    mistakes.push_back(std::move(field));
                }
            }
        }
        ++count;
    }
};

} // namespace

Error batch_error(Error error) {
    if (!error.fields.empty()) {
        error.object.clear();
        error.reason = list_of(error.fields, true);
        error.fields.clear();
    }
    return error;
}

Result<Event> read_event(sd_bus_message* message, const IntakeRules& rules, std::int64_t now_us) {
    EventBuilder builder(rules, now_us);
    EventSink sink(builder);
    if (auto read = read_entries(message, Arrays::json, sink); !read) {
        return std::unexpected(std::move(read.error()));
    }
    return builder.finish();
}

Result<std::vector<Event>> read_events(sd_bus_message* message, const IntakeRules& rules, std::int64_t now_us) {
    if (sd_bus_message_enter_container(message, 'a', "a{sv}") < 0) {
        return std::unexpected(unreadable("an array of events"));
    }
    Batch batch;
    while (sd_bus_message_at_end(message, 0) == 0) {
        if (batch.count >= limits::batch_events) {
            return std::unexpected(
                too_large("a batch has at most " + std::to_string(limits::batch_events) + " events; send it in parts"));
        }
        auto event = read_event(message, rules, now_us);
        if (!event && event.error().code != Code::invalid_event) {
            return std::unexpected(std::move(event.error()));
        }
        batch.take(std::move(event));
        if (batch.bytes > limits::batch_bytes) {
            return std::unexpected(
                too_large("a batch has at most " + std::to_string(limits::batch_bytes) + " bytes; send it in parts"));
        }
    }
    if (!batch.mistakes.empty()) {
        Error error{Code::invalid_event, "submit", "", ""};
        error.fields = std::move(batch.mistakes);
        return std::unexpected(batch_error(std::move(error)));
    }
    if (batch.events.empty()) {
        return fail(Code::invalid_argument, "submit", "", "there are no events in it");
    }
    return std::move(batch.events);
}

Result<std::span<const char>> read_bytes(sd_bus_message* message) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (sd_bus_message_read_array(message, 'y', &data, &size) < 0) {
        return std::unexpected(unreadable("the array of bytes"));
    }
    if (size > limits::batch_bytes) {
        return std::unexpected(
            too_large("a batch has at most " + std::to_string(limits::batch_bytes) + " bytes; send it in parts"));
    }
    const std::span<const char> bytes(static_cast<const char*>(data), size);
    const auto lines = static_cast<std::size_t>(std::ranges::count(bytes, '\n'));
    const std::size_t unfinished = !bytes.empty() && bytes.back() != '\n' ? 1 : 0;
    if (lines + unfinished > limits::batch_events) {
        return std::unexpected(
            too_large("a batch has at most " + std::to_string(limits::batch_events) + " lines; send it in parts"));
    }
    return bytes;
}

Result<Filter> read_filter(sd_bus_message* message, const Zone& zone) {
    FilterBuilder builder(zone);
    FilterSink sink(builder);
    if (auto read = read_entries(message, Arrays::repeated, sink); !read) {
        return std::unexpected(std::move(read.error()));
    }
    if (auto checked = sink.check(); !checked) {
        return std::unexpected(std::move(checked.error()));
    }
    return builder.finish();
}

Result<ListFilter> read_list_filter(sd_bus_message* message) {
    ListFilter filter;
    ListSink sink(filter);
    if (auto read = read_entries(message, Arrays::repeated, sink); !read) {
        return std::unexpected(std::move(read.error()));
    }
    if (auto checked = sink.check(); !checked) {
        return std::unexpected(std::move(checked.error()));
    }
    return filter;
}

Result<PageRequest> read_page(sd_bus_message* message) {
    std::uint32_t limit = 0;
    const char* cursor = nullptr;
    if (sd_bus_message_read(message, "us", &limit, &cursor) < 0) {
        return std::unexpected(unreadable("limit and cursor"));
    }
    if (limit > limits::page_max) {
        return fail(Code::invalid_argument, "query", "limit",
                    std::to_string(limit) + " is more than " + std::to_string(limits::page_max));
    }
    return PageRequest{limit == 0 ? limits::page_default : limit, cursor};
}

Result<std::vector<std::string>> read_texts(sd_bus_message* message, const char* what) {
    std::vector<std::string> out;
    if (sd_bus_message_enter_container(message, 'a', "s") < 0) {
        return std::unexpected(unreadable(what));
    }
    const char* text = nullptr;
    int read = 0;
    while ((read = sd_bus_message_read_basic(message, 's', &text)) > 0) {
        out.emplace_back(text);
        if (out.size() > texts_max) {
            return fail(Code::invalid_argument, "bus", what, "has more than " + std::to_string(texts_max) + " entries");
        }
    }
    if (read < 0 || sd_bus_message_exit_container(message) < 0) {
        return std::unexpected(unreadable(what));
    }
    return out;
}

Result<Beat> read_beat(sd_bus_message* message, const Origin& origin, std::int64_t now_us) {
    const char* source = nullptr;
    if (sd_bus_message_read_basic(message, 's', &source) < 0) {
        return std::unexpected(unreadable("the source"));
    }
    BeatBuilder builder(source);
    BeatSink sink(builder);
    if (auto read = read_entries(message, Arrays::json, sink); !read) {
        return std::unexpected(std::move(read.error()));
    }
    if (auto checked = sink.check(); !checked) {
        return std::unexpected(std::move(checked.error()));
    }
    builder.from(origin);
    return builder.finish(now_us);
}

} // namespace tocsin::ipc::dbus
