// SPDX-License-Identifier: Apache-2.0
// The filter keys as options: the same names as everywhere (--event-name, …) and the short ones (--name, …). A repeated
// option means "or".
#pragma once

#include "cli/client.hpp"
#include "cli/options.hpp"

#include <array>
#include <cstdint>

namespace tocsin::cli {

inline constexpr std::array filter_options = std::to_array<Option>({
    {.name = "since",
     .value = "TIME",
     .help = "event_time from here: 2h (ago), yesterday, \"2026-01-31 10:00\", 10:00, @EPOCH",
     .letter = 'S'},
    {.name = "until", .value = "TIME", .help = "event_time before this", .letter = 'U'},
    {.name = "received-since", .value = "TIME", .help = "received_time from here"},
    {.name = "received-until", .value = "TIME", .help = "received_time before this"},
    {.name = "name",
     .value = "NAME",
     .help = "event_name; a trailing * is a prefix",
     .alias = "event-name",
     .repeats = true,
     .words = "@names"},
    {.name = "src", .value = "SOURCE", .help = "event_src", .alias = "event-src", .repeats = true, .words = "@srcs"},
    {.name = "scid", .value = "N", .help = "scid", .repeats = true},
    {.name = "rule-id", .value = "N", .help = "event_rule_id", .alias = "event-rule-id", .repeats = true},
    {.name = "severity",
     .value = "LEVEL",
     .help = "info, warning, error or critical",
     .repeats = true,
     .words = "info warning error critical"},
    {.name = "min-severity",
     .value = "LEVEL",
     .help = "this severity and worse",
     .letter = 'p',
     .alias = "priority",
     .words = "info warning error critical"},
    {.name = "env",
     .value = "NAME",
     .help = "environment",
     .alias = "environment",
     .repeats = true,
     .words = "@environments"},
    {.name = "type",
     .value = "TYPE",
     .help = "standard or dataset",
     .alias = "event-type",
     .repeats = true,
     .words = "standard dataset"},
    {.name = "event-id", .value = "ID", .help = "the dataset's name", .repeats = true, .words = "@datasets"},
    {.name = "host", .value = "HOST", .help = "host", .repeats = true, .words = "@hosts"},
    {.name = "has-report",
     .value = "BOOL",
     .help = "true: only with a finished report; false: only without",
     .words = "true false"},
    {.name = "text",
     .value = "TEXT",
     .help = "in the summary, or in a key or value of the payload",
     .letter = 'g',
     .alias = "grep",
     .repeats = true},
    {.name = "where",
     .value = "EXPR",
     .help = "a filter expression, such as 'severity >= \"error\" and payload.user == \"root\"'",
     .repeats = true},
});

// What the field or key behind an option is called: its alias (where that is no word of journalctl), or its own name,
// with underscores.
std::string field_of(const Option& option);
// Parameters of /v1/events and /v1/stream; relative times become absolute ones.
Parameters filter_parameters(const Arguments& arguments, std::int64_t now_us);

} // namespace tocsin::cli
