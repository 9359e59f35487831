// SPDX-License-Identifier: Apache-2.0
// A call's request as it goes over the wire, made once: sent again it is the same to the byte, so that the daemon knows
// it.
#pragma once

#include "lib/event.hpp"

#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::lib {

struct Request {
    std::string text{};     // head and body
    std::size_t events = 0; // that the answer has indexes of; 0: a beat
};

using Made = std::expected<Request, tocsin_result>;

Made submit_request(const tocsin_event& event);
Made batch_request(std::span<const tocsin_event* const> events);
Made beat_request(const char* source, const tocsin_beat_options* options);

// Random, 128 bits of it in hexadecimal; empty where the system has none.
std::string new_key();
std::int64_t now_us();

} // namespace tocsin::lib
