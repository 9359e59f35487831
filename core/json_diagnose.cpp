// SPDX-License-Identifier: Apache-2.0
#include "core/json_impl.hpp"
#include "core/utf8.hpp"

#include <charconv>
#include <utility>

namespace tocsin::json {

namespace {

constexpr unsigned deepest = 1'024; // as simdjson's default

// A plain reader of RFC 8259 that stops at the first thing that is wrong. Only asked when simdjson has refused a text.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}
    Fault run();

private:
    bool value();
    bool object();
    bool array();
    bool string();
    bool escape();
    std::optional<unsigned> code_unit();
    bool number();
    bool literal(std::string_view word);
    bool member(bool at_event);
    bool fail(std::string reason, bool readable = false);
    void blank();
    char next() const { return place_ < text_.size() ? text_[place_] : '\0'; }
    bool take(char wanted);
    bool digits();
    bool number_fits(std::size_t from, bool real);

    std::string_view text_;
    std::size_t place_ = 0;
    unsigned depth_ = 0;
    unsigned event_depth_ = 1; // containers around the members of an event
    Fault fault_{};
};

Fault Scanner::run() {
    const std::size_t valid = utf8_valid_prefix(text_);
    if (valid < text_.size()) {
        return {valid, "is not valid UTF-8", false, 0, {}};
    }
    blank();
    if (place_ == text_.size()) {
        return {place_, "is empty", false, 0, {}};
    }
    event_depth_ = next() == '[' ? 2 : 1;
    if (value()) {
        fault_.field.clear();
        fault_.index = 0;
        blank();
        fault_.offset = place_;
        fault_.reason = place_ < text_.size() ? "has something after its end" : "cannot be read";
    }
    return fault_;
}

bool Scanner::fail(std::string reason, bool readable) {
    fault_.offset = place_;
    fault_.reason = std::move(reason);
    fault_.readable = readable;
    return false;
}

void Scanner::blank() {
    const auto end = text_.find_first_not_of(" \t\r\n", place_);
    place_ = end == std::string_view::npos ? text_.size() : end;
}

bool Scanner::take(char wanted) {
    if (place_ < text_.size() && text_[place_] == wanted) {
        ++place_;
        return true;
    }
    return false;
}

bool Scanner::value() {
    blank();
    if (place_ == text_.size()) {
        return fail("ends too early");
    }
    const char c = next();
    if (c == '{' || c == '[') {
        if (depth_ == deepest) {
            return fail("is nested deeper than " + std::to_string(deepest), true);
        }
        ++depth_;
        const bool good = c == '{' ? object() : array();
        --depth_;
        return good;
    }
    if (c == '"') {
        return string();
    }
    if (c == 't' || c == 'f' || c == 'n') {
        return literal(c == 't' ? "true" : c == 'f' ? "false" : "null");
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        return number();
    }
    return fail("has something that is no value");
}

bool Scanner::member(bool at_event) {
    blank();
    const std::size_t from = place_ + 1;
    if (next() != '"') {
        return fail(place_ == text_.size() ? "ends too early" : "lacks a key in double quotes");
    }
    if (!string()) {
        return false;
    }
    if (at_event) {
        fault_.field = utf8_cut(text_.substr(from, place_ - 1 - from), limits::name_bytes);
    }
    blank();
    if (!take(':')) {
        return fail("lacks a colon after a key");
    }
    return value();
}

bool Scanner::object() {
    const bool at_event = depth_ == event_depth_;
    ++place_;
    blank();
    if (take('}')) {
        return true;
    }
    do {
        if (!member(at_event)) {
            return false;
        }
        blank();
    } while (take(','));
    if (at_event && next() == '}') {
        fault_.field.clear();
    }
    return take('}') || fail("lacks a comma or a closing brace");
}

bool Scanner::array() {
    const bool at_top = depth_ == 1;
    ++place_;
    blank();
    if (take(']')) {
        return true;
    }
    bool more = true;
    while (more) {
        if (!value()) {
            return false;
        }
        blank();
        more = take(',');
        fault_.index += at_top && more ? 1 : 0;
    }
    return take(']') || fail("lacks a comma or a closing bracket");
}

bool Scanner::string() {
    ++place_;
    while (place_ < text_.size()) {
        const auto byte = static_cast<unsigned char>(text_[place_]);
        if (byte == '"') {
            ++place_;
            return true;
        }
        if (byte < 0x20) {
            return fail("has a control character inside a string");
        }
        if (byte == '\\' && !escape()) {
            return false;
        }
        if (byte != '\\') {
            ++place_;
        }
    }
    return fail("ends inside a string");
}

// Four hexadecimal digits after \u
std::optional<unsigned> Scanner::code_unit() {
    constexpr std::size_t length = 4;
    unsigned unit = 0;
    const std::string_view digits = text_.substr(place_, length);
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (digits.size() != length || problem != std::errc{} || end != digits.data() + length) {
        return std::nullopt;
    }
    place_ += length;
    return unit;
}

bool Scanner::escape() {
    ++place_;
    if (std::string_view("\"\\/bfnrt").find(next()) != std::string_view::npos && next() != '\0') {
        ++place_;
        return true;
    }
    if (!take('u')) {
        return fail("has an unknown escape in a string");
    }
    const auto unit = code_unit();
    if (!unit) {
        return fail("has \\u without four hexadecimal digits");
    }
    if (*unit < 0xD800 || *unit > 0xDFFF) {
        return true;
    }
    if (*unit > 0xDBFF || !take('\\') || !take('u')) {
        return fail("has half of a surrogate pair in a string", true);
    }
    const auto low = code_unit();
    if (!low || *low < 0xDC00 || *low > 0xDFFF) {
        return fail("has half of a surrogate pair in a string", true);
    }
    return true;
}

bool Scanner::literal(std::string_view word) {
    if (text_.substr(place_, word.size()) != word) {
        return fail("has something that is no value");
    }
    place_ += word.size();
    return true;
}

bool Scanner::digits() {
    const std::size_t from = place_;
    while (next() >= '0' && next() <= '9') {
        ++place_;
    }
    return place_ > from;
}

bool Scanner::number_fits(std::size_t from, bool real) {
    const std::string_view token = text_.substr(from, place_ - from);
    const char* const begin = token.data();
    const char* const end = begin + token.size();
    if (!real) {
        std::int64_t with_sign = 0;
        std::uint64_t without_sign = 0;
        return std::from_chars(begin, end, with_sign).ec == std::errc{} ||
               std::from_chars(begin, end, without_sign).ec == std::errc{};
    }
    double value = 0;
    const bool tiny = token.find("e-") != std::string_view::npos || token.find("E-") != std::string_view::npos;
    return std::from_chars(begin, end, value).ec == std::errc{} || tiny;
}

bool Scanner::number() {
    const std::size_t from = place_;
    bool real = false;
    take('-');
    if (!take('0') && !digits()) {
        return fail("has a number without digits");
    }
    if (take('.')) {
        real = true;
        if (!digits()) {
            return fail("has a number without digits after its point");
        }
    }
    if (take('e') || take('E')) {
        real = true;
        take(next() == '-' ? '-' : '+');
        if (!digits()) {
            return fail("has a number without digits in its exponent");
        }
    }
    if (place_ < text_.size() && std::string_view(",]} \t\r\n").find(next()) == std::string_view::npos) {
        return fail("has a malformed number");
    }
    if (!number_fits(from, real)) {
        place_ = from;
        return fail(real ? "has a number that is too large for a double" : "has a number that does not fit 64 bits",
                    true);
    }
    return true;
}

} // namespace

Fault diagnose(std::string_view text) {
    return Scanner(text).run();
}

Error unreadable(const Fault& fault) {
    return {Code::invalid_argument, "JSON", "",
            "the JSON " + fault.reason + ", at byte " + std::to_string(fault.offset)};
}

Error unreadable(std::string_view text) {
    return unreadable(diagnose(text));
}

} // namespace tocsin::json
