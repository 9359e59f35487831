// SPDX-License-Identifier: Apache-2.0
// /metrics: the Prometheus text format (version 0.0.4). Names are stable; a family with nothing to show yet is left
// out.
#pragma once

#include "core/error.hpp"
#include "core/heartbeat.hpp"
#include "core/job.hpp"
#include "daemon/suppressed.hpp"
#include "ipc/notify/server.hpp"
#include "storage/store.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::daemon {

struct MetricsInput {
    std::string_view version{};
    storage::Health health{};
    std::array<std::uint64_t, 8> rejected{}; // in the order of all_codes()
    ipc::notify::Counts notify{};
    SuppressedCounts suppressed{};
    std::map<WatchState, std::size_t> watches{};
    std::map<JobState, std::uint64_t> jobs{};
    std::vector<std::pair<std::string, std::uint64_t>> reader_lag{};
    std::vector<std::string> degraded{}; // kinds
};

std::string render_metrics(const MetricsInput& input);

} // namespace tocsin::daemon
