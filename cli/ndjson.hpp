// SPDX-License-Identifier: Apache-2.0
// NDJSON cut into pieces that the daemon keeps all or nothing: at most limits::chunk_lines lines and
// limits::chunk_bytes bytes. Each is a request of its own, so at every moment it is known how many lines are durable,
// whatever happens to the connection or the daemon.
#pragma once

#include "core/limits.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::cli {

struct LineChunk {
    std::string body{};
    std::uint64_t first_line = 0; // 0-based
    std::uint64_t lines = 0;
};

class LineCutter {
public:
    explicit LineCutter(std::size_t lines_max = limits::chunk_lines, std::size_t bytes_max = limits::chunk_bytes)
        : lines_max_(lines_max), bytes_max_(bytes_max) {}

    void feed(std::string_view bytes) { buffer_ += bytes; }
    void finish() { finished_ = true; } // what is left is a line, with or without its newline
    // A full chunk; when `eager` or finished, also what whole lines there are.
    std::optional<LineChunk> take(bool eager);
    // A line that no chunk can hold stands next.
    bool stuck() const { return lines_ == 0 && buffer_.size() > bytes_max_; }
    bool has_lines() const { return lines_ > 0; }
    std::uint64_t next_line() const { return first_line_; }

private:
    bool look_for_lines();
    std::optional<LineChunk> cut();

    std::size_t lines_max_;
    std::size_t bytes_max_;
    std::string buffer_{};
    std::size_t end_ = 0; // of the whole lines in the buffer that fit a chunk
    std::uint64_t lines_ = 0;
    std::uint64_t first_line_ = 0;
    bool finished_ = false;
};

} // namespace tocsin::cli
