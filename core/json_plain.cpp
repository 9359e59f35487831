// SPDX-License-Identifier: Apache-2.0
#include "core/json_plain.hpp"

#include "core/builder_access.hpp"
#include "core/event.hpp"
#include "core/words.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

namespace tocsin::json {

namespace {

constexpr std::size_t integer_digits = 18; // of which all fit
constexpr std::size_t real_digits = 15;    // of which no two are the same real

// What is behind a backslash where a payload keeps it so, and the characters that are meant.
constexpr std::string_view kept_escapes = "\"\\bfnrt";
constexpr std::string_view stands_for = "\"\\\b\f\n\r\t";

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_whole(std::string_view digits) {
    return !digits.empty() && digits.size() <= integer_digits && (digits.front() != '0' || digits.size() == 1);
}

// True where a real is printed with these digits: it has none to spare, and would not be shorter with an exponent.
bool is_kept_real(std::string_view whole, std::string_view decimals) {
    if (decimals.empty() || whole.size() + decimals.size() > real_digits) {
        return false;
    }
    if (decimals == "0") {
        return whole.size() <= 5;
    }
    return decimals.back() != '0' && (whole != "0" || !decimals.starts_with("000"));
}

constexpr bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20;
}

constexpr bool is_special(char c) {
    return is_control(c) || static_cast<unsigned char>(c) >= 0x7F || c == '"' || c == '\\';
}

// Where printable ASCII without quotes and backslashes ends.
inline const char* plain_end(const char* at, const char* end) {
    for (; end - at >= static_cast<std::ptrdiff_t>(words::word_bytes); at += words::word_bytes) {
        const auto word = words::load<std::uint64_t>(at);
        const std::uint64_t special = words::special_bytes(word) | words::unprintable_bytes(word);
        if (special == 0) {
            continue;
        }
        if constexpr (std::endian::native == std::endian::little) {
            return at + std::countr_zero(special) / 8;
        }
        break;
    }
    while (at != end && !is_special(*at)) {
        ++at;
    }
    return at;
}

} // namespace

inline const char* PlainReader::past_blanks(const char* at) const {
    while (at != end_ && is_blank(*at)) {
        ++at;
    }
    return at;
}

inline const char* PlainReader::drop_blanks(const char* at) {
    if (at == end_ || !is_blank(*at)) {
        return at;
    }
    payload_.append(uncopied_, at);
    uncopied_ = past_blanks(at);
    return uncopied_;
}

inline std::string_view PlainReader::digits(const char* at) const {
    const char* const begin = at;
    while (at != end_ && is_digit(*at)) {
        ++at;
    }
    return {begin, at};
}

inline const char* PlainReader::usual_string(const char* at, std::string_view& text) const {
    if (!is(at, '"')) {
        return nullptr;
    }
    const char* const begin = at + 1;
    const char* const end = plain_end(begin, end_);
    text = {begin, end};
    return is(end, '"') ? end + 1 : nullptr;
}

const char* PlainReader::string(const char* at, std::string_view& text) const {
    if (!is(at, '"')) {
        return nullptr;
    }
    const char* const begin = ++at;
    while (at != end_ && *at != '"') {
        const bool escape = *at == '\\';
        at += escape ? 1 : 0;
        if (at == end_ || is_control(*at) || (escape && kept_escapes.find(*at) == std::string_view::npos)) {
            return nullptr;
        }
        ++at;
    }
    text = {begin, at};
    return at != end_ && valid_utf8(text) ? at + 1 : nullptr;
}

std::string_view PlainReader::unescaped(std::string_view text) {
    if (text.find('\\') == std::string_view::npos) {
        return text;
    }
    unescaped_.clear();
    for (auto at = text.begin(); at != text.end(); ++at) {
        unescaped_ += *at == '\\' ? stands_for[kept_escapes.find(*++at)] : *at;
    }
    return unescaped_;
}

const char* PlainReader::integer(const char* at, std::int64_t& value) const {
    const bool negative = is(at, '-');
    const std::string_view whole = digits(negative ? at + 1 : at);
    if (!is_whole(whole)) {
        return nullptr;
    }
    value = 0;
    for (const char digit : whole) {
        value = value * 10 + (digit - '0');
    }
    value = negative ? -value : value;
    return whole.data() + whole.size();
}

const char* PlainReader::number(const char* at) {
    const bool negative = is(at, '-');
    const std::string_view whole = digits(negative ? at + 1 : at);
    if (!is_whole(whole)) {
        return nullptr;
    }
    const char* end = whole.data() + whole.size();
    if (!is(end, '.') && !is(end, 'e') && !is(end, 'E')) {
        return negative && whole == "0" ? nullptr : end;
    }
    if (is(end, '.')) {
        const std::string_view decimals = digits(end + 1);
        end = decimals.data() + decimals.size();
        if (decimals.empty()) {
            return nullptr;
        }
        if (is_kept_real(whole, decimals) && !is(end, 'e') && !is(end, 'E')) {
            return end;
        }
    }
    return real(at, exponent(end));
}

const char* PlainReader::exponent(const char* at) const {
    if (!is(at, 'e') && !is(at, 'E')) {
        return at;
    }
    ++at;
    const std::string_view power = digits(is(at, '+') || is(at, '-') ? at + 1 : at);
    return power.empty() ? nullptr : power.data() + power.size();
}

// Kept as its shortest text.
const char* PlainReader::real(const char* at, const char* end) {
    double value = 0;
    if (end == nullptr || std::from_chars(at, end, value).ec != std::errc{}) {
        return nullptr;
    }
    std::array<char, real_bytes> text{};
    payload_.append(uncopied_, at).append(text.data(), print_real(text.data(), value));
    uncopied_ = end;
    return end;
}

