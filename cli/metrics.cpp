// SPDX-License-Identifier: Apache-2.0
#include "cli/metrics.hpp"

#include <charconv>
#include <optional>

namespace tocsin::cli {
namespace {

std::optional<double> read_number(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    double number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    return parsed.ec == std::errc{} && number >= 0 ? std::optional(number) : std::nullopt;
}

std::optional<std::uint64_t> whole(std::optional<double> number) {
    return number ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

// Of the text; what is left of it stays in `metrics`.
std::string_view next_line(std::string_view& metrics) {
    const std::size_t end = metrics.find('\n');
    const std::string_view line = metrics.substr(0, end);
    metrics.remove_prefix(end == std::string_view::npos ? metrics.size() : end + 1);
    return line;
}

// name{…,label="value",…} 12
std::optional<std::pair<std::string, std::uint64_t>> read_line(std::string_view line, std::string_view label) {
    const std::size_t close = line.find('}');
    const std::string wanted = std::string(label) + "=\"";
    const std::size_t begin = line.find(wanted);
    if (close == std::string_view::npos || begin == std::string_view::npos || begin > close) {
        return std::nullopt;
    }
    const std::string_view value = line.substr(begin + wanted.size());
    const std::size_t end = value.find('"');
    const auto count = whole(read_number(line.substr(close + 1)));
    if (end == std::string_view::npos || !count) {
        return std::nullopt;
    }
    return std::pair(std::string(value.substr(0, end)), *count);
}

} // namespace

LabelledCounts labelled_counts(std::string_view metrics, std::string_view name, std::string_view label) {
    LabelledCounts counts;
    const std::string start = std::string(name) + '{';
    while (!metrics.empty()) {
        const std::string_view line = next_line(metrics);
        if (!line.starts_with(start)) {
            continue;
        }
        if (auto count = read_line(line, label)) {
            counts.push_back(std::move(*count));
        }
    }
    return counts;
}

std::optional<double> plain_number(std::string_view metrics, std::string_view name) {
    const std::string start = std::string(name) + ' ';
    while (!metrics.empty()) {
        const std::string_view line = next_line(metrics);
        if (line.starts_with(start)) {
            return read_number(line.substr(start.size()));
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> plain_count(std::string_view metrics, std::string_view name) {
    return whole(plain_number(metrics, name));
}

} // namespace tocsin::cli
