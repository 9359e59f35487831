// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/compat/compat.hpp"

namespace tocsin::ipc::http {

std::vector<std::span<const Route>> compat_routes(const CompatOptions& options) {
    std::vector<std::span<const Route>> tables;
    const auto add = [&tables](bool wanted, std::span<const Route> table) {
        if (wanted) {
            tables.push_back(table);
        }
    };
    add(options.event_manager, compat::event_manager_routes());
    add(options.event_tracker, compat::event_tracker_routes());
    add(options.api_monitor, compat::api_monitor_routes());
    add(options.healthchecks, compat::healthchecks_routes());
    return tables;
}

} // namespace tocsin::ipc::http
