// SPDX-License-Identifier: Apache-2.0
// A timerfd behind an Asio descriptor, for the timers that Asio has none of: on the boot clock, and on the wall clock.
#pragma once

#include "core/error.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <ctime>

namespace tocsin::heartbeats {

// Not armed yet.
Result<void> open_timer(boost::asio::posix::stream_descriptor& descriptor, clockid_t clock);

} // namespace tocsin::heartbeats
