// SPDX-License-Identifier: Apache-2.0
// The listening socket of the HTTP face, bound here or handed over, and the other side's identity from the kernel.
#pragma once

#include "core/error.hpp"
#include "ipc/access.hpp"
#include "ipc/http/message.hpp"

#include <filesystem>
#include <memory>

namespace tocsin::ipc::http {

// A listening descriptor, bound as bind_socket() does it.
Result<int> listen_at(const std::filesystem::path& path, const AccessPolicy& access);

// Checks one that was handed over; takes it.
Result<int> adopt_listener(int fd);

// SO_PEERCRED, SO_PEERGROUPS, and SO_PEERPIDFD where the kernel has it.
Result<std::shared_ptr<Peer>> peer_of(int fd);

} // namespace tocsin::ipc::http
