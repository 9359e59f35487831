// SPDX-License-Identifier: Apache-2.0
// What is to be said about the scripts that are installed or configured, each looked at as lint_script() does.
#pragma once

#include "core/script.hpp"
#include "jobs/job_service.hpp"

#include <string>
#include <vector>

namespace tocsin::jobs {

ScriptReport report_script(const Settings& settings, std::string script);
// By name; of very many the first ones.
std::vector<ScriptReport> report_scripts(const Settings& settings);

} // namespace tocsin::jobs
