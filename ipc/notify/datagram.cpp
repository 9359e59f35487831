// SPDX-License-Identifier: Apache-2.0
#include "ipc/notify/datagram.hpp"

#include "ipc/notify/message.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace tocsin::ipc::notify {
namespace {

// Linux 6.5; not yet in glibc's headers.
constexpr int so_passpidfd = 76;
constexpr int scm_pidfd = 0x04;
constexpr std::size_t rights_max = 253; // SCM_MAX_FD: the kernel passes no more with one datagram
// Room for all of it: what does not fit would be lost together with the pidfd, which comes last.
constexpr std::size_t control_bytes =
    CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(rights_max * sizeof(int)) + CMSG_SPACE(sizeof(int));

bool set(int socket, int option) {
    const int on = 1;
    return ::setsockopt(socket, SOL_SOCKET, option, &on, sizeof on) == 0;
}

// Closing a stream socket whose sender asked it to linger would hold the loop up.
Fd harmless(int fd) {
    const linger none{};
    static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none));
    return Fd(fd);
}

void take_control(const cmsghdr& header, Datagram& out) {
    const std::size_t bytes = header.cmsg_len - CMSG_LEN(0);
    const unsigned char* data = CMSG_DATA(&header);
    if (header.cmsg_level != SOL_SOCKET) {
        return;
    }
    if (header.cmsg_type == SCM_CREDENTIALS && bytes == sizeof(ucred)) {
        std::memcpy(&out.credentials.emplace(), data, sizeof(ucred));
    } else if (header.cmsg_type == scm_pidfd && bytes == sizeof(int)) {
        int fd = -1; // stays negative where the sender is gone
        std::memcpy(&fd, data, sizeof fd);
        out.pidfd = Fd(fd);
    } else if (header.cmsg_type == SCM_RIGHTS) {
        for (std::size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
            int fd = -1;
            std::memcpy(&fd, data + at, sizeof fd);
            out.descriptors.push_back(harmless(fd));
        }
    }
}

} // namespace

bool ask_for_senders(int socket) {
    static_cast<void>(set(socket, so_passpidfd)); // without it the pid must do
    return set(socket, SO_PASSCRED);
}

int receive(int socket, Datagram& out) {
    alignas(cmsghdr) std::array<unsigned char, control_bytes> control{};
    out.bytes.resize(message_bytes + 1); // and the end of a string in C
    iovec part{.iov_base = out.bytes.data(), .iov_len = out.bytes.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0) {
        return errno;
    }
    // Where descriptors ran out (MSG_CTRUNC) some of the sender's are missing; those that came are ours all the same.
    for (const cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr;
         at = CMSG_NXTHDR(&header, const_cast<cmsghdr*>(at))) {
        take_control(*at, out);
    }
    out.bytes.resize(static_cast<std::size_t>(got));
    out.cut = (header.msg_flags & MSG_TRUNC) != 0;
    return 0;
}

} // namespace tocsin::ipc::notify
