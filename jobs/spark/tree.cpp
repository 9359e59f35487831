// SPDX-License-Identifier: Apache-2.0
#include "jobs/spark/tree.hpp"

#include "core/fd.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace tocsin::jobs::spark {

namespace {

constexpr std::size_t list_bytes_max = 1U << 20; // about 150,000 children a look; the next look sees the rest

// "12 34 56 ", the children of this thread, which is the only one; zombies included.
std::string read_children() {
    const std::string path = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 4096> piece{};
    ssize_t size = 1;
    while (file.valid() && size > 0 && text.size() < list_bytes_max) {
        size = ::read(file.get(), piece.data(), piece.size());
        text.append(piece.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    return text;
}

bool reap_one(idtype_t kind, pid_t pid) {
    siginfo_t info{};
    return ::waitid(kind, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0;
}

} // namespace

std::vector<pid_t> Tree::strays() const {
    const std::string text = read_children();
    std::vector<pid_t> result;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        pid_t pid = 0;
        const auto [next, error] = std::from_chars(at, end, pid);
        if (error == std::errc{} && pid > 1 && pid != leader_) {
            result.push_back(pid);
        }
        at = next + 1;
    }
    return result;
}

void Tree::reap() {
    for (const pid_t pid : strays()) {
        reap_one(P_PID, pid);
    }
    siginfo_t info{};
    if (leader_ == 0 || exit_ || ::waitid(P_PID, static_cast<id_t>(leader_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
        return;
    }
    exit_ = Exit{info.si_code != CLD_EXITED, info.si_status};
}

bool Tree::others() const {
    return !strays().empty();
}

void Tree::signal(int number) {
    if (leader_ != 0) {
        ::kill(-leader_, number);
    }
    for (const pid_t pid : strays()) {
        if (leader_ == 0 || ::getpgid(pid) != leader_) {
            ::kill(pid, number);
        }
    }
}

bool Tree::destroy() {
    signal(SIGKILL);
    reap();
    if (leader_ != 0 && (!exit_ || others())) {
        return false;
    }
    if (leader_ != 0) {
        reap_one(P_PID, leader_);
        leader_ = 0;
    }
    while (reap_one(P_ALL, 0)) {
    }
    siginfo_t info{};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

} // namespace tocsin::jobs::spark
