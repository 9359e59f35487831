// SPDX-License-Identifier: Apache-2.0
#include "jobs/packet.hpp"

#include "jobs/protocol.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace tocsin::jobs {

namespace {

constexpr std::size_t space_max = 4; // descriptors there is room for; the kernel closes the others
constexpr int resets_max = 4;        // of one receive: each is reported once, what was sent before it can still be read

void put_descriptors(msghdr& header, std::span<const int> descriptors) {
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(control), descriptors.data(), descriptors.size_bytes());
}

std::vector<Fd> take_descriptors(msghdr& header) {
    std::vector<Fd> taken;
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
            Fd owned(fd);
            if (taken.size() < packet_descriptors_max) {
                taken.push_back(std::move(owned));
            }
        }
    }
    return taken;
}

std::optional<std::uint32_t> sender_of(msghdr& header) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_CREDENTIALS) {
            ucred sender{};
            std::memcpy(&sender, CMSG_DATA(control), sizeof sender);
            return sender.pid > 0 ? std::optional<std::uint32_t>(sender.uid) : std::nullopt; // 0: nobody knows
        }
    }
    return std::nullopt;
}

bool would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

} // namespace

PacketStatus send_packet(int socket, std::string_view bytes, std::span<const int> descriptors) {
    iovec piece{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * packet_descriptors_max)> space{};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
        header.msg_control = space.data();
        header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        put_descriptors(header, descriptors);
    }
    ssize_t sent = -1;
    do {
        sent = ::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        return PacketStatus::ok;
    }
    return would_block(errno) ? PacketStatus::again : PacketStatus::closed;
}

Packet receive_packet(int socket) {
    Packet packet;
    packet.bytes.resize(protocol::packet_bytes_max);
    iovec piece{.iov_base = packet.bytes.data(), .iov_len = packet.bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * space_max)> space{};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    ssize_t size = -1;
    int resets = 0;
    do {
        header.msg_control = space.data();
        header.msg_controllen = space.size();
        size = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (size < 0 && (errno == EINTR || (errno == ECONNRESET && ++resets < resets_max)));
    if (size < 0) {
        packet.status = would_block(errno) ? PacketStatus::again : PacketStatus::closed;
        packet.bytes.clear();
        return packet;
    }
    packet.descriptors = take_descriptors(header);
    packet.sender_uid = sender_of(header);
    packet.bytes.resize(static_cast<std::size_t>(size));
    const bool whole = size > 0 && (header.msg_flags & MSG_TRUNC) == 0;
    packet.status = whole ? PacketStatus::ok : PacketStatus::closed;
    return packet;
}

} // namespace tocsin::jobs
