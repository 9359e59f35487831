// SPDX-License-Identifier: Apache-2.0
// What one datagram of the sd_notify protocol says: lines of NAME=value, read as systemd reads them. All lines of a
// datagram are one message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::ipc::notify {

inline constexpr std::size_t message_bytes = 4096; // systemd takes no more either

struct Message {
    bool barrier = false;  // BARRIER=1: whatever else the datagram says is not looked at, as sd_notify(3) has it
    bool stopping = false; // STOPPING=1
    bool failed = false;   // WATCHDOG=trigger
    bool alive = false;    // WATCHDOG=1, READY=1 or WATCHDOG_USEC=
    std::optional<std::int64_t> interval_us{}; // WATCHDOG_USEC=, within the bounds of a watch
    std::string status{};                      // STATUS=, cut to what a watch keeps; empty: none
    std::size_t wrong = 0;                     // known assignments whose value cannot be taken

    // Nothing in it is about a watch: RELOADING=1, MAINPID=…, names that nobody knows.
    bool idle() const { return !barrier && !stopping && !failed && !alive && status.empty(); }
};

// nullopt: empty, too long, with a zero byte inside, or a line that is no assignment.
std::optional<Message> parse_message(std::string_view bytes);

} // namespace tocsin::ipc::notify
