// SPDX-License-Identifier: Apache-2.0
// The process and its directories before anything runs: file mode mask, limits, the state directory with its lock, the
// runtime directory, who may use the sockets, and where the helper is. Each refusal says what to do.
#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace tocsin::daemon {

// umask 0077, SIGPIPE ignored, RLIMIT_NOFILE raised to the hard limit, at most 8192.
void prepare_process();

// Held as long as the daemon runs: two daemons never share a state directory.
class StateDir {
public:
    // Creates it (0700) when it is missing. not_authorized when it is not ours, can be changed by others or not be
    // written; conflict when another daemon holds it.
    static Result<StateDir> take(const std::filesystem::path& path);
    const std::filesystem::path& path() const { return path_; }

private:
    StateDir(std::filesystem::path path, Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
    std::filesystem::path path_;
    Fd lock_;
};

// Creates it when it is missing: 0755 where a group shall reach the socket in it, else 0700.
Result<void> make_runtime_dir(const std::filesystem::path& path, bool for_group);

// gid of a group by its name; nullopt when there is none.
std::optional<std::uint32_t> group_id(const std::string& name);

std::string hostname();

// tocsin-spark beside this executable, as in a build directory; else where packages install it.
std::filesystem::path spark_helper();

// Total size of the file system that holds `path`; 0 when unknown.
std::uint64_t file_system_bytes(const std::filesystem::path& path);

// The Unix sockets that systemd handed over: a listening stream socket for HTTP and a datagram socket for sd_notify,
// each the one of its type that is named so ("http", "notify"), or the only one of its type.
struct HandedOverSocket {
    int fd = -1;                  // −1: none
    std::filesystem::path path{}; // where it listens; empty when unknown
};
struct HandedOver {
    HandedOverSocket http{};
    HandedOverSocket notify{};
};
Result<HandedOver> handed_over_sockets();

} // namespace tocsin::daemon
