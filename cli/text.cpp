// SPDX-License-Identifier: Apache-2.0
#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace tocsin::cli {
namespace {

struct Range {
    char32_t first;
    char32_t last;
};

// The ranges that matter in practice, not the whole Unicode table: a column too many or too few costs only alignment.
constexpr std::array<Range, 12> zero_width{{
    {0x0300, 0x036F},
    {0x0483, 0x0489},
    {0x0591, 0x05BD},
    {0x064B, 0x065F},
    {0x0E31, 0x0E3A},
    {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF},
    {0x200B, 0x200D},
    {0x20D0, 0x20FF},
    {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F},
    {0xE0100, 0xE01EF},
}};
constexpr std::array<Range, 11> double_width{{
    {0x1100, 0x115F},
    {0x2E80, 0x303E},
    {0x3041, 0xA4CF},
    {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F},
    {0x1F680, 0x1FAFF},
    {0x20000, 0x3FFFD},
}};
// Controls (C0, DEL, C1), marks of direction, line and paragraph separators, the byte order mark; and what takes no
// room and hides: soft hyphens, invisible spaces and operators, tags.
constexpr std::array<Range, 11> harmful{{
    {0x00, 0x1F},
    {0x7F, 0x9F},
    {0xAD, 0xAD},
    {0x061C, 0x061C},
    {0x200B, 0x200B},
    {0x200E, 0x200F},
    {0x2028, 0x202E},
    {0x2060, 0x206F},
    {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFB},
    {0xE0000, 0xE007F},
}};

template <std::size_t Size> bool in(const std::array<Range, Size>& ranges, char32_t value) {
    return std::ranges::any_of(ranges, [value](Range range) { return value >= range.first && value <= range.last; });
}

std::size_t length_of(unsigned char lead) {
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead < 0xE0) {
        return 2;
    }
    if (lead >= 0xE0 && lead < 0xF0) {
        return 3;
    }
    return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

bool is_overlong_or_surrogate(char32_t value, std::size_t bytes) {
    constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    return value < least.at(bytes) || (value >= 0xD800 && value <= 0xDFFF) || value > 0x10FFFF;
}

void append_escape(std::string& out, char32_t value, char byte) {
    if (value == U'\n') {
        out += "\\n";
    } else if (value == U'\t') {
        out += "\\t";
    } else if (value == U'\r') {
        out += "\\r";
    } else if (value == invalid_code_point) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(byte));
    } else if (value < 0x80) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned>(value));
    } else {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(value));
    }
}

std::string escape(std::string_view text, std::string_view kept) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        const bool keep = kept.find(text.front()) != std::string_view::npos;
        if (!keep && (point.value == invalid_code_point || in(harmful, point.value))) {
            append_escape(out, point.value, text.front());
        } else {
            out += text.substr(0, point.bytes);
        }
        text.remove_prefix(point.bytes);
    }
    return out;
}

std::size_t columns_of(char32_t value) {
    if (value == invalid_code_point || value < 0x300) {
        return 1;
    }
    return in(zero_width, value) ? 0 : in(double_width, value) ? 2 : 1;
}

} // namespace

CodePoint first_code_point(std::string_view text) {
    if (text.empty()) {
        return {};
    }
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t bytes = length_of(lead);
    if (bytes == 0 || bytes > text.size()) {
        return {invalid_code_point, 1};
    }
    char32_t value = bytes == 1 ? lead : static_cast<char32_t>(lead & (0xFFU >> (bytes + 1)));
    for (const char next : text.substr(1, bytes - 1)) {
        const auto byte = static_cast<unsigned char>(next);
        if ((byte & 0xC0U) != 0x80U) {
            return {invalid_code_point, 1};
        }
        value = (value << 6U) | (byte & 0x3FU);
    }
    if (is_overlong_or_surrogate(value, bytes)) {
        return {invalid_code_point, 1};
    }
    return {value, bytes};
}

std::string printable(std::string_view text) {
    return escape(text, {});
}

std::string printable_lines(std::string_view text) {
    return escape(text, "\n\t");
}

std::size_t width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        columns += columns_of(point.value);
        text.remove_prefix(point.bytes);
    }
    return columns;
}

std::string fit(std::string_view text, std::size_t columns) {
    if (width(text) <= columns) {
        return std::string(text);
    }
    if (columns == 0) {
        return {};
    }
    std::size_t used = 0;
    std::size_t end = 0;
    while (end < text.size()) {
        const CodePoint point = first_code_point(text.substr(end));
        const std::size_t more = columns_of(point.value);
        if (used + more > columns - 1) {
            break;
        }
        used += more;
        end += point.bytes;
    }
    return std::string(text.substr(0, end)) + "…";
}

} // namespace tocsin::cli
