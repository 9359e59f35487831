// SPDX-License-Identifier: Apache-2.0
// The row of a watch in Table::watches. Key: source, a zero byte, the scid big-endian with its sign bit flipped, so
// that rows sort by (source, scid). Value: a version byte, then fixed little-endian fields and counted strings; what
// few watches have (a plan, a rhythm) only where it is. A decoder takes exactly what an encoder of this version or an
// earlier one made; anything else is an error and never read past its end.
#pragma once

#include "core/heartbeat.hpp"
#include "heartbeats/calendars.hpp"

#include <string>
#include <string_view>

namespace tocsin::heartbeats {

std::string encode_key(const WatchKey& key);
Result<WatchKey> decode_key(std::string_view bytes);

std::string encode_watch(const Watch& watch); // without its key and its boot times
// invalid_event for a damaged row; unavailable for a good one whose schedule cannot be read here and now.
Result<Watch> decode_watch(std::string_view key, std::string_view value, Calendars& calendars);

} // namespace tocsin::heartbeats
