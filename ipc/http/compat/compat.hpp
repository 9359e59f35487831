// SPDX-License-Identifier: Apache-2.0
// The routes of older systems, in their own shapes: each system is switched on by itself. docs/heritage.md says what
// each route does now.
#pragma once

#include "ipc/http/router.hpp"

#include <span>
#include <vector>

namespace tocsin::ipc::http {

struct CompatOptions {
    bool event_manager = false;
    bool event_tracker = false;
    bool api_monitor = false;
    bool healthchecks = false;
};

// The tables of those that are switched on.
std::vector<std::span<const Route>> compat_routes(const CompatOptions& options);

namespace compat {

std::span<const Route> event_manager_routes();
std::span<const Route> event_tracker_routes();
std::span<const Route> api_monitor_routes();
std::span<const Route> healthchecks_routes();

} // namespace compat

} // namespace tocsin::ipc::http
