// SPDX-License-Identifier: Apache-2.0
// One command run in our place: it gets our standard input, environment, other descriptors and process group; what it
// prints passes through us unchanged, and so do the signals that are sent to us. Those that the terminal makes
// (Ctrl-C, Ctrl-\, a hang-up, a new size) go to the whole group anyway and are not passed on a second time.
#pragma once

#include "cli/forward.hpp"
#include "cli/tail.hpp"
#include "core/fd.hpp"

#include <array>
#include <csignal>
#include <cstddef>
#include <poll.h>
#include <string>
#include <sys/types.h>
#include <vector>

struct signalfd_siginfo;

namespace tocsin::cli {

struct CommandSetup {
    std::vector<std::string> words{};     // the program, looked for in PATH, and its arguments
    std::vector<std::string> variables{}; // "NAME=value", in place of our own of that name
    int input = 0;
    int output = 1;
    int errors = 2;
    bool keep_tail = true; // false: the command gets `output` and `errors` themselves
};

struct Ending {
    int code = 0;      // the command's own; 128 + n when signal n ended it
    std::string how{}; // "exit code 3", "ended by signal 9 (Killed)"
    bool good() const { return code == 0; }
};

class Command {
public:
    // From here to the end of this object's life, signals go to the command or wait.
    explicit Command(CommandSetup setup);
    ~Command();
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;

    // 0, or why there is no such process: an errno.
    int start();
    // Until the command itself has ended; processes that it left behind do not count.
    Ending wait();
    // At most `max` bytes of the end of what it printed.
    std::string tail(std::size_t max) const { return tail_.text(max); }
    // Passes on what is left. What processes that it left behind print later is passed on by a cat that we leave
    // behind. A signal ends this early.
    void finish();

private:
    static constexpr std::size_t streams_max = 2;

    int open_streams(std::array<Fd, streams_max>& theirs);
    int add_stream(int destination, Fd& theirs);
    // Waits for one thing to happen and deals with it. False when a signal came and the command has ended.
    bool step();
    bool take_signals();
    void pass_on(const struct signalfd_siginfo& signal) const;
    void reap();
    void leave_behind(Forward& forward, int destination) const;

    CommandSetup setup_;
    Tail tail_{};
    std::vector<Forward> forwards_{};
    std::vector<int> destinations_{};
    Fd signals_{};
    sigset_t before_{};
    struct sigaction child_before_{};
    pid_t pid_ = -1;
    bool running_ = false;
    int status_ = 0;
};

} // namespace tocsin::cli
