// SPDX-License-Identifier: Apache-2.0
// What became of a job, from what its run left behind. Pure.
#pragma once

#include "core/job.hpp"
#include "jobs/protocol.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace tocsin::jobs {

struct RunResult {
    std::optional<protocol::Ended> ended{}; // none: the helper went away without saying so
    std::optional<std::string> report{};    // what came on descriptor 3
    std::string output{};                   // kept bytes
    std::optional<protocol::Hello> hello{}; // none: no helper was reached
    std::string problem{};                  // what went wrong between us and the helper
    std::uint32_t products_dropped = 0;     // left by the script, but not kept
    std::string dropped_reason{};           // of the first of them
};

struct Policy {
    std::int64_t timeout_us = 0;
    unsigned retries = 0;
    bool cancelled = false; // somebody asked for it while it ran
};

// The running job as it is now: waiting, final, or queued again where a retry is left.
Job conclude(Job job, const RunResult& result, const Policy& policy, std::int64_t now_us);

// How long a job that failed for the `attempt`-th time waits for its next run: 1 s, doubling, at most 5 min.
std::int64_t retry_delay_us(std::uint32_t attempt);

} // namespace tocsin::jobs
