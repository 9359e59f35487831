// SPDX-License-Identifier: Apache-2.0
#include "daemon/status_line.hpp"

#include <fmt/format.h>

namespace tocsin::daemon {

namespace {

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

} // namespace

std::string status_line(const Status& status, const std::map<WatchState, std::size_t>& watches,
                        const std::map<JobState, std::uint64_t>& jobs) {
    std::uint64_t all_watches = 0;
    std::uint64_t down = 0;
    for (const auto& [state, count] : watches) {
        all_watches += count;
        down += state == WatchState::down ? count : 0;
    }
    std::uint64_t unfinished = 0;
    for (const auto& [state, count] : jobs) {
        unfinished += is_final(state) ? 0 : count;
    }
    std::string out = counted(status.event_count, "event", "events") + ", " + counted(all_watches, "watch", "watches");
    if (down > 0) {
        out += fmt::format(" ({} down)", down);
    }
    out += ", " + counted(unfinished, "unfinished job", "unfinished jobs");
    if (status.indexing_percent) {
        out += fmt::format("; indexing older events, {} %", *status.indexing_percent);
    }
    if (status.backup_percent) {
        out += fmt::format("; making a backup, {} %", *status.backup_percent);
    }
    if (!status.degraded.empty()) {
        out += fmt::format("; degraded: {}", fmt::join(status.degraded, ", "));
    }
    return out;
}

} // namespace tocsin::daemon
