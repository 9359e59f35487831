// SPDX-License-Identifier: Apache-2.0
#include "cli/sse.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tocsin::cli {

void SseParser::restart() {
    line_.clear();
    event_ = {};
    id_ = last_id_;
    has_data_ = false;
    after_cr_ = false;
}

void SseParser::take_field(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == 0) {
        return; // a comment
    }
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' ')) {
        value.remove_prefix(1);
    }
    if (name == "event") {
        event_.name = value;
    } else if (name == "data") {
        event_.data += std::exchange(has_data_, true) ? "\n" : "";
        event_.data += value;
    } else if (name == "id" && value.find('\0') == std::string_view::npos) {
        id_ = value;
    } else if (name == "retry") {
        int milliseconds = 0;
        const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), milliseconds);
        if (problem == std::errc{} && end == value.data() + value.size()) {
            retry_ = std::clamp(std::chrono::milliseconds(milliseconds), retry_least, retry_most);
        }
    }
}

Result<void> SseParser::feed(std::string_view piece, const std::function<bool(const ServerEvent&)>& use) {
    while (!piece.empty()) {
        if (std::exchange(after_cr_, false) && piece.front() == '\n') {
            piece.remove_prefix(1);
            continue;
        }
        const std::size_t end = piece.find_first_of("\r\n");
        line_ += piece.substr(0, end);
        if (line_.size() > line_bytes_max || event_.data.size() > data_bytes_max) {
            return fail(Code::limit_exceeded, "stream", "event",
                        "is larger than any event may be; is this the daemon?");
        }
        if (end == std::string_view::npos) {
            return {};
        }
        after_cr_ = piece[end] == '\r';
        piece.remove_prefix(end + 1);
        const std::string line = std::exchange(line_, {});
        if (!line.empty()) {
            take_field(line);
            continue;
        }
        last_id_ = id_; // only now: an event that was cut off has to come again
        ServerEvent event = std::exchange(event_, {});
        if (!std::exchange(has_data_, false)) {
            continue;
        }
        event.id = last_id_;
        event.name = event.name.empty() ? "message" : event.name;
        if (!use(event)) {
            return {};
        }
    }
    return {};
}

} // namespace tocsin::cli
