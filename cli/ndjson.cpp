// SPDX-License-Identifier: Apache-2.0
#include "cli/ndjson.hpp"

#include <utility>

namespace tocsin::cli {

// True when the chunk is full.
bool LineCutter::look_for_lines() {
    while (lines_ < lines_max_) {
        std::size_t next = buffer_.find('\n', end_);
        if (next == std::string::npos) {
            const bool last = finished_ && end_ < buffer_.size();
            if (!last) {
                return lines_ > 0 && buffer_.size() > bytes_max_;
            }
            next = buffer_.size() - 1;
        }
        if (next + 1 > bytes_max_) {
            return lines_ > 0;
        }
        end_ = next + 1;
        ++lines_;
    }
    return true;
}

std::optional<LineChunk> LineCutter::cut() {
    LineChunk chunk{.body = buffer_.substr(0, end_), .first_line = first_line_, .lines = lines_};
    buffer_.erase(0, end_);
    first_line_ += std::exchange(lines_, 0);
    end_ = 0;
    return chunk;
}

std::optional<LineChunk> LineCutter::take(bool eager) {
    const bool full = look_for_lines();
    return lines_ > 0 && (full || eager || finished_) ? cut() : std::nullopt;
}

} // namespace tocsin::cli
