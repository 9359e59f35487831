// SPDX-License-Identifier: Apache-2.0
#include "jobs/helper_socket.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace tocsin::jobs {

namespace {

constexpr std::size_t address_bytes_max = sizeof(sockaddr_un::sun_path) - 1;

bool is_socket(const std::string& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

std::string explain(int error) {
    switch (error) {
    case ENOENT:
        return "is not there; systemctl start tocsin-spark.socket makes it";
    case ECONNREFUSED:
        return "nobody listens there; systemctl restart tocsin-spark.socket mends that";
    case EAGAIN:
        return "too many connections wait there already";
    default:
        return std::string("cannot be connected to: ") + ::strerror(error);
    }
}

} // namespace

std::string helper_socket_for(const Settings& settings, std::string_view script) {
    if (settings.helper_socket.empty()) {
        return {};
    }
    std::string own = (settings.helper_socket.parent_path() / ("spark-" + std::string(script) + ".sock")).string();
    if (!script.empty() && own.size() <= address_bytes_max && is_socket(own)) {
        return own;
    }
    const std::string usual = settings.helper_socket.string();
    return settings.helper_socket_required || is_socket(usual) ? usual : std::string();
}

Result<Fd> connect_helper(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() > address_bytes_max) {
        return fail(Code::unavailable, "jobs", path, "is too long for the address of a socket");
    }
    path.copy(address.sun_path, path.size());
    Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Asked for before anybody can answer: the credentials of the connection itself are those of who listens.
    const int on = 1;
    if (fd.valid()) {
        ::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    }
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    if (!fd.valid() || ::connect(fd.get(), generic, sizeof(address)) != 0) {
        return fail(Code::unavailable, "jobs", path, explain(errno));
    }
    return fd;
}

} // namespace tocsin::jobs
