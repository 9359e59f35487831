// SPDX-License-Identifier: Apache-2.0
// Private to core: UTF-8 as texts are checked, cut and shown in messages. Lengths in bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tocsin {

// Length of the longest prefix that is valid UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF).
std::size_t utf8_valid_prefix(std::string_view text);
// The longest prefix of at most `max` bytes that splits no character.
std::string_view utf8_cut(std::string_view text, std::size_t max);
// True for most of what comes: U+0020–U+007E only, which needs no further look.
bool is_printable_ascii(std::string_view text);
// Unicode's class Cc: U+0000–U+001F, U+007F–U+009F.
bool has_control_character(std::string_view text);
// For messages: in double quotes, escaped as in JSON, cut with "…" where it is long.
std::string in_quotes(std::string_view text);

} // namespace tocsin
