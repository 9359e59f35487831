// SPDX-License-Identifier: Apache-2.0
// The daemon in one line, for `systemctl status` and the log.
#pragma once

#include "core/ports.hpp"

#include <map>
#include <string>

namespace tocsin::daemon {

// "12 events, 3 watches (1 down), 2 jobs; degraded: store-full"
std::string status_line(const Status& status, const std::map<WatchState, std::size_t>& watches,
                        const std::map<JobState, std::uint64_t>& jobs);

} // namespace tocsin::daemon
