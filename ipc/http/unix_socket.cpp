// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/unix_socket.hpp"

#include "ipc/unix_socket.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <sys/socket.h>

namespace tocsin::ipc::http {
namespace {

constexpr int backlog = 1'024;
constexpr int so_peerpidfd = 77; // Linux 6.5; not yet in glibc's headers
constexpr socklen_t groups_max = 65'536;

std::vector<std::uint32_t> groups_of(int fd) {
    std::vector<gid_t> groups(64);
    socklen_t bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    while (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) != 0) {
        if (errno != ERANGE || bytes > groups_max * sizeof(gid_t)) {
            return {};
        }
        groups.resize(bytes / sizeof(gid_t));
    }
    groups.resize(bytes / sizeof(gid_t));
    return {groups.begin(), groups.end()};
}

} // namespace

Result<int> listen_at(const std::filesystem::path& path, const AccessPolicy& access) {
    const SocketPlace place{"http", path, SOCK_STREAM};
    auto socket = bind_socket(place, access);
    if (!socket) {
        return std::unexpected(std::move(socket.error()));
    }
    if (::listen(socket->get(), backlog) != 0) {
        return socket_error(place, "listen", errno);
    }
    return socket->release();
}

Result<int> adopt_listener(int fd) {
    int domain = 0;
    int listening = 0;
    socklen_t size = sizeof domain;
    const bool known = ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
                       ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0;
    if (!known || domain != AF_UNIX || listening == 0) {
        return fail(Code::invalid_argument, "http", fmt::format("descriptor {}", fd), "is not a listening Unix socket");
    }
    if (auto ours = make_ours("http", fd); !ours) {
        return std::unexpected(std::move(ours.error()));
    }
    return fd;
}

Result<std::shared_ptr<Peer>> peer_of(int fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return socket_error({"http", {}, SOCK_STREAM}, "read the peer's credentials", errno);
    }
    auto peer = std::make_shared<Peer>();
    Caller& caller = peer->caller;
    caller.uid = credentials.uid;
    caller.groups = groups_of(fd);
    caller.groups.push_back(credentials.gid);
    caller.origin.transport = "http";
    caller.origin.uid = credentials.uid;
    caller.origin.gid = credentials.gid;
    if (credentials.pid > 0) { // 0: of another pid namespace
        caller.origin.pid = static_cast<std::uint32_t>(credentials.pid);
    }
    int pidfd = -1;
    size = sizeof pidfd;
    if (::getsockopt(fd, SOL_SOCKET, so_peerpidfd, &pidfd, &size) == 0) {
        peer->pidfd = pidfd;
    }
    return peer;
}

} // namespace tocsin::ipc::http
