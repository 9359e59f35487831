// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupts.hpp"

#include <array>
#include <cerrno>
#include <ctime>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace tocsin::cli {

Interrupts::Interrupts() {
    sigset_t signals{};
    ::sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        ::sigaddset(&signals, number);
    }
    ::sigprocmask(SIG_BLOCK, &signals, &before_);
    fd_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

Interrupts::~Interrupts() {
    if (fd_ >= 0) {
        struct signalfd_siginfo taken{};
        while (::read(fd_, &taken, sizeof taken) > 0) {
            // What came is dealt with: it does not kill the process now.
        }
        ::close(fd_);
    }
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Interrupts::Woken Interrupts::wait(int input, std::optional<std::chrono::milliseconds> time) {
    if (stopped_) {
        return Woken::stop;
    }
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + time.value_or(std::chrono::milliseconds(0));
    while (true) {
        std::array<struct pollfd, 2> watched{{{fd_, POLLIN, 0}, {input, POLLIN, 0}}};
        const auto left = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(end - Clock::now()));
        const struct timespec limit{static_cast<std::time_t>(left.count() / 1'000'000'000),
                                    static_cast<long>(left.count() % 1'000'000'000)};
        const int ready = ::ppoll(watched.data(), watched.size(), time ? &limit : nullptr, nullptr);
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready > 0 && watched[0].revents != 0) {
            stopped_ = true;
            return Woken::stop;
        }
        return ready > 0 ? Woken::input : Woken::time;
    }
}

} // namespace tocsin::cli
