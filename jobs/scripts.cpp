// SPDX-License-Identifier: Apache-2.0
#include "jobs/scripts.hpp"

#include "jobs/script_check.hpp"

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace tocsin::jobs {

namespace {

bool is_there(const std::string& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

} // namespace

ScriptPlan plan_of(const Settings& settings, std::string_view script) {
    ScriptPlan plan{
        .timeout_us = settings.timeout_us, .kill_after_us = settings.kill_after_us, .retries = settings.retries};
    const auto found = settings.scripts.find(script);
    if (found == settings.scripts.end()) {
        return plan;
    }
    const ScriptConfig& config = found->second;
    plan.timeout_us = config.timeout_us.value_or(plan.timeout_us);
    plan.kill_after_us = config.kill_after_us.value_or(plan.kill_after_us);
    plan.retries = config.retries.value_or(plan.retries);
    plan.parallel = config.parallel;
    plan.submit = config.submit;
    plan.rerun = config.rerun;
    plan.callback = config.callback;
    plan.coalesce = config.coalesce;
    return plan;
}

ScriptLimits limits_of(const Settings& settings) {
    ScriptLimits limits;
    for (const auto& [name, config] : settings.scripts) {
        if (config.parallel > 0) {
            limits.emplace(name, config.parallel);
        }
    }
    return limits;
}

std::unexpected<Error> not_installed(const Settings& settings, const std::string& script) {
    std::string places;
    for (const auto& directory : settings.directories) {
        places += (places.empty() ? "" : ", ") + directory.string();
    }
    return fail(Code::not_found, "script", script,
                "is not installed in " + (places.empty() ? "any directory" : places));
}

std::vector<std::string> paths_of(const Settings& settings, std::string_view script) {
    std::vector<std::string> paths;
    for (const auto& directory : settings.directories) {
        std::string path = (directory / script).string();
        if (is_there(path)) {
            paths.push_back(std::move(path));
        }
    }
    return paths;
}

std::uint32_t script_owner(const Settings& settings) {
    return settings.owner_is_root ? 0 : ::geteuid();
}

Result<std::string> locate_script(const Settings& settings, const std::string& script) {
    if (const auto problem = script_name_problem(script)) {
        return fail(Code::invalid_argument, "script", script, *problem);
    }
    const auto paths = paths_of(settings, script);
    return paths.empty() ? not_installed(settings, script) : check_script(paths.front(), script_owner(settings));
}

Result<std::string> locate_for_submitter(const Settings& settings, const std::string& script) {
    if (!plan_of(settings, script).submit) {
        return fail(Code::not_authorized, "script", script, "is kept for rules and admins (submit = false)");
    }
    return locate_script(settings, script);
}

} // namespace tocsin::jobs
