// SPDX-License-Identifier: Apache-2.0
// Scripts without running them: are they fit, and what would a run be? Verbs of jobs.cpp.
#pragma once

#include "cli/session.hpp"

#include <string_view>

namespace tocsin::cli {

// One by its path, looked at here; one by its name, or all, as the daemon sees them. 1 where one cannot run, 3 where it
// is not there.
Result<int> lint_scripts(Session& session, const Arguments& arguments);

// 1 where it could not run.
Result<int> preview_run(Session& session, std::string_view index, std::string_view script);

} // namespace tocsin::cli
