// SPDX-License-Identifier: Apache-2.0
#include "core/json.hpp"
#include "core/json_impl.hpp"
#include "core/utf8.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace tocsin::json {

namespace {

constexpr std::string_view hex = "0123456789abcdef";
constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD

constexpr std::uint64_t ones = 0x0101010101010101ULL;
constexpr std::uint64_t highs = 0x8080808080808080ULL;

// True where one of eight bytes is a quote, a backslash, a control character or not ASCII (Hacker's Delight, 6-1).
constexpr bool has_special(std::uint64_t word) {
    const std::uint64_t quote = word ^ (ones * '"');
    const std::uint64_t backslash = word ^ (ones * '\\');
    const std::uint64_t control = word - ones * 0x20;
    return ((((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | control | word) & highs) != 0;
}

constexpr bool is_special(unsigned char byte) {
    return byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80;
}

std::size_t plain_run(std::string_view text, std::size_t place) {
    const std::size_t from = place;
    std::uint64_t word = 0;
    while (place + sizeof word <= text.size()) {
        std::memcpy(&word, text.data() + place, sizeof word);
        if (has_special(word)) {
            break;
        }
        place += sizeof word;
    }
    while (place < text.size() && !is_special(static_cast<unsigned char>(text[place]))) {
        ++place;
    }
    return place - from;
}

void append_escaped(std::string& out, unsigned char byte) {
    switch (byte) {
    case '"':
        out += "\\\"";
        return;
    case '\\':
        out += "\\\\";
        return;
    case '\b':
        out += "\\b";
        return;
    case '\f':
        out += "\\f";
        return;
    case '\n':
        out += "\\n";
        return;
    case '\r':
        out += "\\r";
        return;
    case '\t':
        out += "\\t";
        return;
    default:
        out += "\\u00";
        out += hex[byte >> 4U];
        out += hex[byte & 0x0FU];
    }
}

// One run of bytes above ASCII; what is no UTF-8 becomes U+FFFD, so that what leaves is JSON whatever came in.
std::size_t append_wide(std::string& out, std::string_view text) {
    std::size_t end = 0;
    while (end < text.size() && static_cast<unsigned char>(text[end]) >= 0x80) {
        ++end;
    }
    std::string_view rest = text.substr(0, end);
    while (!rest.empty()) {
        const std::size_t valid = utf8_valid_prefix(rest);
        out += rest.substr(0, valid);
        rest.remove_prefix(valid);
        if (!rest.empty()) {
            out += replacement;
            rest.remove_prefix(1);
        }
    }
    return end;
}

template <typename T> void append_number(std::string& out, T value) {
    std::array<char, 32> digits{};
    const auto [end, problem] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    out.append(digits.data(), end);
}

// Shortest text that reads back as the same value; always with a point or an exponent, so that a real stays one.
void append_real(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    const std::size_t from = out.size();
    append_number(out, value);
    if (out.find_first_of(".e", from) == std::string::npos) {
        out += ".0";
    }
}

struct Appender {
    std::string& out;
    void operator()(std::monostate) const { out += "null"; }
    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(std::int64_t value) const { append_number(out, value); }
    void operator()(std::uint64_t value) const { append_number(out, value); }
    void operator()(std::uint32_t value) const { append_number(out, value); }
    void operator()(double value) const { append_real(out, value); }
    void operator()(std::string_view value) const { append_string(out, value); }
    void operator()(RawJson value) const { out += value.text; }
    void operator()(TimeUs value) const {
        out += '"';
        append_time(out, value.us);
        out += '"';
    }
    void operator()(TimesUs value) const {
        out += '[';
        for (std::size_t i = 0; i < value.us.size(); ++i) {
            out += i == 0 ? "" : ",";
            (*this)(TimeUs{value.us[i]});
        }
        out += ']';
    }
};

} // namespace

void append_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t place = 0;
    while (place < text.size()) {
        const std::size_t run = plain_run(text, place);
        out.append(text.data() + place, run);
        place += run;
        if (place == text.size()) {
            break;
        }
        const auto byte = static_cast<unsigned char>(text[place]);
        if (byte >= 0x80) {
            place += append_wide(out, text.substr(place));
        } else {
            append_escaped(out, byte);
            ++place;
        }
    }
    out += '"';
}

bool append_plain_string(std::string& out, std::string_view text) {
    if (plain_run(text, 0) != text.size()) {
        return false;
    }
    out += '"';
    out += text;
    out += '"';
    return true;
}

void append_scalar(std::string& out, const Scalar& value) {
    std::visit(Appender{out}, value);
}

void ObjectWriter::add(std::string_view key, const Scalar& value) {
    if (!first_) {
        out_ += ',';
    }
    first_ = false;
    append_string(out_, key);
    out_ += ':';
    append_scalar(out_, value);
}

FieldSink ObjectWriter::sink() {
    return [this](std::string_view key, const Scalar& value) { add(key, value); };
}

} // namespace tocsin::json
