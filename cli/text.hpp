// SPDX-License-Identifier: Apache-2.0
// Text on its way to a terminal: made harmless (control characters, bidirectional overrides and broken UTF-8 shown as
// escapes), measured in columns, cut to fit. What comes from events is never written to a terminal without printable().
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tocsin::cli {

// One code point at the front of `text`: its value and length; a broken byte is {invalid_code_point, 1}.
inline constexpr char32_t invalid_code_point = 0xFFFFFFFF;
struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 0;
};
CodePoint first_code_point(std::string_view text);

// \n, \t, \x1b, \u202e, … for everything that could move a cursor, end a line or turn text around.
std::string printable(std::string_view text);
// The same, but lines and tabs stay: for whole outputs of programs.
std::string printable_lines(std::string_view text);

// Columns on a terminal: 0 for combining marks, 2 for wide East Asian letters and pictures.
std::size_t width(std::string_view text);
// At most `columns` wide; what is cut is marked by "…".
std::string fit(std::string_view text, std::size_t columns);

} // namespace tocsin::cli
