// SPDX-License-Identifier: Apache-2.0
// The routes of older systems, in their own shapes: each system is switched on by itself.
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

} // namespace tocsin::ipc::http
