// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.hpp"

#include "core/event.hpp"
#include "core/json.hpp"
#include "core/words.hpp"

#include <cstdint>

namespace tocsin {

namespace {

constexpr std::size_t quoted_bytes = 64;

unsigned byte_at(std::string_view text, std::size_t place) {
    return static_cast<unsigned char>(text[place]);
}

bool continues(std::string_view text, std::size_t place) {
    return place < text.size() && (byte_at(text, place) & 0xC0U) == 0x80U;
}

// Length of the ASCII run at `place`, in steps of eight bytes.
std::size_t ascii_run(std::string_view text, std::size_t place) {
    const std::size_t from = place;
    while (place + words::word_bytes <= text.size() &&
           (words::load<std::uint64_t>(text.data() + place) & words::highs) == 0) {
        place += words::word_bytes;
    }
    while (place < text.size() && byte_at(text, place) < 0x80) {
        ++place;
    }
    return place - from;
}

// Length of the character of two to four bytes at `place`; 0 when it is none. Bounds of the second byte: Unicode, table
// 3-7.
std::size_t wide_character(std::string_view text, std::size_t place) {
    const unsigned first = byte_at(text, place);
    if (!continues(text, place + 1)) {
        return 0;
    }
    const unsigned second = byte_at(text, place + 1);
    if (first >= 0xC2 && first <= 0xDF) {
        return 2;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        const bool overlong = first == 0xE0 && second < 0xA0;
        const bool surrogate = first == 0xED && second > 0x9F;
        return !overlong && !surrogate && continues(text, place + 2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const bool overlong = first == 0xF0 && second < 0x90;
        const bool beyond = first == 0xF4 && second > 0x8F;
        return !overlong && !beyond && continues(text, place + 2) && continues(text, place + 3) ? 4 : 0;
    }
    return 0;
}

} // namespace

std::size_t utf8_valid_prefix(std::string_view text) {
    std::size_t place = ascii_run(text, 0);
    while (place < text.size()) {
        const std::size_t length = wide_character(text, place);
        if (length == 0) {
            return place;
        }
        place += length;
        place += ascii_run(text, place);
    }
    return place;
}

bool valid_utf8(std::string_view text) {
    return utf8_valid_prefix(text) == text.size();
}

std::string_view utf8_cut(std::string_view text, std::size_t max) {
    if (text.size() <= max) {
        return text;
    }
    std::size_t end = max;
    while (end > 0 && continues(text, end)) {
        --end;
    }
    return text.substr(0, end);
}

bool is_printable_ascii(std::string_view text) {
    return words::is_printable(text);
}

bool has_control_character(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const unsigned byte = byte_at(text, i);
        if (byte < 0x20 || byte == 0x7F) {
            return true;
        }
        if (byte == 0xC2 && i + 1 < text.size() && byte_at(text, i + 1) < 0xA0) {
            return true;
        }
    }
    return false;
}

std::optional<std::string> name_problem(std::string_view text, std::size_t max) {
    if (text.empty()) {
        return "is empty";
    }
    if (text.size() > max) {
        return "is longer than " + std::to_string(max) + " bytes";
    }
    if (is_printable_ascii(text)) {
        return std::nullopt;
    }
    if (!valid_utf8(text)) {
        return "is not valid UTF-8";
    }
    if (has_control_character(text)) {
        return "has a control character";
    }
    return std::nullopt;
}

std::string in_quotes(std::string_view text) {
    const std::string_view shown = utf8_cut(text, quoted_bytes);
    std::string out;
    json::append_string(out, shown);
    if (shown.size() < text.size()) {
        out.insert(out.size() - 1, "…");
    }
    return out;
}

} // namespace tocsin
