// SPDX-License-Identifier: Apache-2.0
// One packet over a SOCK_SEQPACKET socket, with a few descriptors beside it. Never blocks, never raises SIGPIPE, keeps
// no descriptor that is not asked for.
#pragma once

#include "core/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::jobs {

enum class PacketStatus { ok, again, closed };

inline constexpr std::size_t packet_descriptors_max = 2; // beside one packet; more are closed at once

PacketStatus send_packet(int socket, std::string_view bytes, std::span<const int> descriptors = {});

struct Packet {
    PacketStatus status = PacketStatus::closed;
    std::string bytes{};
    std::vector<Fd> descriptors{};
    std::optional<std::uint32_t> sender_uid{}; // by the kernel, where the socket asks for it (SO_PASSCRED)
};
// A packet that was cut (over protocol::packet_bytes_max) counts as closed: the peer does not keep to the protocol.
Packet receive_packet(int socket);

} // namespace tocsin::jobs
