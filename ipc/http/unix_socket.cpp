// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/unix_socket.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace tocsin::ipc::http {
namespace {

constexpr int backlog = 1'024;
constexpr int so_peerpidfd = 77; // Linux 6.5; not yet in glibc's headers
constexpr socklen_t groups_max = 65'536;

std::unexpected<Error> socket_error(const std::filesystem::path& path, std::string_view doing, int error) {
    const Code code = error == EACCES || error == EPERM ? Code::not_authorized : Code::unavailable;
    return fail(code, "http", path.string(), fmt::format("{}: {}", doing, std::generic_category().message(error)));
}

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_;
};

Result<sockaddr_un> address_of(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string& text = path.native();
    if (text.empty() || text.size() >= sizeof address.sun_path) {
        return fail(
            Code::invalid_argument, "http", text,
            fmt::format("the path has {} bytes; that of a Unix socket has 1 to {}: choose a shorter runtime directory",
                        text.size(), sizeof address.sun_path - 1));
    }
    std::memcpy(address.sun_path, text.data(), text.size());
    return address;
}

// The sockets interface takes every address as a sockaddr.
const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

Result<void> remove_stale(const std::filesystem::path& path, const sockaddr_un& address) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
        return errno == ENOENT ? Result<void>{} : socket_error(path, "look at what is there", errno);
    }
    if (!S_ISSOCK(status.st_mode)) {
        return fail(Code::conflict, "http", path.string(), "exists and is not a socket: move it away");
    }
    const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (probe.get() < 0) {
        return socket_error(path, "make a socket", errno);
    }
    if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
        return fail(Code::conflict, "http", path.string(),
                    "another process answers there: is the daemon already running?");
    }
    if (errno != ECONNREFUSED && errno != ENOENT) {
        return socket_error(path, "see whether somebody answers", errno);
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return socket_error(path, "remove the stale socket", errno);
    }
    return {};
}

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
    const auto address = address_of(path);
    if (!address) {
        return std::unexpected(address.error());
    }
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket.get() < 0) {
        return socket_error(path, "make a socket", errno);
    }
    if (const auto removed = remove_stale(path, *address); !removed) {
        return std::unexpected(removed.error());
    }
    // The file gets the mode of the unbound descriptor; it is opened to the group before anybody can connect.
    if (::fchmod(socket.get(), S_IRUSR | S_IWUSR) != 0 ||
        ::bind(socket.get(), generic(*address), sizeof *address) != 0) {
        return socket_error(path, "bind", errno);
    }
    if (access.group) {
        const auto owner = static_cast<uid_t>(-1);
        if (::fchownat(AT_FDCWD, path.c_str(), owner, *access.group, AT_SYMLINK_NOFOLLOW) != 0 ||
            ::chmod(path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0) {
            const int error = errno;
            ::unlink(path.c_str());
            return socket_error(path, fmt::format("give it to group {}", *access.group), error);
        }
    }
    if (::listen(socket.get(), backlog) != 0) {
        return socket_error(path, "listen", errno);
    }
    return socket.release();
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
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return socket_error("", "make the descriptor non-blocking", errno);
    }
    return fd;
}

Result<std::shared_ptr<Peer>> peer_of(int fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return socket_error("", "read the peer's credentials", errno);
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
