// SPDX-License-Identifier: Apache-2.0
#include "jobs/spark/child.hpp"

#include "jobs/priority.hpp"
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

constexpr int first_free_fd = 10; // below, the script's own descriptors are put in place

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

// Everything that the child needs, made before it. It is a vfork child: it shares the helper's memory, in which it may
// only write down why it failed, while the helper stands still until the exec or the end of the child.
struct Plan {
    std::string path;
    std::vector<std::string> environment;
    std::vector<char*> envp;
    std::array<char*, 2> argv{};
    std::array<int, 4> descriptors{}; // become 0–3
    int directory = -1;
    protocol::Limits limits{};
    pid_t parent = 0;
    volatile int error = 0; // written by the child
};

[[noreturn]] void give_up(Plan& plan) {
    plan.error = errno;
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

// Soft and hard, so that the script cannot raise it; never above what the helper has itself.
void set_limit(decltype(RLIMIT_AS) resource, rlim_t value) {
    rlimit limit{};
    if (value != 0 && ::getrlimit(resource, &limit) == 0) {
        limit.rlim_max = limit.rlim_max < value ? limit.rlim_max : value;
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(resource, &limit);
    }
}

void set_limits(const protocol::Limits& limits) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    set_limit(RLIMIT_AS, limits.memory_bytes);
    set_limit(RLIMIT_FSIZE, limits.file_bytes);
    set_limit(RLIMIT_NOFILE, limits.open_files);
}

[[noreturn]] void become_script(Plan& plan) {
    reset_signals();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // should the helper itself be killed
    if (::getppid() != plan.parent || ::setsid() < 0 || ::fchdir(plan.directory) != 0) {
        give_up(plan);
    }
    give_way_in_session();
    ::umask(077);
    set_limits(plan.limits);
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

// posix_spawn would do, had it limits, the death signal and a working directory by descriptor. Not inlined: the frame
// of who calls vfork holds nothing that the child could clobber.
[[gnu::noinline]] pid_t start(Plan& plan) {
    const pid_t pid = ::vfork(); // NOLINT(bugprone-unsafe-functions): what "may be blocked" is the helper alone
    if (pid == 0) {
        become_script(plan); // NOLINT(clang-analyzer-unix.Vfork): system calls until the exec, as posix_spawn does
    }
    return pid;
}

} // namespace

Result<Child> start_script(const protocol::Run& run, const ChildInput& input) {
    auto output = make_pipe();
    auto report = make_pipe();
    if (!output || !report) {
        return fail(Code::unavailable, "spark", run.script, "no more descriptors for its pipes");
    }
    Plan plan;
    plan.path = input.path;
    plan.environment = script_environment(run, input.home);
    for (auto& variable : plan.environment) {
        plan.envp.push_back(variable.data());
    }
    plan.envp.push_back(nullptr);
    plan.argv = {plan.path.data(), nullptr};
    plan.descriptors = {input.event, output->write.get(), output->write.get(), report->write.get()};
    plan.directory = input.directory;
    plan.limits = run.limits;
    plan.parent = ::getpid();
    const pid_t pid = start(plan);
    if (pid < 0) {
        return fail(Code::unavailable, "spark", run.script, std::string("cannot be started: ") + ::strerror(errno));
    }
    if (plan.error != 0) {
        ::waitpid(pid, nullptr, 0);
        return fail(Code::unavailable, "spark", plan.path, explain_exec(plan.error));
    }
    return Child{pid, std::move(output->read), std::move(report->read)};
}

} // namespace tocsin::jobs::spark
