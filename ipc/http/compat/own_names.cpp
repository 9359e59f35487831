// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/compat/shapes.hpp"

#include <algorithm>
#include <array>

namespace tocsin::ipc::http::compat {
namespace {

// In the order of the alphabet; a test compares them with docs/events.md.
constexpr auto own_names = std::to_array<std::string_view>({
    "alert.acknowledged",  "alert.escalated",   "alert.firing",     "alert.pending",       "alert.resolved",
    "alert.snoozed",       "alert.suppressed",  "anomaly.ended",    "anomaly.rising",      "anomaly.started",
    "chain.cut",           "daemon.degraded",   "daemon.reloaded",  "daemon.restored",     "daemon.started",
    "delivery.dead",       "forecast.crossing", "heartbeat.failed", "heartbeat.missed",    "heartbeat.overrun",
    "heartbeat.recovered", "input.failed",      "input.recovered",  "input.rejected",      "intake.suppressed",
    "job.cancelled",       "job.failed",        "job.started",      "job.succeeded",       "job.timed-out",
    "log.corrupt",         "rule.failed",       "rule.scheduled",   "sensitivity.changed", "series.capped",
    "silence.ended",       "silence.started",   "store.full",       "store.resumed",       "store.retention",
});
static_assert(std::ranges::is_sorted(own_names));

} // namespace

bool is_own_name(std::string_view event_name) {
    return std::ranges::binary_search(own_names, event_name);
}

} // namespace tocsin::ipc::http::compat
