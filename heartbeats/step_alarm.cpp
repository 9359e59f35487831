// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/step_alarm.hpp"

#include "heartbeats/timer_fd.hpp"

#include <cerrno>
#include <cstring>
#include <sys/timerfd.h>
#include <unistd.h>

namespace tocsin::heartbeats {
namespace {

constexpr time_t never_s = 9'000'000'000; // in the year 2255

} // namespace

Result<void> StepAlarm::open() {
    if (Result<void> opened = open_timer(descriptor_, CLOCK_REALTIME); !opened) {
        return opened;
    }
    if (!arm()) {
        return fail(Code::unavailable, "heartbeats", "timerfd", std::strerror(errno));
    }
    wait();
    return {};
}

void StepAlarm::close() {
    stepped_ = nullptr;
    boost::system::error_code ignored;
    descriptor_.close(ignored);
}

bool StepAlarm::arm() {
    itimerspec spec{};
    spec.it_value.tv_sec = never_s;
    return ::timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec,
                             nullptr) == 0;
}

void StepAlarm::wait() {
    descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                               if (!error) {
                                   self->ready();
                               }
                           });
}

// Armed anew first: a step while stepped() works is another one. Where that fails the next wake of the boot timer sees
// the step as well.
void StepAlarm::ready() {
    if (!stepped_) {
        return;
    }
    std::uint64_t times = 0;
    const ssize_t got = ::read(descriptor_.native_handle(), &times, sizeof times);
    if (got < 0 && errno == EAGAIN) {
        wait();
        return;
    }
    if (arm()) {
        wait();
    }
    const std::function<void()> stepped = stepped_; // close() may be called from within
    stepped();
}

} // namespace tocsin::heartbeats
