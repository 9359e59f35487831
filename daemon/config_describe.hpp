// SPDX-License-Identifier: Apache-2.0
// The configuration as JSON or text for programs and people: what keys there are (--describe-config) and what was wrong
// with those that are set (--check-config).
#pragma once

#include "daemon/config.hpp"

#include <string>

namespace tocsin::daemon {

// {"keys":[{"key","type","default","min","max","values","reloadable","available","required","help"}…]}; keys of arrays
// of tables are written "heartbeat[].source".
std::string describe_config_json();

// {"ok":bool,"files":[…],"values":[{"key","value","origin"}…],
//  "problems":[{"file","line","column","key","reason"}…],"warnings":[…]}
std::string check_config_json(const Loaded& loaded);
// {"files":[…],"items":[{"key","value","origin"}…]} for members: secrets are not shown.
std::string show_config_json(const Loaded& loaded);
// One line for each problem and warning, then the verdict.
std::string check_config_text(const Loaded& loaded);

} // namespace tocsin::daemon
