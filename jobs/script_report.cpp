// SPDX-License-Identifier: Apache-2.0
#include "jobs/script_report.hpp"

#include "core/job.hpp"
#include "jobs/script_lint.hpp"
#include "jobs/scripts.hpp"

#include <set>

namespace tocsin::jobs {

namespace {

constexpr std::size_t scripts_max = 1'000; // looked at for one answer

void add_names(std::set<std::string>& names, const std::filesystem::path& directory) {
    std::error_code error;
    std::filesystem::directory_iterator at(directory, error);
    for (; !error && at != std::filesystem::directory_iterator{} && names.size() < scripts_max; at.increment(error)) {
        std::error_code ignored;
        if (!at->is_directory(ignored)) {
            names.insert(at->path().filename().string());
        }
    }
}

} // namespace

ScriptReport report_script(const Settings& settings, std::string script) {
    const ScriptPlan plan = plan_of(settings, script);
    ScriptReport report{.script = std::move(script), .path = {}, .findings = {}, .plan = plan};
    if (const auto problem = script_name_problem(report.script)) {
        report.findings.push_back({true, "its name: " + *problem});
        return report;
    }
    const auto paths = paths_of(settings, report.script);
    if (paths.empty()) {
        report.findings.push_back({true, not_installed(settings, report.script).error().reason});
        return report;
    }
    report.path = paths.front();
    report.findings = lint_script(report.path, script_owner(settings));
    for (std::size_t i = 1; i < paths.size(); ++i) {
        report.findings.push_back({false, "hides the one of the same name, " + paths[i]});
    }
    return report;
}

std::vector<ScriptReport> report_scripts(const Settings& settings) {
    std::set<std::string> names;
    for (const auto& [name, config] : settings.scripts) {
        names.insert(name);
    }
    for (const auto& directory : settings.directories) {
        add_names(names, directory);
    }
    std::vector<ScriptReport> reports;
    reports.reserve(names.size());
    for (const std::string& name : names) {
        reports.push_back(report_script(settings, name));
    }
    return reports;
}

} // namespace tocsin::jobs
