// SPDX-License-Identifier: Apache-2.0
#include "cli/verbs.hpp"

namespace tocsin::cli {
namespace {

constexpr std::array<std::string_view, 17> later{
    "apis",    "predict", "alerts",    "silences", "maintenance",  "rules",  "inputs",   "handlers", "fleet",
    "capture", "replay",  "anomalies", "journeys", "environments", "detect", "forecast", "report",
};

std::vector<Verb> make_table() {
    std::vector<Verb> table;
    for (const auto& verbs :
         {status_verbs(),    submit_verbs(),     query_verbs(),     follow_verbs(),     statistics_verbs(),
          retention_verbs(), heartbeats_verbs(), run_verbs(),       jobs_verbs(),       reload_verbs(),
          backup_verbs(),    verify_verbs(),     doctor_verbs(),    export_verbs(),     import_verbs(),
          demo_verbs(),      config_verbs(),     dashboard_verbs(), completion_verbs(), help_verbs()}) {
        table.insert(table.end(), verbs.begin(), verbs.end());
    }
    for (const std::string_view name : later) {
        table.push_back({.name = name});
    }
    return table;
}

} // namespace

std::span<const Verb> all_verbs() {
    static const std::vector<Verb> table = make_table();
    return table;
}

} // namespace tocsin::cli
