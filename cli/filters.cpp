// SPDX-License-Identifier: Apache-2.0
#include "cli/filters.hpp"

#include "cli/when.hpp"

#include <algorithm>

namespace tocsin::cli {
namespace {

bool is_time(std::string_view name) {
    return name.ends_with("since") || name.ends_with("until");
}

} // namespace

std::string field_of(const Option& option) {
    const bool borrowed = option.alias == "priority" || option.alias == "grep";
    std::string field(option.alias.empty() || borrowed ? option.name : option.alias);
    std::ranges::replace(field, '-', '_');
    return field;
}

Parameters filter_parameters(const Arguments& arguments, std::int64_t now_us) {
    Parameters parameters;
    for (const Option& option : filter_options) {
        for (const std::string& value : arguments.values(option.name)) {
            parameters.emplace_back(field_of(option), is_time(option.name) ? time_for_daemon(value, now_us) : value);
        }
    }
    return parameters;
}

} // namespace tocsin::cli
