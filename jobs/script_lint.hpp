// SPDX-License-Identifier: Apache-2.0
// Looks at a script as the daemon and its helper will: name, ownership, modes, the program that its first line names.
// With what to do about each finding. Reads files and runs nothing; tocsinctl uses it without a daemon.
#pragma once

#include "core/script.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tocsin::jobs {

// `path` is absolute; `owner_uid` as in check_script().
std::vector<ScriptFinding> lint_script(const std::string& path, std::uint32_t owner_uid);

} // namespace tocsin::jobs
