// SPDX-License-Identifier: Apache-2.0
#include "ipc/notify/message.hpp"

#include "core/event.hpp"
#include "core/limits.hpp"
#include "core/utf8.hpp"

#include <array>
#include <charconv>

namespace tocsin::ipc::notify {
namespace {

void set_watchdog(Message& message, std::string_view value) {
    if (value == "1") {
        message.alive = true;
    } else if (value == "trigger") {
        message.failed = true;
    } else {
        ++message.wrong;
    }
}

void set_interval(Message& message, std::string_view value) {
    std::int64_t us = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), us);
    if (error != std::errc{} || end != value.data() + value.size() || us < limits::interval_us_min ||
        us > limits::interval_us_max) {
        ++message.wrong;
    } else if (!message.interval_us) {
        message.interval_us = us;
        message.alive = true;
    }
}

// A text too long is cut, since the sender learns nothing from a refusal; never inside a character.
void set_status(Message& message, std::string_view value) {
    if (!valid_utf8(value)) {
        ++message.wrong;
    } else if (message.status.empty()) {
        message.status = utf8_cut(value, limits::status_bytes);
    }
}

void set_ready(Message& message, std::string_view value) {
    message.alive = message.alive || value == "1";
}
void set_stopping(Message& message, std::string_view value) {
    message.stopping = message.stopping || value == "1";
}
void set_barrier(Message& message, std::string_view value) {
    message.barrier = message.barrier || value == "1";
}

struct Assignment {
    std::string_view name;
    void (*set)(Message&, std::string_view value);
};

constexpr std::array assignments{
    Assignment{"WATCHDOG", set_watchdog}, Assignment{"WATCHDOG_USEC", set_interval}, Assignment{"STATUS", set_status},
    Assignment{"READY", set_ready},       Assignment{"STOPPING", set_stopping},      Assignment{"BARRIER", set_barrier},
};

// False: not NAME=value.
bool take_line(Message& message, std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        return false;
    }
    for (const Assignment& known : assignments) {
        if (known.name == line.substr(0, equals)) {
            known.set(message, line.substr(equals + 1));
        }
    }
    return true;
}

} // namespace

std::optional<Message> parse_message(std::string_view bytes) {
    if (bytes.ends_with('\0')) { // senders in C may count the end of their string
        bytes.remove_suffix(1);
    }
    if (bytes.empty() || bytes.size() > message_bytes || bytes.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    Message message;
    bool some = false;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view line = bytes.substr(0, end);
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
        if (line.empty()) {
            continue;
        }
        if (!take_line(message, line)) {
            return std::nullopt;
        }
        some = true;
    }
    return some ? std::optional(std::move(message)) : std::nullopt;
}

} // namespace tocsin::ipc::notify
