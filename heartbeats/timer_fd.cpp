// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/timer_fd.hpp"

#include "core/fd.hpp"

#include <cerrno>
#include <cstring>
#include <sys/timerfd.h>

namespace tocsin::heartbeats {

Result<void> open_timer(boost::asio::posix::stream_descriptor& descriptor, clockid_t clock) {
    Fd fd(::timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!fd.valid()) {
        return fail(Code::unavailable, "heartbeats", "timerfd", std::strerror(errno));
    }
    boost::system::error_code error;
    descriptor.assign(fd.get(), error);
    if (error) {
        return fail(Code::unavailable, "heartbeats", "timerfd", error.message());
    }
    fd.release();
    return {};
}

} // namespace tocsin::heartbeats
