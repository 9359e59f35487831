// SPDX-License-Identifier: Apache-2.0
// From the configuration to what each room is given. Pure: no room is touched here.
#pragma once

#include "daemon/config.hpp"
#include "daemon/deadman.hpp"
#include "daemon/options.hpp"
#include "heartbeats/watchboard.hpp"
#include "ipc/access.hpp"
#include "ipc/http/compat/compat.hpp"
#include "jobs/job_service.hpp"
#include "storage/store.hpp"

#include <filesystem>
#include <string>

namespace tocsin::daemon {

// What the rooms need that no key says.
struct Site {
    std::filesystem::path state_dir{};
    std::filesystem::path socket{};
    std::filesystem::path helper{};
    std::string hostname{};
    std::uint64_t file_system_bytes = 0; // 0: unknown
    Bus bus = Bus::none;
};

storage::Options store_options(const Config& config, const Site& site);
heartbeats::Settings heartbeat_settings(const Config& config);
jobs::Settings job_settings(const Config& config, const Site& site);
DeadmanSettings deadman_settings(const Config& config);
ipc::http::CompatOptions compat_options(const Config& config);
IntakeRules intake_rules(const Config& config, const Site& site);

// The group whose members may use the daemon; empty: its owner and root alone, which is the default where the daemon
// runs unprivileged for one user.
std::string access_group(const Loaded& loaded, const Site& site, bool root);

} // namespace tocsin::daemon
