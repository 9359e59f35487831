// SPDX-License-Identifier: Apache-2.0
#include "jobs/helper_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace tocsin::jobs {

namespace {

std::unexpected<Error> system_error(std::string object, int error) {
    return fail(Code::unavailable, "jobs", std::move(object), ::strerror(error));
}

// Actions and attributes of posix_spawn, freed with their owner.
class SpawnPlan {
public:
    explicit SpawnPlan(int socket) {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawn_file_actions_adddup2(&actions_, socket, STDIN_FILENO);
        ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        // A session of its own: Ctrl-C at the daemon's terminal is the daemon's matter.
        constexpr int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID;
        ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
    }
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    int run(pid_t& pid, const std::string& program) {
        std::string name = program;
        std::array<char*, 2> argv{name.data(), nullptr};
        std::string path = "PATH=/usr/bin:/bin";
        const char* const set = std::getenv("TMPDIR"); // where the working directories go
        std::string temporary = "TMPDIR=" + std::string(set != nullptr ? set : "/tmp");
        std::array<char*, 3> envp{path.data(), temporary.data(), nullptr};
        return ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, argv.data(), envp.data());
    }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

} // namespace

Result<HelperProcess> spawn_helper(const std::string& program) {
    std::array<int, 2> pair{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        return system_error("socketpair", errno);
    }
    HelperProcess process;
    process.socket = Fd(pair[0]);
    const Fd theirs(pair[1]);
    if (const int error = SpawnPlan(theirs.get()).run(process.pid, program); error != 0) {
        return system_error(program, error);
    }
    process.pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
    if (!process.pidfd.valid()) {
        const int error = errno;
        end_unused(process);
        return system_error("tocsin-spark", error);
    }
    return process;
}

void end_unused(const HelperProcess& process) {
    ::kill(process.pid, SIGKILL); // ours, and not reaped yet
    ::waitpid(process.pid, nullptr, 0);
}

} // namespace tocsin::jobs
