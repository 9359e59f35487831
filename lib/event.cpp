// SPDX-License-Identifier: Apache-2.0
#include "lib/event.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

namespace tocsin::lib {
namespace {

void append_escaped(std::string& out, char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
    } else if (byte < 0x20) {
        out += "\\u00";
        out += digits[byte >> 4U];
        out += digits[byte & 0xFU];
    } else {
        out += c;
    }
}

// Minified members of a JSON object; nothing where it is no such text.
std::optional<std::string> members_of(std::string_view text) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    // Minified as text: numbers stay as they were written.
    std::string small(text.size() + simdjson::SIMDJSON_PADDING, '\0');
    std::size_t size = 0;
    if (simdjson::minify(text.data(), text.size(), small.data(), size) != simdjson::SUCCESS || size < 2) {
        return std::nullopt;
    }
    return small.substr(1, size - 2);
}

} // namespace

bool append_string(std::string& out, std::string_view text) {
    if (!simdjson::validate_utf8(text.data(), text.size())) {
        return false;
    }
    out += '"';
    for (const char c : text) {
        append_escaped(out, c);
    }
    out += '"';
    return true;
}

} // namespace tocsin::lib

using tocsin::lib::append_string;

int tocsin_event::refuse(std::string_view field, std::string reason) {
    tocsin_result wrong = tocsin::lib::field_failure(std::string(field), std::move(reason));
    if (!problem_) {
        problem_ = std::move(wrong);
    }
    return TOCSIN_INVALID_EVENT;
}

bool tocsin_event::has(std::string_view field) const {
    return std::ranges::any_of(fields_, [field](const auto& one) { return one.first == field; });
}

int tocsin_event::set(std::string_view field, std::string json) {
    std::string name;
    if (field.empty() || !append_string(name, field)) {
        return refuse("field", "is empty or no valid UTF-8");
    }
    if (field == "payload") {
        return refuse(field, "is set by tocsin_event_set_payload()");
    }
    const auto same = std::ranges::find_if(fields_, [field](const auto& one) { return one.first == field; });
    if (same != fields_.end()) {
        same->second = std::move(json);
    } else {
        fields_.emplace_back(field, std::move(json));
    }
    return TOCSIN_OK;
}

int tocsin_event::set_text(std::string_view field, const char* value) {
    std::string json;
    if (value == nullptr || !append_string(json, value)) {
        return refuse(field, value == nullptr ? "is NULL" : "is not valid UTF-8");
    }
    return set(field, std::move(json));
}

int tocsin_event::set_int(std::string_view field, std::int64_t value) {
    return set(field, std::to_string(value));
}

int tocsin_event::set_time(std::int64_t us) {
    // The daemon tells the units of integers apart by their size; microseconds of other centuries would be taken for
    // others.
    constexpr std::int64_t least = 100'000'000'000'000;
    constexpr std::int64_t most = 100'000'000'000'000'000;
    if (us >= least && us < most) {
        return set_int("event_time", us);
    }
    constexpr std::int64_t second = 1'000'000;
    const std::time_t whole = static_cast<std::time_t>(us / second) - (us % second < 0 ? 1 : 0);
    std::tm date{};
    std::array<char, 64> text{};
    if (::gmtime_r(&whole, &date) == nullptr ||
        std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &date) == 0) {
        return refuse("event_time", "is no time that a calendar has");
    }
    const std::string fraction = std::to_string(us - static_cast<std::int64_t>(whole) * second + second);
    return set_text("event_time", (std::string(text.data()) + '.' + fraction.substr(1) + 'Z').c_str());
}

int tocsin_event::set_payload(const char* json_object) {
    auto members = json_object == nullptr ? std::nullopt : tocsin::lib::members_of(json_object);
    if (!members) {
        return refuse("payload", "is not the text of a JSON object");
    }
    payload_ = std::move(*members);
    has_payload_ = true;
    return TOCSIN_OK;
}

int tocsin_event::add(std::string_view key, std::string_view json) {
    std::string member = payload_.empty() ? "" : ",";
    if (!append_string(member, key)) {
        return refuse("payload", "has a key that is not valid UTF-8");
    }
    member += ':';
    payload_ += member.append(json);
    has_payload_ = true;
    return TOCSIN_OK;
}

int tocsin_event::add_text(std::string_view key, const char* value) {
    std::string json;
    if (value == nullptr || !append_string(json, value)) {
        return refuse("payload." + std::string(key), value == nullptr ? "is NULL" : "is not valid UTF-8");
    }
    return add(key, json);
}

int tocsin_event::add_int(std::string_view key, std::int64_t value) {
    return add(key, std::to_string(value));
}

int tocsin_event::add_real(std::string_view key, double value) {
    if (!std::isfinite(value)) {
        return refuse("payload." + std::string(key), "is not a finite number");
    }
    std::array<char, 32> digits{};
    const auto [end, problem] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
    // A real stays one where its value is whole, as long as it is no power of ten already.
    const bool whole = text.find_first_of(".e") == std::string_view::npos;
    return add(key, whole ? std::string(text) + ".0" : std::string(text));
}

int tocsin_event::add_bool(std::string_view key, bool value) {
    return add(key, value ? "true" : "false");
}

void tocsin_event::render(std::string& out, const Defaults& defaults) const {
    char separator = '{';
    const auto member = [&out, &separator](std::string_view name, std::string_view json) {
        out += separator;
        separator = ',';
        append_string(out, name);
        out += ':';
        out += json;
    };
    for (const auto& [name, json] : fields_) {
        member(name, json);
    }
    if (!has("idempotency_key")) {
        member("idempotency_key", '"' + defaults.key + '"');
    }
    if (!has("event_time")) {
        member("event_time", std::to_string(defaults.time_us));
    }
    if (has_payload_) {
        member("payload", '{' + payload_ + '}');
    }
    out += '}';
}
