// SPDX-License-Identifier: Apache-2.0
#include "core/script.hpp"

#include "core/json.hpp"

#include <algorithm>

namespace tocsin {
namespace {

constexpr double us_per_s = 1e6;

std::string list(const std::vector<ScriptFinding>& findings, bool wrong) {
    std::string out = "[";
    for (const ScriptFinding& finding : findings) {
        if (finding.wrong == wrong) {
            out += out.size() > 1 ? "," : "";
            json::append_string(out, finding.text);
        }
    }
    return out + "]";
}

void send_plan(const ScriptPlan& plan, const FieldSink& sink) {
    sink("submit", plan.submit);
    sink("rerun", plan.rerun);
    sink("callback", plan.callback);
    sink("coalesce", plan.coalesce);
    sink("timeout_s", static_cast<double>(plan.timeout_us) / us_per_s);
    sink("kill_after_s", static_cast<double>(plan.kill_after_us) / us_per_s);
    sink("retries", std::uint64_t{plan.retries});
    if (plan.parallel > 0) {
        sink("parallel", std::uint64_t{plan.parallel});
    }
}

} // namespace

bool ScriptReport::ready() const {
    return std::ranges::none_of(findings, &ScriptFinding::wrong);
}

void describe(const ScriptReport& report, const FieldSink& sink) {
    sink("script", std::string_view(report.script));
    if (!report.path.empty()) {
        sink("path", std::string_view(report.path));
    }
    sink("ready", report.ready());
    const std::string problems = list(report.findings, true);
    const std::string hints = list(report.findings, false);
    sink("problems", RawJson{problems});
    sink("hints", RawJson{hints});
    if (report.plan) {
        send_plan(*report.plan, sink);
    }
}

void describe(const JobPreview& preview, const FieldSink& sink) {
    sink("unique_index", preview.unique_index);
    describe(preview.script, sink);
    std::string environment;
    json::ObjectWriter writer(environment);
    for (const auto& [name, value] : preview.environment) {
        writer.add(name, std::string_view(value));
    }
    writer.close();
    sink("environment", RawJson{environment});
    sink("event", RawJson{preview.event_json});
}

} // namespace tocsin
