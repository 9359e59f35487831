// SPDX-License-Identifier: Apache-2.0
// What `doctor` makes of what it saw: one finding for each thing that was looked at, with what to do where something is
// wrong. Pure, so that each mistake of an installation is a test without that installation.
#pragma once

#include "cli/doctor_facts.hpp"
#include "cli/value.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

enum class Verdict : std::uint8_t {
    ok,
    warning, // works, but will not, or not as well as it could
    problem, // something does not work
    unknown, // could not be looked at
};
std::string_view verdict_name(Verdict verdict);

struct Finding {
    std::string check{};
    Verdict verdict = Verdict::ok;
    std::string found{};
    std::string remedy{}; // what to do; empty where nothing is to be done
};
using Findings = std::vector<Finding>;

// What the daemon itself answered; an error is a finding too.
struct DaemonFacts {
    Result<Value> status = Value();
    Result<std::string> metrics = std::string();
    Result<Value> handlers = Value();
    Result<std::int64_t> newest_us = 0; // the latest time that an event claims; 0 without any
    std::int64_t now_us = 0;
    bool installed = false; // the one behind the system's socket
};

// In this order: daemon, degraded, store, disk, event times, notification; then service, bus, permissions, groups,
// limits.
Findings judge_daemon(const DaemonFacts& facts);
Findings judge_system(const SystemFacts& facts, bool installed);

// What to do about a reason of `degraded` ("store-full: …").
std::string degraded_remedy(std::string_view reason);

} // namespace tocsin::cli
