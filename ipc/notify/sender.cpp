// SPDX-License-Identifier: Apache-2.0
#include "ipc/notify/sender.hpp"

#include "ipc/access.hpp"

namespace tocsin::ipc::notify {
namespace {

Origin origin_of(const ucred& credentials) {
    Origin origin;
    origin.transport = "notify";
    origin.uid = credentials.uid;
    origin.gid = credentials.gid;
    if (credentials.pid > 0) { // 0: of another pid namespace
        origin.pid = static_cast<std::uint32_t>(credentials.pid);
    }
    return origin;
}

std::string source_of(const Origin& origin) {
    return origin.unit.empty() ? origin.executable.substr(origin.executable.rfind('/') + 1) : origin.unit;
}

} // namespace

std::optional<Sender> identify(const Datagram& datagram, CgroupUnits& units, std::int64_t now_us) {
    if (!datagram.credentials) {
        return std::nullopt;
    }
    Sender sender{.origin = origin_of(*datagram.credentials)};
    look_up_process(sender.origin, datagram.pidfd.get());
    sender.source = source_of(sender.origin);
    if (sender.source.empty()) { // it ended, and /proc with it
        if (const auto cgroup = cgroup_of_pidfd(datagram.pidfd.get())) {
            sender.origin.unit = units.unit_of(*cgroup, now_us);
            sender.source = sender.origin.unit;
        }
    }
    return sender.source.empty() ? std::nullopt : std::optional(std::move(sender));
}

} // namespace tocsin::ipc::notify
