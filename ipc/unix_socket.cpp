// SPDX-License-Identifier: Apache-2.0
#include "ipc/unix_socket.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>

namespace tocsin::ipc {
namespace {

Result<sockaddr_un> address_of(const SocketPlace& place) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string& text = place.path.native();
    if (text.empty() || text.size() >= sizeof address.sun_path) {
        return fail(
            Code::invalid_argument, std::string(place.face), text,
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

Result<void> remove_stale(const SocketPlace& place, const sockaddr_un& address) {
    struct stat status{};
    if (::lstat(place.path.c_str(), &status) != 0) {
        return errno == ENOENT ? Result<void>{} : socket_error(place, "look at what is there", errno);
    }
    if (!S_ISSOCK(status.st_mode)) {
        return fail(Code::conflict, std::string(place.face), place.path.string(),
                    "exists and is not a socket: move it away");
    }
    const Fd probe(::socket(AF_UNIX, place.type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!probe.valid()) {
        return socket_error(place, "make a socket", errno);
    }
    if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
        return fail(Code::conflict, std::string(place.face), place.path.string(),
                    "another process answers there: is the daemon already running?");
    }
    if (errno != ECONNREFUSED && errno != ENOENT) {
        return socket_error(place, "see whether somebody answers", errno);
    }
    if (::unlink(place.path.c_str()) != 0 && errno != ENOENT) {
        return socket_error(place, "remove the stale socket", errno);
    }
    return {};
}

Result<void> open_to_group(const SocketPlace& place, std::uint32_t group) {
    const auto owner = static_cast<uid_t>(-1);
    if (::fchownat(AT_FDCWD, place.path.c_str(), owner, group, AT_SYMLINK_NOFOLLOW) != 0 ||
        ::chmod(place.path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0) {
        const int error = errno;
        ::unlink(place.path.c_str());
        return socket_error(place, fmt::format("give it to group {}", group), error);
    }
    return {};
}

} // namespace

std::unexpected<Error> socket_error(const SocketPlace& place, std::string_view doing, int error) {
    const Code code = error == EACCES || error == EPERM ? Code::not_authorized : Code::unavailable;
    return fail(code, std::string(place.face), place.path.string(),
                fmt::format("{}: {}", doing, std::generic_category().message(error)));
}

Result<Fd> bind_socket(const SocketPlace& place, const AccessPolicy& access) {
    const auto address = address_of(place);
    if (!address) {
        return std::unexpected(address.error());
    }
    Fd socket(::socket(AF_UNIX, place.type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid()) {
        return socket_error(place, "make a socket", errno);
    }
    if (const auto removed = remove_stale(place, *address); !removed) {
        return std::unexpected(removed.error());
    }
    // The file gets the mode of the unbound descriptor; it is opened to the group before anybody can connect.
    if (::fchmod(socket.get(), S_IRUSR | S_IWUSR) != 0 ||
        ::bind(socket.get(), generic(*address), sizeof *address) != 0) {
        return socket_error(place, "bind", errno);
    }
    if (access.group) {
        if (const auto opened = open_to_group(place, *access.group); !opened) {
            return std::unexpected(opened.error());
        }
    }
    return socket;
}

Result<void> make_ours(std::string_view face, int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return socket_error({face, {}, 0}, "make the descriptor non-blocking", errno);
    }
    return {};
}

std::optional<SocketFile::Id> SocketFile::identify(const std::filesystem::path& path) {
    struct stat status{};
    if (path.empty() || ::lstat(path.c_str(), &status) != 0) {
        return std::nullopt;
    }
    return Id{status.st_dev, status.st_ino};
}

SocketFile::SocketFile(std::filesystem::path path) : path_(std::move(path)), id_(identify(path_)) {}

bool SocketFile::there() const {
    return id_ && identify(path_) == id_;
}

void SocketFile::remove() {
    if (there()) {
        ::unlink(path_.c_str());
    }
    id_.reset();
}

} // namespace tocsin::ipc
