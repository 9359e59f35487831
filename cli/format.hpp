// SPDX-License-Identifier: Apache-2.0
// How a verb shows what it found, chosen by -o FORMAT or --json; each verb's row names those that make sense for it.
#pragma once

#include "cli/options.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tocsin::cli {

enum class Format : std::uint8_t {
    table,
    lines,
    json,
    ndjson,
    csv
}; // lines are "short", which is a word of the language

std::optional<Format> format_from(std::string_view text);
// "table, short or json", of the words of Verb::formats.
std::string format_list(std::string_view formats);
// Table unless asked otherwise; invalid_argument for one that the verb does not have.
Result<Format> choose_format(const Arguments& arguments);

} // namespace tocsin::cli
