// SPDX-License-Identifier: Apache-2.0
// Lets a test ask the schedules: reads lines "base_us TAB zone TAB expression TAB n", writes for each either "ok" and
// up to n slots after the base, or "error" and why.
#include "core/schedule.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>
#include <string>

namespace {

std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string answer(const std::array<std::string_view, 4>& parts) {
    const auto schedule = tocsin::Schedule::parse(parts[2], parts[1]);
    if (!schedule) {
        return "error\t" + schedule.error().detail();
    }
    std::string out = "ok";
    std::optional<std::int64_t> at = number(parts[0]);
    for (std::int64_t left = number(parts[3]); left > 0; --left) {
        at = (*schedule)->next_after(*at);
        if (!at) {
            break;
        }
        out += "\t" + std::to_string(*at);
    }
    return out;
}

} // namespace

int main() {
    std::string line;
    while (std::getline(std::cin, line)) {
        std::array<std::string_view, 4> parts;
        std::string_view rest = line;
        for (std::string_view& part : parts) {
            part = rest.substr(0, rest.find('\t'));
            rest.remove_prefix(std::min(rest.size(), part.size() + 1));
        }
        std::cout << answer(parts) << '\n';
    }
    return 0;
}
