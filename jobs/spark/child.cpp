// SPDX-License-Identifier: Apache-2.0
#include "jobs/spark/child.hpp"

#include "jobs/script_environment.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tocsin::jobs::spark {

namespace {

constexpr int first_free_fd = 10;         // below, the script's own descriptors are put in place
constexpr rlim_t soft_descriptors = 1024; // what programs that use select() expect

struct Pipe {
    Fd read{};
    Fd write{};
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail(Code::unavailable, "spark", "pipe", ::strerror(errno));
    }
    Pipe pipe{Fd(ends[0]), Fd(ends[1])};
    pipe.read = Fd(::fcntl(Fd(std::move(pipe.read)).get(), F_DUPFD_CLOEXEC, first_free_fd));
    pipe.write = Fd(::fcntl(Fd(std::move(pipe.write)).get(), F_DUPFD_CLOEXEC, first_free_fd));
    if (!pipe.read.valid() || !pipe.write.valid() || ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) {
        return fail(Code::unavailable, "spark", "pipe", ::strerror(errno));
    }
    return pipe;
}

// Everything that the child needs after the fork, made before it.
struct Plan {
    std::string path;
    std::vector<std::string> environment;
    std::vector<char*> envp;
    std::array<char*, 2> argv{};
    std::array<int, 4> descriptors{}; // become 0–3
    int directory = -1;
    int failure = -1; // where errno goes
    pid_t parent = 0;
};

[[noreturn]] void give_up(const Plan& plan) {
    const int error = errno;
    static_cast<void>(!::write(plan.failure, &error, sizeof(error)));
    ::_exit(127);
}

// By the system call: libc refuses to touch its two own signals, which its posix_spawn leaves ignored in the helper.
void reset_signals() {
    constexpr std::size_t set_bytes = 8;                 // of the kernel's signal set
    const std::array<std::uint64_t, 4> default_action{}; // the kernel's struct sigaction, all zero: SIG_DFL
    for (int number = 1; number < NSIG; ++number) {
        ::syscall(SYS_rt_sigaction, number, default_action.data(), nullptr, set_bytes);
    }
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void set_limits() {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max < soft_descriptors ? files.rlim_max : soft_descriptors;
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
}

[[noreturn]] void become_script(const Plan& plan) {
    reset_signals();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // should the helper itself be killed
    if (::getppid() != plan.parent || ::setsid() < 0 || ::fchdir(plan.directory) != 0) {
        give_up(plan);
    }
    ::umask(077);
    set_limits();
    for (std::size_t i = 0; i < plan.descriptors.size(); ++i) {
        if (::dup2(plan.descriptors[i], static_cast<int>(i)) < 0) {
            give_up(plan);
        }
    }
    ::close_range(static_cast<unsigned>(plan.descriptors.size()), ~0U, CLOSE_RANGE_CLOEXEC);
    ::execve(plan.path.c_str(), plan.argv.data(), plan.envp.data());
    give_up(plan);
}

std::string explain_exec(int error) {
    switch (error) {
    case ENOENT:
        return "the script or the interpreter that its first line names is not there";
    case ENOEXEC:
        return "neither a program nor a script: its first line must begin with #!";
    default:
        return std::string("cannot be executed: ") + ::strerror(error);
    }
}

// Blocks until the exec closed the pipe or errno came: microseconds.
Result<void> await_exec(int failure, pid_t child, const std::string& path) {
    int error = 0;
    ssize_t size = 0;
    do {
        size = ::read(failure, &error, sizeof(error));
    } while (size < 0 && errno == EINTR);
    if (size == 0) {
        return {};
    }
    ::waitpid(child, nullptr, 0);
    return fail(Code::unavailable, "spark", path, explain_exec(error));
}

} // namespace

Result<Child> start_script(const protocol::Run& run, const ChildInput& input) {
    auto output = make_pipe();
    auto report = make_pipe();
    auto failure = make_pipe();
    if (!output || !report || !failure) {
        return fail(Code::unavailable, "spark", run.script, "no more descriptors for its pipes");
    }
    ::fcntl(failure->read.get(), F_SETFL, 0);
    Plan plan;
    plan.path = input.path;
    plan.environment = script_environment(run, run.directory);
    for (auto& variable : plan.environment) {
        plan.envp.push_back(variable.data());
    }
    plan.envp.push_back(nullptr);
    plan.argv = {plan.path.data(), nullptr};
    plan.descriptors = {input.event, output->write.get(), output->write.get(), report->write.get()};
    plan.directory = input.directory;
    plan.failure = failure->write.get();
    plan.parent = ::getpid();
    const pid_t pid = ::fork(); // of a small process with one thread
    if (pid < 0) {
        return fail(Code::unavailable, "spark", run.script, std::string("cannot fork: ") + ::strerror(errno));
    }
    if (pid == 0) {
        become_script(plan);
    }
    failure->write.reset();
    if (auto started = await_exec(failure->read.get(), pid, plan.path); !started) {
        return std::unexpected(started.error());
    }
    return Child{pid, std::move(output->read), std::move(report->read)};
}

} // namespace tocsin::jobs::spark
