// SPDX-License-Identifier: Apache-2.0
// Waiting that Ctrl-C, SIGTERM and SIGHUP end: while one of these lives, the signals arrive here instead of killing the
// process, so that a verb can stop between two steps and say how far it came.
#pragma once

#include <chrono>
#include <csignal>
#include <optional>

namespace tocsin::cli {

class Interrupts {
public:
    enum class Woken { time, input, stop };

    Interrupts();
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;

    // Until `input` (none: -1) has something to read or ended, the time has passed (none: for ever), or a signal came.
    Woken wait(int input, std::optional<std::chrono::milliseconds> time);
    // A signal came, now or earlier.
    bool stopped() { return wait(-1, std::chrono::milliseconds(0)) == Woken::stop; }

private:
    int fd_ = -1;
    bool stopped_ = false;
    sigset_t before_{};
};

} // namespace tocsin::cli
