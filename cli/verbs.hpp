// SPDX-License-Identifier: Apache-2.0
// The table of verbs: each file under cli/ that has some gives its rows here. A row without `run` is a name that
// nothing stands behind yet.
#pragma once

#include "cli/options.hpp"

#include <span>

namespace tocsin::cli {

std::span<const Verb> status_verbs();
std::span<const Verb> submit_verbs();
std::span<const Verb> query_verbs();
std::span<const Verb> follow_verbs();
std::span<const Verb> statistics_verbs();
std::span<const Verb> retention_verbs();
std::span<const Verb> heartbeats_verbs();
std::span<const Verb> run_verbs();
std::span<const Verb> jobs_verbs();
std::span<const Verb> reload_verbs();
std::span<const Verb> backup_verbs();
std::span<const Verb> verify_verbs();
std::span<const Verb> doctor_verbs();
std::span<const Verb> export_verbs();
std::span<const Verb> import_verbs();
std::span<const Verb> demo_verbs();
std::span<const Verb> config_verbs();
std::span<const Verb> dashboard_verbs();
std::span<const Verb> completion_verbs();
std::span<const Verb> help_verbs();

// query --follow is follow.
Result<int> follow_events(Session& session, const Arguments& arguments);

// All of them, those that are not there yet last.
std::span<const Verb> all_verbs();

} // namespace tocsin::cli
