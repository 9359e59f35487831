// SPDX-License-Identifier: Apache-2.0
// Reading facts about another process from /proc: the pieces of look_up_process (ipc/access.hpp) that can be tested
// alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::ipc {

// The systemd unit in the text of /proc/PID/cgroup: the first path component below the slices that is a service, scope,
// socket, mount or swap. Empty where there is none. "/user.slice/…/user@1000.service/app.slice/x.service" is
// user@1000.service.
std::string unit_of_cgroup(std::string_view text);

// Field 22 of /proc/PID/stat, in clock ticks since boot; the command in field 2 may contain blanks and brackets.
std::optional<std::uint64_t> start_time_of_stat(std::string_view text);

// The "Pid:" line of /proc/self/fdinfo/N of a pidfd; nullopt where there is none or the process is gone (-1).
std::optional<std::uint32_t> pid_of_fdinfo(std::string_view text);

// When the process began, in those ticks; nullopt where it is gone, or not the one that `pidfd` (-1: none) stands for.
std::optional<std::uint64_t> start_time_of(std::uint32_t pid, int pidfd);

} // namespace tocsin::ipc
