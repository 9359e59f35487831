// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/boot_timer.hpp"

#include "heartbeats/timer_fd.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

namespace tocsin::heartbeats {

Result<void> BootTimer::open() {
    if (Result<void> opened = open_timer(descriptor_, CLOCK_BOOTTIME); !opened) {
        return opened;
    }
    wait();
    return {};
}

void BootTimer::close() {
    fired_ = nullptr;
    boost::system::error_code ignored;
    descriptor_.close(ignored);
}

void BootTimer::arm(std::int64_t boot_us) {
    if (!descriptor_.is_open()) {
        return;
    }
    const std::int64_t at_us = boot_us > 0 ? boot_us : 1; // zero would disarm
    itimerspec spec{};
    spec.it_value.tv_sec = at_us / 1'000'000;
    spec.it_value.tv_nsec = at_us % 1'000'000 * 1'000;
    if (::timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME, &spec, nullptr) != 0) {
        fatal("timerfd_settime refuses a valid time"); // no watch would ever be missed again
    }
}

void BootTimer::wait() {
    descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                               if (!error) {
                                   self->ready();
                               }
                           });
}

void BootTimer::ready() {
    if (!fired_) {
        return;
    }
    std::uint64_t times = 0;
    const ssize_t got = ::read(descriptor_.native_handle(), &times, sizeof times);
    wait();
    if (got == static_cast<ssize_t>(sizeof times)) {
        const std::function<void()> fired = fired_; // close() may be called from within
        fired();
    }
}

} // namespace tocsin::heartbeats
