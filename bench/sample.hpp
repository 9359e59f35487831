// SPDX-License-Identifier: Apache-2.0
// The event that every benchmark sends: about 300 bytes of JSON, 12 fields, 200 names, 1,000 sources.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace bench {

inline std::string sample_event(std::uint64_t n) {
    return fmt::format(
        R"({{"event_name":"bench.name_{}","event_src":"detector_{}","scid":{},"severity":"{}",)"
        R"("event_rule_id":{},"event_rule":"FPA_VOLTAGE > 15","environment":"aws","event_type":"standard",)"
        R"("summary":"voltage of panel {} above its limit","count":1,)"
        R"("payload":{{"value":{}.5,"limit":15,"unit":"V","panel":{}}}}})",
        n % 200, n % 1000, n % 5000, n % 7 == 0 ? "error" : "info", n % 300, n % 64, n % 40, n % 64);
}

inline std::string sample_lines(std::uint64_t first, std::uint64_t count) {
    std::string lines;
    for (std::uint64_t i = 0; i < count; ++i) {
        lines += sample_event(first + i) + "\n";
    }
    return lines;
}

// A whole positive number, or nothing.
inline std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value > 0 ? std::optional(value) : std::nullopt;
}

} // namespace bench
