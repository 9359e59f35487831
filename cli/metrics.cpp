// SPDX-License-Identifier: Apache-2.0
#include "cli/metrics.hpp"

#include <charconv>
#include <optional>

namespace tocsin::cli {
namespace {

std::optional<std::uint64_t> read_count(std::string_view number) {
    number.remove_prefix(std::min(number.find_first_not_of(' '), number.size()));
    double count = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), count);
    return parsed.ec == std::errc{} && count >= 0 ? std::optional(static_cast<std::uint64_t>(count)) : std::nullopt;
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
    const auto count = read_count(line.substr(close + 1));
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

std::optional<std::uint64_t> plain_count(std::string_view metrics, std::string_view name) {
    const std::string start = std::string(name) + ' ';
    while (!metrics.empty()) {
        const std::string_view line = next_line(metrics);
        if (line.starts_with(start)) {
            return read_count(line.substr(start.size()));
        }
    }
    return std::nullopt;
}

} // namespace tocsin::cli
