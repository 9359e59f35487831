// SPDX-License-Identifier: Apache-2.0
// What is to be said about a SPARK script without starting it: whether it is fit to run, and what a run would be.
#pragma once

#include "core/scalar.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

// Something to know about a script, with what to do about it.
struct ScriptFinding {
    bool wrong = false; // it cannot run; else a hint
    std::string text{};
    friend bool operator==(const ScriptFinding&, const ScriptFinding&) = default;
};

// How the configuration wants a script to be run.
struct ScriptPlan {
    std::int64_t timeout_us = 0;
    std::int64_t kill_after_us = 0;
    unsigned retries = 0;
    unsigned parallel = 0; // 0: as many as there are places
    bool submit = true;
    bool rerun = true;
    bool callback = false;
    bool coalesce = false;
};

struct ScriptReport {
    std::string script{}; // its name
    std::string path{};   // empty: not installed
    std::vector<ScriptFinding> findings{};
    std::optional<ScriptPlan> plan{}; // where the configuration is known
    bool ready() const;
};
// script, path, ready, problems, hints, submit, rerun, callback, coalesce, timeout_s, kill_after_s, retries, parallel;
// those of the plan only where it is known
void describe(const ScriptReport& report, const FieldSink& sink);

// A run that is not made. environment and event are what the script would get.
struct JobPreview {
    std::uint64_t unique_index = 0;
    ScriptReport script{};
    std::vector<std::pair<std::string, std::string>> environment{};
    std::string event_json{};
};
// unique_index, then as ScriptReport, then environment, event
void describe(const JobPreview& preview, const FieldSink& sink);

} // namespace tocsin
