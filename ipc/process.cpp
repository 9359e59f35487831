// SPDX-License-Identifier: Apache-2.0
#include "ipc/process.hpp"

#include "core/fd.hpp"
#include "ipc/access.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

namespace tocsin::ipc {

namespace {

constexpr std::size_t proc_text_max = 16 * limits::KiB; // of stat, cgroup and fdinfo
constexpr int stat_start_time_field = 22;
constexpr std::string_view deleted_suffix = " (deleted)";

std::optional<std::string> read_at(int directory, const char* name) {
    const Fd file(::openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!file.valid()) {
        return std::nullopt;
    }
    std::string text(proc_text_max, '\0');
    std::size_t used = 0;
    while (used < text.size()) {
        const ssize_t got = ::read(file.get(), text.data() + used, text.size() - used);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return std::nullopt;
        }
        if (got == 0) {
            break;
        }
        used += static_cast<std::size_t>(got);
    }
    text.resize(used);
    return text;
}

template <typename T> std::optional<T> number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

// The text up to the separator, which is cut off the front together with it.
std::string_view take(std::string_view& text, char separator) {
    const auto at = text.find(separator);
    const std::string_view head = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return head;
}

bool is_unit(std::string_view name) {
    static constexpr std::array<std::string_view, 5> kinds{".service", ".scope", ".socket", ".mount", ".swap"};
    for (const auto kind : kinds) {
        if (name.size() > kind.size() && name.ends_with(kind)) {
            return true;
        }
    }
    return false;
}

std::string unit_of_path(std::string_view path) {
    while (!path.empty()) {
        std::string_view part = take(path, '/');
        if (part.starts_with('_')) { // systemd escapes names that collide with files of the kernel
            part.remove_prefix(1);
        }
        if (is_unit(part)) {
            return std::string(part);
        }
        if (!part.empty() && !part.ends_with(".slice")) {
            return {};
        }
    }
    return {};
}

std::string executable_at(int directory) {
    std::string path(limits::path_bytes, '\0');
    const ssize_t length = ::readlinkat(directory, "exe", path.data(), path.size());
    if (length <= 0 || static_cast<std::size_t>(length) == path.size()) {
        return {};
    }
    path.resize(static_cast<std::size_t>(length));
    if (path.ends_with(deleted_suffix) || name_problem(path, limits::path_bytes)) {
        return {}; // replaced since it started, or not a text that could be shown
    }
    return path;
}

bool pidfd_is(int pidfd, std::uint32_t pid) {
    const std::string path = "/proc/self/fdinfo/" + std::to_string(pidfd);
    const auto text = read_at(AT_FDCWD, path.c_str());
    return text && pid_of_fdinfo(*text) == pid;
}

std::optional<std::uint64_t> start_time_at(int directory) {
    const auto text = read_at(directory, "stat");
    return text ? start_time_of_stat(*text) : std::nullopt;
}

} // namespace

std::string unit_of_cgroup(std::string_view text) {
    while (!text.empty()) {
        std::string_view line = take(text, '\n');
        const std::string_view hierarchy = take(line, ':');
        const std::string_view controllers = take(line, ':');
        if ((hierarchy == "0" && controllers.empty()) || controllers == "name=systemd") {
            if (std::string unit = unit_of_path(line); !unit.empty() && !name_problem(unit)) {
                return unit;
            }
        }
    }
    return {};
}

std::optional<std::uint64_t> start_time_of_stat(std::string_view text) {
    const auto bracket = text.rfind(')');
    if (bracket == std::string_view::npos || bracket + 2 > text.size()) {
        return std::nullopt;
    }
    text.remove_prefix(bracket + 2); // field 3 comes next
    for (int field = 3; field < stat_start_time_field; ++field) {
        take(text, ' ');
    }
    return number<std::uint64_t>(take(text, ' '));
}

std::optional<std::uint32_t> pid_of_fdinfo(std::string_view text) {
    while (!text.empty()) {
        std::string_view line = take(text, '\n');
        if (line.starts_with("Pid:")) {
            line.remove_prefix(4);
            line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
            return number<std::uint32_t>(line);
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> start_time_of(std::uint32_t pid, int pidfd) {
    const std::string path = "/proc/" + std::to_string(pid);
    const Fd process(::open(path.c_str(), O_DIRECTORY | O_PATH | O_CLOEXEC));
    if (!process.valid()) {
        return std::nullopt;
    }
    const auto start = start_time_at(process.get());
    // Looked at afterwards: while the descriptor's process lives, the number is its own.
    return pidfd >= 0 && !pidfd_is(pidfd, pid) ? std::nullopt : start;
}

void look_up_process(Origin& origin, int pidfd) {
    origin.unit.clear();
    origin.executable.clear();
    if (!origin.pid || *origin.pid == 0) {
        return;
    }
    // An open /proc/PID stays with its process: once that is gone nothing can be read through it, even if the pid is
    // reused.
    const std::string path = "/proc/" + std::to_string(*origin.pid);
    const Fd process(::open(path.c_str(), O_DIRECTORY | O_PATH | O_CLOEXEC));
    if (!process.valid()) {
        return;
    }
    const auto start_before = start_time_at(process.get());
    const auto cgroup = read_at(process.get(), "cgroup");
    std::string executable = executable_at(process.get());
    const auto start_after = start_time_at(process.get());
    if (!start_before || start_before != start_after || (pidfd >= 0 && !pidfd_is(pidfd, *origin.pid))) {
        return;
    }
    origin.unit = cgroup ? unit_of_cgroup(*cgroup) : std::string{};
    origin.executable = std::move(executable);
}

} // namespace tocsin::ipc
