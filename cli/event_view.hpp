// SPDX-License-Identifier: Apache-2.0
// Events, watches and jobs as rows and sheets for people, from their JSON objects.
#pragma once

#include "cli/output.hpp"
#include "cli/table.hpp"
#include "cli/value.hpp"

namespace tocsin::cli {

// `live`: rows come one by one, so columns begin with usual widths.
Table event_table(bool live = false);
void add_event(Table& table, const Value& event, bool utc);
// As journalctl's lines: time, host, source[scid]: name: summary.
void write_event_line(Output& out, const Value& event, bool utc);
// Everything an event has, one field a line.
void write_event(Output& out, const Value& event, bool utc);

Colour severity_colour(std::string_view severity);
// Of watches and jobs.
Colour state_colour(std::string_view state);

} // namespace tocsin::cli
