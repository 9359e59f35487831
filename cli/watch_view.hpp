// SPDX-License-Identifier: Apache-2.0
// Watches for people: rows of the list, everything about one, and the configuration that would watch what is new.
#pragma once

#include "cli/session.hpp"
#include "cli/table.hpp"
#include "cli/value.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace tocsin::cli {

Table watch_table();
void add_watch(Table& table, const Session& session, const Value& watch);
// One sentence: who, in which state, until when.
void write_watch_line(Session& session, const Value& watch);
// Everything a watch has, one thing a line.
void write_watch(Session& session, const Value& watch);

// "2026-01-02 03:00:34.000Z (in 30s)", "… (2m 3s ago)"; empty where there is no instant.
std::string show_time_and_distance(const Session& session, const std::string& time);

// The [[heartbeat]] that would watch a source which only beats so far.
std::string watch_entry(const Value& watch);
// "2 sources beat and nobody watches them …" and an entry for each; `all` is how many there are. Nothing where it is 0.
void write_unwatched(Output& out, std::span<const Value> watches, std::size_t all);

} // namespace tocsin::cli
