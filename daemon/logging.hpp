// SPDX-License-Identifier: Apache-2.0
// The daemon's log: to the journal where stderr is connected to it (each line with its <priority>), else to stderr with
// the time. Only daemon/ logs; the rooms below return errors. error: we failed; warning: somebody should look; info:
// what an operator wants to know; debug: what a developer wants to know.
#pragma once

#include "daemon/messages.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace tocsin::daemon::log {

// `level` as in daemon.log_level.
void start(std::string_view level);
void set_level(std::string_view level);

void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

// An info with fields of its own, "NAME" and value: the journal keeps them beside the message, elsewhere they are left
// out.
using Fields = std::vector<std::pair<std::string_view, std::string>>;
void info_with(std::string_view message, const Fields& fields);
// One with a number. Not for the last words of a process: the journal would no longer know whose they are.
void say(const messages::Message& kind, std::string_view message, const Fields& fields = {});

// "dev:ino" of JOURNAL_STREAM.
std::optional<std::pair<dev_t, ino_t>> parse_journal_stream(std::string_view text);
// A message is one line, whatever is in it: control characters become \n, \t, \x1b.
std::string one_line(std::string_view message);
// As sd-daemon(3) wants it in front of a line: "<6>" for info. `level` as in daemon.log_level.
std::string_view priority_prefix(std::string_view level);

} // namespace tocsin::daemon::log