const char* PlainReader::literal(const char* at, std::string_view text) const {
    return std::string_view(at, end_).starts_with(text) ? at + text.size() : nullptr;
}

bool PlainReader::read(std::string_view text, EventBuilder& builder, const Redaction& redaction) {
    constexpr unsigned given_up_after = 4;
    constexpr unsigned left_out_at_once = 16;
    if (left_out_ > 0) {
        --left_out_;
        return false;
    }
    redaction_ = &redaction;
    if (event(text, builder)) {
        in_vain_ = 0;
        return true;
    }
    if (++in_vain_ >= given_up_after) {
        left_out_ = left_out_at_once;
    }
    return false;
}

bool PlainReader::event(std::string_view text, EventBuilder& builder) {
    const char* at = text.data();
    end_ = at + text.size();
    if (!is(at, '{')) {
        return false;
    }
    do {
        at = member(past_blanks(at + 1), builder);
        if (at == nullptr) {
            return false;
        }
        at = past_blanks(at);
    } while (is(at, ','));
    return is(at, '}') && at + 1 == end_;
}

const char* PlainReader::member(const char* at, EventBuilder& builder) {
    std::string_view name;
    at = usual_string(at, name);
    const auto field = at == nullptr ? std::nullopt : field_of(name);
    if (!field) {
        return nullptr;
    }
    at = past_blanks(at);
    if (!is(at, ':')) {
        return nullptr;
    }
    at = past_blanks(at + 1);
    if (is(at, '{')) {
        return *field == EventField::payload ? payload(at, builder) : nullptr;
    }
    if (is(at, '"')) {
        return text(at, *field, builder);
    }
    if (is(at, 'n')) {
        BuilderAccess::set(builder, *field, {});
        return literal(at, "null");
    }
    std::int64_t number = 0;
    at = integer(at, number);
    if (at != nullptr && !BuilderAccess::takes(builder, *field, number)) {
        BuilderAccess::set(builder, *field, number);
    }
    return at;
}

const char* PlainReader::text(const char* at, EventField field, EventBuilder& builder) {
    std::string_view text;
    const char* const end = usual_string(at, text);
    if (end != nullptr && BuilderAccess::takes(builder, field, text)) {
        return end;
    }
    at = string(at, text);
    if (at != nullptr) {
        BuilderAccess::set(builder, field, unescaped(text));
    }
    return at;
}

const char* PlainReader::payload(const char* at, EventBuilder& builder) {
    payload_.clear();
    uncopied_ = at;
    key_count_ = 0;
    if (!BuilderAccess::first_payload(builder)) {
        return nullptr;
    }
    at = object(at, 1);
    if (at == nullptr) {
        return nullptr;
    }
    std::string_view kept(uncopied_, at);
    if (!payload_.empty()) {
        kept = payload_.append(kept);
    }
    BuilderAccess::payload(builder, kept);
    return kept.size() <= limits::payload_bytes ? at : nullptr;
}

const char* PlainReader::value(const char* at, unsigned depth) {
    if (at == end_) {
        return nullptr;
    }
    switch (*at) {
    case '"': {
        std::string_view text;
        const char* const end = usual_string(at, text);
        return end != nullptr ? end : string(at, text);
    }
    case '{':
        return depth < limits::payload_depth ? object(at, depth + 1) : nullptr;
    case '[':
        return depth < limits::payload_depth ? array(at, depth + 1) : nullptr;
    case 't':
        return literal(at, "true");
    case 'f':
        return literal(at, "false");
    case 'n':
        return literal(at, "null");
    default:
        return number(at);
    }
}

const char* PlainReader::object(const char* at, unsigned depth) {
    const std::size_t first_key = key_count_;
    std::uint64_t marks = 0;
    at = drop_blanks(at + 1);
    if (is(at, '}')) {
        return at + 1;
    }
    while (true) {
        at = key(at, first_key, marks);
        at = at == nullptr ? nullptr : value(at, depth);
        if (at == nullptr) {
            return nullptr;
        }
        at = drop_blanks(at);
        if (!is(at, ',')) {
            break;
        }
        at = drop_blanks(at + 1);
    }
    key_count_ = first_key;
    return is(at, '}') ? at + 1 : nullptr;
}

const char* PlainReader::array(const char* at, unsigned depth) {
    at = drop_blanks(at + 1);
    if (is(at, ']')) {
        return at + 1;
    }
    while (true) {
        at = value(at, depth);
        if (at == nullptr) {
            return nullptr;
        }
        at = drop_blanks(at);
        if (!is(at, ',')) {
            break;
        }
        at = drop_blanks(at + 1);
    }
    return is(at, ']') ? at + 1 : nullptr;
}

// With its colon. The keys before it in the same object stand from first_key on.
const char* PlainReader::key(const char* at, std::size_t first_key, std::uint64_t& marks) {
    std::string_view name;
    at = usual_string(at, name);
    if (at == nullptr || key_count_ == keys_kept || redaction_->takes(name)) {
        return nullptr;
    }
    const std::uint64_t mark = mark_of(name);
    if ((marks & mark) != 0) {
        const auto before = std::span(keys_).subspan(first_key, key_count_ - first_key);
        if (std::ranges::find(before, name) != before.end()) {
            return nullptr;
        }
    }
    marks |= mark;
    keys_[key_count_++] = name;
    at = drop_blanks(at);
    return is(at, ':') ? drop_blanks(at + 1) : nullptr;
}

} // namespace tocsin::json
