// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/write_variant.hpp"

#include "core/event.hpp"
#include "core/json.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

constexpr std::size_t entry_overhead_bytes = 40;   // alignment, lengths, signature and value of one dictionary entry
constexpr std::size_t element_overhead_bytes = 32; // the same for a value inside JSON, beyond its text

const char* signature_of(std::string_view json) {
    return json.starts_with('[') ? "av" : "a{sv}";
}

struct SignatureOf {
    const char* operator()(std::monostate) const { return "av"; }
    const char* operator()(bool) const { return "b"; }
    const char* operator()(std::int64_t) const { return "x"; }
    const char* operator()(std::uint64_t) const { return "t"; }
    const char* operator()(std::uint32_t) const { return "u"; }
    const char* operator()(double) const { return "d"; }
    const char* operator()(std::string_view) const { return "s"; }
    const char* operator()(RawJson raw) const { return signature_of(raw.text); }
    const char* operator()(TimeUs) const { return "t"; }
    const char* operator()(TimesUs) const { return "at"; }
    const char* operator()(const std::string&) const { return "s"; }
    const char* operator()(std::int32_t) const { return "i"; }
    const char* operator()(const std::vector<std::string>&) const { return "as"; }
};

// Follows one JSON object or array; its own variant was opened by the caller.
class JsonWriter final : public json::Visitor {
public:
    explicit JsonWriter(Out& out) : out_(out) {}

    void begin_object() override { begin("a{sv}", "{sv}", true); }
    void end_object() override { end(); }
    void begin_array() override { begin("av", "v", false); }
    void end_array() override { end(); }
    void key(std::string_view name) override { key_ = name; }
    void scalar(const Scalar& value) override {
        if (inside_object() && std::holds_alternative<std::monostate>(value)) {
            return;
        }
        const auto* number = std::get_if<std::uint64_t>(&value);
        open_entry();
        if (number != nullptr && std::in_range<std::int64_t>(*number)) {
            out_.variant(Scalar(static_cast<std::int64_t>(*number)));
        } else {
            out_.variant(value);
        }
        close_entry();
    }

private:
    bool inside_object() const { return !in_object_.empty() && in_object_.back(); }
    void open_entry() {
        if (inside_object()) {
            out_.open('e', "sv");
            out_.text(key_);
        }
    }
    void close_entry() {
        if (inside_object()) {
            out_.close();
        }
    }
    void begin(const char* signature, const char* contents, bool object) {
        if (!in_object_.empty()) {
            open_entry();
            out_.open('v', signature);
        }
        out_.open('a', contents);
        in_object_.push_back(object);
    }
    void end() {
        in_object_.pop_back();
        out_.close();
        if (!in_object_.empty()) {
            out_.close();
            close_entry();
        }
    }

    Out& out_;
    std::string key_{};
    std::vector<bool> in_object_{};
};

} // namespace

void Out::open(char type, const char* contents) {
    if (ok()) {
        note(sd_bus_message_open_container(message_, type, contents));
    }
}

void Out::close() {
    if (ok()) {
        note(sd_bus_message_close_container(message_));
    }
}

void Out::basic(char type, const void* value) {
    if (ok()) {
        note(sd_bus_message_append_basic(message_, type, value));
    }
}

void Out::text(std::string_view value) {
    if (!valid_utf8(value) || value.find('\0') != std::string_view::npos) {
        basic('s', clean_text(value).c_str());
        return;
    }
    char* space = nullptr;
    if (ok()) {
        note(sd_bus_message_append_string_space(message_, value.size(), &space));
    }
    if (ok() && !value.empty()) {
        std::memcpy(space, value.data(), value.size());
    }
}

void Out::path(const std::string& value) {
    basic('o', value.c_str());
}

void Out::counters(const std::vector<std::uint64_t>& values) {
    if (ok()) {
        note(sd_bus_message_append_array(message_, 't', values.data(), values.size() * sizeof(std::uint64_t)));
    }
}

void Out::times(std::span<const std::int64_t> values) {
    open('a', "t");
    for (const std::int64_t value : values) {
        counter(static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)));
    }
    close();
}

void Out::texts(const std::vector<std::string>& values) {
    open('a', "s");
    for (const std::string& value : values) {
        text(value);
    }
    close();
}

void Out::entry(std::string_view key, const Scalar& value) {
    if (std::holds_alternative<std::monostate>(value)) {
        return;
    }
    open('e', "sv");
    text(key);
    variant(value);
    close();
}

void Out::entry(std::string_view key, const PropertyValue& value) {
    open('e', "sv");
    text(key);
    variant(value);
    close();
}

void Out::variant(const Scalar& value) {
    open('v', std::visit(SignatureOf{}, value));
    if (const auto* flag = std::get_if<bool>(&value)) {
        const int number = *flag ? 1 : 0;
        basic('b', &number);
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
        integer(*number);
    } else if (const auto* large = std::get_if<std::uint64_t>(&value)) {
        counter(*large);
    } else if (const auto* few = std::get_if<std::uint32_t>(&value)) {
        small(*few);
    } else if (const auto* real = std::get_if<double>(&value)) {
        basic('d', real);
    } else if (const auto* words = std::get_if<std::string_view>(&value)) {
        text(*words);
    } else if (const auto* raw = std::get_if<RawJson>(&value)) {
        json(raw->text);
    } else if (const auto* time = std::get_if<TimeUs>(&value)) {
        counter(static_cast<std::uint64_t>(std::max<std::int64_t>(time->us, 0)));
    } else if (const auto* several = std::get_if<TimesUs>(&value)) {
        times(several->us);
    } else {
        open('a', "v"); // null inside an array
        close();
    }
    close();
}

void Out::variant(const PropertyValue& value) {
    open('v', std::visit(SignatureOf{}, value));
    if (const auto* words = std::get_if<std::string>(&value)) {
        text(*words);
    } else if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
        texts(*list);
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
        integer(*number);
    } else if (const auto* large = std::get_if<std::uint64_t>(&value)) {
        counter(*large);
    } else if (const auto* few = std::get_if<std::uint32_t>(&value)) {
        small(*few);
    } else if (const auto* status = std::get_if<std::int32_t>(&value)) {
        basic('i', status);
    } else if (const auto* real = std::get_if<double>(&value)) {
        basic('d', real);
    }
    close();
}

void Out::json(std::string_view text) {
    JsonWriter writer(*this);
    if (!json::walk(text, writer)) {
        note(-EINVAL); // only valid JSON is ever stored
    }
}

std::size_t dbus_bytes(std::string_view key, const Scalar& value) {
    std::size_t bytes = entry_overhead_bytes + key.size();
    if (const auto* words = std::get_if<std::string_view>(&value)) {
        bytes += words->size();
    } else if (const auto* raw = std::get_if<RawJson>(&value)) {
        const auto starts_element = [](char c) { return c == ',' || c == '[' || c == '{'; };
        const auto elements = static_cast<std::size_t>(std::ranges::count_if(raw->text, starts_element));
        bytes += raw->text.size() + elements * element_overhead_bytes;
    }
    return bytes;
}

} // namespace tocsin::ipc::dbus
