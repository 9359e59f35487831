// SPDX-License-Identifier: Apache-2.0
// The event of a transition: heartbeat.missed, .recovered, .failed, .overrun with payload source, scid, deadline, last,
// misses (times as RFC 3339, left out where there is none); .overrun with run and limit_s, too. A miss happened when
// deadline and grace passed, an overrun when the limit did, not when they were told.
#pragma once

#include "core/event.hpp"
#include "heartbeats/watch_set.hpp"

namespace tocsin::heartbeats {

Event make_event(const Happening& happening, std::int64_t now_us);

} // namespace tocsin::heartbeats
