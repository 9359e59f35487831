// SPDX-License-Identifier: Apache-2.0
// Server-sent events out of pieces that end anywhere: id, event and data of each, comments skipped, the wait before
// connecting again. A line is at most 2 MiB, an event at most 4 MiB; more is an error.
#pragma once

#include "core/error.hpp"
#include "core/limits.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace tocsin::cli {

struct ServerEvent {
    std::string name{}; // "event", "gap"; "message" where none is given
    std::string data{};
    std::string id{}; // the newest id so far
};

class SseParser {
public:
    static constexpr std::size_t line_bytes_max = 2 * limits::MiB;
    static constexpr std::size_t data_bytes_max = 4 * limits::MiB;
    static constexpr std::chrono::milliseconds retry_least{100};
    static constexpr std::chrono::milliseconds retry_most{60'000};

    // Calls `use` for each whole event; it says false to stop. limit_exceeded when a line or event is too long.
    Result<void> feed(std::string_view piece, const std::function<bool(const ServerEvent&)>& use);
    // A new connection begins: what was unfinished is forgotten, the last id stays.
    void restart();

    const std::string& last_id() const { return last_id_; }
    std::chrono::milliseconds retry() const { return retry_; }

private:
    void take_field(std::string_view line);
    std::string line_{};
    ServerEvent event_{};
    bool has_data_ = false;
    bool after_cr_ = false;
    std::string id_{};      // of the event that is being read
    std::string last_id_{}; // of the newest whole one
    std::chrono::milliseconds retry_{2'000};
};

} // namespace tocsin::cli
