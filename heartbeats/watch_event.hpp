// SPDX-License-Identifier: Apache-2.0
// The event of a transition: heartbeat.missed, .recovered, .failed with payload source, scid, deadline, last, misses
// (times as RFC 3339, last left out where there was no beat yet). A miss happened when deadline and grace passed, not
// when it was told.
#pragma once

#include "core/event.hpp"
#include "heartbeats/watch_set.hpp"

namespace tocsin::heartbeats {

Event make_event(const Happening& happening, std::int64_t now_us);

} // namespace tocsin::heartbeats
