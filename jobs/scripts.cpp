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

std::unexpected<Error> not_installed(const Settings& settings, const std::string& script) {
    std::string places;
    for (const auto& directory : settings.directories) {
        places += (places.empty() ? "" : ", ") + directory.string();
    }
    return fail(Code::not_found, "script", script,
                "is not installed in " + (places.empty() ? "any directory" : places));
}

} // namespace

ScriptPlan plan_of(const Settings& settings, std::string_view script) {
    ScriptPlan plan{settings.timeout_us, settings.kill_after_us, settings.retries, true, true};
    const auto found = settings.scripts.find(script);
    if (found == settings.scripts.end()) {
        return plan;
    }
    const ScriptConfig& config = found->second;
    plan.timeout_us = config.timeout_us.value_or(plan.timeout_us);
    plan.kill_after_us = config.kill_after_us.value_or(plan.kill_after_us);
    plan.retries = config.retries.value_or(plan.retries);
    plan.submit = config.submit;
    plan.rerun = config.rerun;
    return plan;
}

std::uint32_t script_owner(const Settings& settings) {
    return settings.owner_is_root ? 0 : ::geteuid();
}

Result<std::string> locate_script(const Settings& settings, const std::string& script) {
    if (const auto problem = script_name_problem(script)) {
        return fail(Code::invalid_argument, "script", script, *problem);
    }
    for (const auto& directory : settings.directories) {
        const std::string path = (directory / script).string();
        if (is_there(path)) {
            return check_script(path, script_owner(settings));
        }
    }
    return not_installed(settings, script);
}

Result<std::string> locate_for_submitter(const Settings& settings, const std::string& script) {
    if (!plan_of(settings, script).submit) {
        return fail(Code::not_authorized, "script", script, "is kept for rules and admins (submit = false)");
    }
    return locate_script(settings, script);
}

} // namespace tocsin::jobs
