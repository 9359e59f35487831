// SPDX-License-Identifier: Apache-2.0
// Which scripts there are and how each is to be run: the directories and [[script]] entries of the settings.
#pragma once

#include "core/error.hpp"
#include "core/script.hpp"
#include "jobs/job_service.hpp"
#include "jobs/script_queues.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::jobs {

// How one script is run.
ScriptPlan plan_of(const Settings& settings, std::string_view script);

ScriptLimits limits_of(const Settings& settings);

// Who may own scripts, beside root.
std::uint32_t script_owner(const Settings& settings);

// Where files of this name are, in the order of the directories; the first is the one that runs.
std::vector<std::string> paths_of(const Settings& settings, std::string_view script);
std::unexpected<Error> not_installed(const Settings& settings, const std::string& script);

// The path where it is installed, or why it cannot be run. Looks at the file system.
Result<std::string> locate_script(const Settings& settings, const std::string& script);

// As locate_script, for an event of a submitter: some scripts are kept for rules and admins.
Result<std::string> locate_for_submitter(const Settings& settings, const std::string& script);

} // namespace tocsin::jobs
