// SPDX-License-Identifier: Apache-2.0
#include "cli/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tocsin::cli {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 5> names{{
    {"table", Format::table},
    {"short", Format::lines},
    {"json", Format::json},
    {"ndjson", Format::ndjson},
    {"csv", Format::csv},
}};

} // namespace

std::optional<Format> format_from(std::string_view text) {
    const auto found = std::ranges::find(names, text, &decltype(names)::value_type::first);
    return found == names.end() ? std::nullopt : std::optional(found->second);
}

std::string format_list(std::string_view formats) {
    const std::vector<std::string_view> known = split_words(formats);
    std::string list;
    for (std::size_t i = 0; i < known.size(); ++i) {
        list += i == 0 ? "" : i + 1 == known.size() ? " or " : ", ";
        list += known[i];
    }
    return list;
}

Result<Format> choose_format(const Arguments& arguments) {
    const bool json = arguments.has("json");
    const auto given = arguments.value("output");
    if (json && given && *given != "json") {
        return usage("--json", "is the same as -o json; give one of them");
    }
    const std::string_view text = given.value_or(json ? "json" : "table");
    const std::vector<std::string_view> known = split_words(arguments.verb->formats);
    const auto format = format_from(text);
    if (format && (text == "table" || std::ranges::find(known, text) != known.end())) {
        return *format;
    }
    return usage(given ? "--output" : "--json",
                 fmt::format("\"{}\" is not {}, as \"{}\" has it", text.substr(0, 64),
                             format_list(arguments.verb->formats), arguments.verb->name));
}

} // namespace tocsin::cli
