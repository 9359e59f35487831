// SPDX-License-Identifier: Apache-2.0
// The Unix socket itself: bound without a moment in which a stranger could connect, and the other side's identity from
// the kernel. Descriptors are non-blocking and close-on-exec.
#pragma once

#include "core/error.hpp"
#include "ipc/access.hpp"
#include "ipc/http/message.hpp"

#include <filesystem>
#include <memory>

namespace tocsin::ipc::http {

// A listening descriptor. Mode 0660 and the group where there is one, else 0600. A socket that nobody answers on is
// replaced; conflict when somebody does, or when something else is in its place.
Result<int> listen_at(const std::filesystem::path& path, const AccessPolicy& access);

// Checks one that was handed over; takes it.
Result<int> adopt_listener(int fd);

// SO_PEERCRED, SO_PEERGROUPS, and SO_PEERPIDFD where the kernel has it.
Result<std::shared_ptr<Peer>> peer_of(int fd);

} // namespace tocsin::ipc::http
