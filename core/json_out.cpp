// SPDX-License-Identifier: Apache-2.0
#include "core/json.hpp"
#include "core/json_impl.hpp"
#include "core/utf8.hpp"
#include "core/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace tocsin::json {

namespace {

constexpr std::string_view hex = "0123456789abcdef";
constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD

constexpr bool is_special(unsigned char byte) {
    return byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80;
}

std::size_t plain_run(std::string_view text, std::size_t place) {
    const std::size_t from = place;
    while (place + words::word_bytes <= text.size() &&
           words::special_bytes(words::load<std::uint64_t>(text.data() + place)) == 0) {
        place += words::word_bytes;
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

// What most measurements are: at most three decimals. Decimals of up to 15 digits are different numbers, so one that
// reads back as the value is the shortest; below 100,000 none is shorter with an exponent. Null for any other value.
char* print_thousandths(char* to, double value) {
    const double magnitude = std::abs(value);
    if (magnitude < 0.001 || magnitude >= 100'000) {
        return nullptr;
    }
    const auto thousandths = static_cast<std::uint32_t>(std::lround(magnitude * 1'000));
    if (thousandths / 1'000.0 != magnitude) {
        return nullptr;
    }
    if (value < 0) {
        *to++ = '-';
    }
    to = std::to_chars(to, to + 5, thousandths / 1'000).ptr;
    const std::uint32_t decimals = thousandths % 1'000;
    *to++ = '.';
    *to++ = static_cast<char>('0' + decimals / 100);
    if (decimals % 100 != 0) {
        *to++ = static_cast<char>('0' + decimals / 10 % 10);
    }
    if (decimals % 10 != 0) {
        *to++ = static_cast<char>('0' + decimals % 10);
    }
    return to;
}

void append_real(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    std::array<char, real_bytes> text{};
    out.append(text.data(), print_real(text.data(), value));
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

// Shortest text that reads back as the same value; always with a point or an exponent, so that a real stays one.
char* print_real(char* to, double value) {
    if (char* const end = print_thousandths(to, value); end != nullptr) {
        return end;
    }
    char* end = std::to_chars(to, to + real_bytes, value).ptr;
    if (std::none_of(to, end, [](char c) { return c == '.' || c == 'e'; })) {
        *end++ = '.';
        *end++ = '0';
    }
    return end;
}

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
