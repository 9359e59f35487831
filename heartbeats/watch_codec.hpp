// SPDX-License-Identifier: Apache-2.0
// The row of a watch in Table::watches. Key: source, a zero byte, the scid big-endian with its sign bit flipped, so
// that rows sort by (source, scid). Value: a version byte, then fixed little-endian fields and two counted strings. A
// decoder takes exactly what an encoder made; anything else is an error and never read past its end.
#pragma once

#include "core/heartbeat.hpp"

#include <string>
#include <string_view>

namespace tocsin::heartbeats {

std::string encode_key(const WatchKey& key);
Result<WatchKey> decode_key(std::string_view bytes);

std::string encode_watch(const Watch& watch); // without its key and its boot time
Result<Watch> decode_watch(std::string_view key, std::string_view value);

} // namespace tocsin::heartbeats
