// SPDX-License-Identifier: Apache-2.0
// Who sent a datagram, by the kernel alone: the systemd unit, and outside systemd the name of the executable. The
// process may end at any moment; what is in doubt is nobody.
#pragma once

#include "core/event.hpp"
#include "ipc/notify/cgroup_units.hpp"
#include "ipc/notify/datagram.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace tocsin::ipc::notify {

struct Sender {
    std::string source{}; // of its watch
    Origin origin{};
};

// nullopt where the sender cannot be identified.
std::optional<Sender> identify(const Datagram& datagram, CgroupUnits& units, std::int64_t now_us);

} // namespace tocsin::ipc::notify
