// SPDX-License-Identifier: Apache-2.0
// One packet over a SOCK_SEQPACKET socket, with at most one descriptor beside it. Never blocks, never raises SIGPIPE,
// keeps no descriptor that it did not ask for.
#pragma once

#include "jobs/fd.hpp"

#include <string>
#include <string_view>

namespace tocsin::jobs {

enum class PacketStatus { ok, again, closed };

// fd < 0: none.
PacketStatus send_packet(int socket, std::string_view bytes, int fd = -1);

struct Packet {
    PacketStatus status = PacketStatus::closed;
    std::string bytes{};
    Fd fd{};
};
// A packet that was cut (over protocol::packet_bytes_max) counts as closed: the peer does not keep to the protocol.
Packet receive_packet(int socket);

} // namespace tocsin::jobs
