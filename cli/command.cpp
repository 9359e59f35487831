// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

#include "cli/spawn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>
#include <utility>

namespace tocsin::cli {
namespace {

constexpr int signal_code_base = 128; // of exit codes, as shells have it
// Those that a person or another program sends to a job, or that a timer before us left running.
constexpr std::array passed_on{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};
constexpr std::array from_terminal{SIGINT, SIGQUIT, SIGHUP, SIGWINCH};

bool same_file(int one, int other) {
    struct stat first{};
    struct stat second{};
    return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

Ending ending_of(int status) {
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        const char* const name = ::sigdescr_np(number);
        return {signal_code_base + number,
                fmt::format("ended by signal {} ({})", number, name == nullptr ? "unknown" : name)};
    }
    return {WEXITSTATUS(status), fmt::format("exit code {}", WEXITSTATUS(status))};
}

// No descriptor of ours is to take the place of a standard stream that is closed.
void fill_standard_streams() {
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO) {
        fd = ::open("/dev/null", O_RDWR);
    }
    if (fd >= 0) {
        ::close(fd);
    }
}

} // namespace

Command::Command(CommandSetup setup) : setup_(std::move(setup)) {
    fill_standard_streams();
    sigset_t signals{};
    ::sigemptyset(&signals);
    for (const int number : passed_on) {
        ::sigaddset(&signals, number);
    }
    ::sigaddset(&signals, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &signals, &before_);
    // Where we were started with it ignored, nobody could learn the exit code.
    struct sigaction usual{};
    usual.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &usual, &child_before_);
    signals_ = Fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

Command::~Command() {
    struct signalfd_siginfo taken{};
    while (::read(signals_.get(), &taken, sizeof taken) > 0) {
        // Came too late for the command; what is left to do is short.
    }
    ::sigaction(SIGCHLD, &child_before_, nullptr);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int Command::start() {
    std::array<Fd, streams_max> theirs;
    if (const int error = setup_.keep_tail ? open_streams(theirs) : 0; error != 0) {
        return error;
    }
    const int output = theirs[0].valid() ? theirs[0].get() : setup_.output;
    const int shared = same_file(setup_.output, setup_.errors) && theirs[0].valid() ? output : setup_.errors;
    const SpawnPlan plan{.words = setup_.words,
                         .variables = setup_.variables,
                         .input = setup_.input,
                         .output = output,
                         .errors = theirs[1].valid() ? theirs[1].get() : shared,
                         .mask = before_};
    const int error = spawn(plan, pid_);
    running_ = error == 0;
    return error;
}

// Where both go to the same place they share a pipe, which keeps the order of what is written.
int Command::open_streams(std::array<Fd, streams_max>& theirs) {
    int error = add_stream(setup_.output, theirs[0]);
    if (error == 0 && !same_file(setup_.output, setup_.errors)) {
        error = add_stream(setup_.errors, theirs[1]);
    }
    return error;
}

int Command::add_stream(int destination, Fd& theirs) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return errno;
    }
    forwards_.emplace_back(Fd(ends[0]), destination, tail_);
    destinations_.push_back(destination);
    theirs = Fd(ends[1]);
    return 0;
}

Ending Command::wait() {
    while (running_) {
        static_cast<void>(step());
    }
    for (Forward& forward : forwards_) {
        forward.drain();
    }
    return ending_of(status_);
}

void Command::finish() {
    while (std::ranges::any_of(forwards_, &Forward::pending) && step()) {
        // One step after the other.
    }
    for (std::size_t i = 0; i < forwards_.size(); ++i) {
        leave_behind(forwards_[i], destinations_[i]);
    }
    forwards_.clear();
}

bool Command::step() {
    std::array<struct pollfd, 1 + streams_max> watched{};
    watched.fill({-1, 0, 0});
    watched[0] = {signals_.get(), POLLIN, 0};
    for (std::size_t i = 0; i < forwards_.size(); ++i) {
        watched.at(i + 1) = running_ || forwards_[i].pending() ? forwards_[i].wanted() : watched.at(i + 1);
    }
    if (::poll(watched.data(), watched.size(), -1) < 0) {
        return true; // EINTR
    }
    for (std::size_t i = 0; i < forwards_.size(); ++i) {
        forwards_[i].step(watched.at(i + 1).revents);
    }
    return watched[0].revents == 0 || take_signals();
}

bool Command::take_signals() {
    struct signalfd_siginfo signal{};
    bool ours = false;
    while (::read(signals_.get(), &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) {
        if (signal.ssi_signo == SIGCHLD) {
            reap();
        } else if (running_) {
            pass_on(signal);
        } else {
            ours = true;
        }
    }
    return !ours;
}

void Command::pass_on(const struct signalfd_siginfo& signal) const {
    const int number = static_cast<int>(signal.ssi_signo);
    const bool by_terminal =
        signal.ssi_code == SI_KERNEL && std::ranges::find(from_terminal, number) != from_terminal.end();
    const bool by_itself = static_cast<pid_t>(signal.ssi_pid) == pid_ && signal.ssi_code != SI_KERNEL;
    if (!by_terminal && !by_itself) {
        ::kill(pid_, number); // not reaped yet, so the number is still its own
    }
}

void Command::reap() {
    if (running_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) {
        running_ = false;
    }
}

void Command::leave_behind(Forward& forward, int destination) const {
    const Fd source = forward.release_source();
    if (!source.valid()) {
        return;
    }
    pid_t cat = -1;
    static_cast<void>(spawn(
        {.words = {"cat"}, .input = source.get(), .output = destination, .mask = before_, .keeps_other = false}, cat));
}

} // namespace tocsin::cli
