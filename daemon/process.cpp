// SPDX-License-Identifier: Apache-2.0
#include "daemon/process.hpp"

#include "core/event.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <memory>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace tocsin::daemon {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view http_name = "http"; // FileDescriptorName=
constexpr std::string_view notify_name = "notify";
constexpr rlim_t open_files_max = 8192;
// A batch's memory serves the next one: giving it back and asking anew costs as much as reading the events does.
constexpr int kept_allocation_bytes = 8 * 1024 * 1024;
constexpr int kept_heap_bytes = 8 * 1024 * 1024;
constexpr std::size_t group_buffer_bytes_max = std::size_t{1024} * 1024;

std::string system_error(int number) {
    return std::generic_category().message(number);
}

// Every missing directory on the way, with this mode.
Result<void> make_directories(const fs::path& path, mode_t mode) {
    fs::path at;
    for (const fs::path& part : path) {
        at /= part;
        if (mkdir(at.c_str(), mode) != 0 && errno != EEXIST && errno != EISDIR && access(at.c_str(), X_OK) != 0) {
            const int number = errno;
            return fail(Code::not_authorized, "start", at.string(),
                        fmt::format("cannot be made: {}", system_error(number)));
        }
    }
    return {};
}

std::optional<std::string> state_dir_problem(const fs::path& path) {
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) {
        return fmt::format("cannot be used: {}", system_error(errno));
    }
    if (!S_ISDIR(status.st_mode)) {
        return "is not a directory";
    }
    if (status.st_uid != geteuid()) {
        return fmt::format(
            "belongs to uid {}, but the daemon runs as uid {}; run it as that user or give another --state-dir",
            status.st_uid, geteuid());
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fmt::format("can be changed by others (mode {:04o}); make it safe with chmod go-w",
                           status.st_mode & 07777U);
    }
    if (access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
        return fmt::format("cannot be written: {}", system_error(errno));
    }
    return std::nullopt;
}

// A descriptor from systemd.
struct Offered {
    int fd = -1;
    std::string name;
    int type = 0; // SOCK_STREAM where it listens, SOCK_DGRAM; 0: no Unix socket of these
};

int type_of_socket(int fd) {
    if (sd_is_socket_unix(fd, SOCK_STREAM, 1, nullptr, 0) > 0) {
        return SOCK_STREAM;
    }
    return sd_is_socket_unix(fd, SOCK_DGRAM, -1, nullptr, 0) > 0 ? SOCK_DGRAM : 0;
}

fs::path path_of_socket(int fd) {
    sockaddr_un address{};
    socklen_t length = sizeof(address);
    if (fd < 0 || getsockname(fd, std::bit_cast<sockaddr*>(&address), &length) != 0 || address.sun_path[0] != '/') {
        return {};
    }
    return fs::path(std::string_view(address.sun_path, strnlen(address.sun_path, sizeof(address.sun_path))));
}

HandedOverSocket choose(const std::vector<Offered>& offered, std::string_view name, int type) {
    int only = -1;
    std::size_t of_type = 0;
    for (const Offered& one : offered) {
        if (one.type == type && one.name == name) {
            return HandedOverSocket{.fd = one.fd, .path = path_of_socket(one.fd)};
        }
        if (one.type == type) {
            only = one.fd;
            ++of_type;
        }
    }
    return of_type == 1 ? HandedOverSocket{.fd = only, .path = path_of_socket(only)} : HandedOverSocket{};
}

} // namespace

void prepare_process() {
    umask(077);
    mallopt(M_MMAP_THRESHOLD, kept_allocation_bytes);
    mallopt(M_TRIM_THRESHOLD, kept_heap_bytes);
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, nullptr);
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < open_files_max) {
        files.rlim_cur = std::min<rlim_t>(files.rlim_max, open_files_max);
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

Result<StateDir> StateDir::take(const fs::path& path) {
    if (auto made = make_directories(path, 0700); !made) {
        return std::unexpected(std::move(made.error()));
    }
    if (auto problem = state_dir_problem(path)) {
        return fail(Code::not_authorized, "start", path.string(), std::move(*problem));
    }
    const fs::path lock_path = path / "lock";
    Fd lock(open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock.get() < 0) {
        return fail(Code::not_authorized, "start", lock_path.string(),
                    fmt::format("cannot be opened: {}", system_error(errno)));
    }
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail(Code::conflict, "start", path.string(),
                    "the store in it is in use by another tocsind; stop that one or give another --state-dir");
    }
    return StateDir(path, std::move(lock));
}

Result<void> make_runtime_dir(const fs::path& path, bool for_group) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
        return {};
    }
    if (auto made = make_directories(path, 0700); !made) {
        return made;
    }
    // mkdir's mode went through the umask.
    if (for_group && chmod(path.c_str(), 0755) != 0) {
        return fail(Code::not_authorized, "start", path.string(),
                    fmt::format("cannot change its mode: {}", system_error(errno)));
    }
    return {};
}

std::optional<std::uint32_t> group_id(const std::string& name) {
    std::vector<char> buffer(4096);
    while (buffer.size() <= group_buffer_bytes_max) {
        group entry{};
        group* found = nullptr;
        const int result = getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
        if (result == ERANGE) {
            buffer.resize(buffer.size() * 2);
        } else if (result != EINTR) {
            return found == nullptr ? std::nullopt : std::optional<std::uint32_t>(found->gr_gid);
        }
    }
    return std::nullopt;
}

std::string hostname() {
    std::array<char, HOST_NAME_MAX + 1> name{};
    if (gethostname(name.data(), name.size() - 1) != 0 || name_problem(name.data())) {
        return "localhost";
    }
    return name.data();
}

fs::path spark_helper() {
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    if (!error) {
        fs::path beside = self.parent_path() / "tocsin-spark";
        if (access(beside.c_str(), X_OK) == 0) {
            return beside;
        }
    }
    return fs::path(TOCSIN_LIBEXECDIR) / "tocsin-spark";
}

std::uint64_t file_system_bytes(const fs::path& path) {
    struct statvfs status{};
    if (statvfs(path.c_str(), &status) != 0) {
        return 0;
    }
    return static_cast<std::uint64_t>(status.f_blocks) * status.f_frsize;
}

Result<HandedOver> handed_over_sockets() {
    char** raw = nullptr;
    const int count = sd_listen_fds_with_names(1, &raw);
    std::vector<Offered> offered;
    for (int i = 0; i < count && raw != nullptr; ++i) {
        const std::unique_ptr<char, decltype(&std::free)> name(raw[i], &std::free);
        const int fd = SD_LISTEN_FDS_START + i;
        offered.push_back(Offered{fd, name.get(), type_of_socket(fd)});
    }
    std::free(static_cast<void*>(raw));
    if (count < 0) {
        return fail(Code::unavailable, "start", "LISTEN_FDS",
                    fmt::format("cannot be taken over: {}", system_error(-count)));
    }
    HandedOver taken;
    taken.http = choose(offered, http_name, SOCK_STREAM);
    taken.notify = choose(offered, notify_name, SOCK_DGRAM);
    for (const Offered& other : offered) {
        if (other.fd == taken.http.fd || other.fd == taken.notify.fd) {
            continue;
        }
        close(other.fd);
        if (other.type == 0 && (other.name == http_name || other.name == notify_name || offered.size() == 1)) {
            return fail(Code::invalid_argument, "start", "LISTEN_FDS",
                        fmt::format("\"{}\" is neither a listening Unix stream socket nor a Unix datagram socket; see "
                                    "tocsind.socket",
                                    other.name));
        }
    }
    return taken;
}

} // namespace tocsin::daemon
