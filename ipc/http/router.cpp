// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/router.hpp"

#include "ipc/http/problem.hpp"

#include <algorithm>
#include <optional>

namespace tocsin::ipc::http {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = text.find(separator);
        if (end != 0) {
            parts.push_back(text.substr(0, end));
        }
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return parts;
}

bool is_capture(std::string_view part) {
    return part.starts_with('{');
}
bool takes_rest(std::string_view part) {
    return part.ends_with("...}");
}

bool fits(const std::vector<std::string_view>& pattern, const std::vector<std::string>& segments) {
    const bool open = !pattern.empty() && takes_rest(pattern.back());
    if (open ? segments.size() < pattern.size() : segments.size() != pattern.size()) {
        return false;
    }
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (is_capture(pattern[i]) ? segments[i].empty() : pattern[i] != segments[i]) {
            return false;
        }
    }
    return true;
}

std::vector<std::string> captures(const std::vector<std::string_view>& pattern,
                                  const std::vector<std::string>& segments) {
    std::vector<std::string> captured;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (is_capture(pattern[i])) {
            const std::size_t end = takes_rest(pattern[i]) ? segments.size() : i + 1;
            captured.insert(captured.end(), segments.begin() + static_cast<std::ptrdiff_t>(i),
                            segments.begin() + static_cast<std::ptrdiff_t>(end));
        }
    }
    return captured;
}

} // namespace

Router::Router(const std::vector<std::span<const Route>>& tables) {
    for (const std::span<const Route> table : tables) {
        for (const Route& route : table) {
            entries_.push_back({&route, split(route.pattern, '/')});
        }
    }
}

Match Router::match(std::string_view method, const std::vector<std::string>& segments) const {
    const std::string_view wanted = method == "HEAD" ? "GET" : method;
    Match match;
    for (const Entry& entry : entries_) {
        if (!fits(entry.pattern, segments)) {
            continue;
        }
        if (entry.route->method == wanted) {
            match.route = entry.route;
            match.captured = captures(entry.pattern, segments);
            return match;
        }
        if (std::ranges::find(match.allow, entry.route->method) == match.allow.end()) {
            match.allow.push_back(entry.route->method);
            if (entry.route->method == "GET") {
                match.allow.emplace_back("HEAD");
            }
        }
    }
    return match;
}

Response refuse(const Route& route, const Error& error) {
    return route.refuse == nullptr ? problem(error) : route.refuse(error);
}

Result<void> check_parameters(const Route& route, const Parameters& parameters) {
    if (route.parameters == "*") {
        return {};
    }
    const auto names = split(route.parameters, ' ');
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const std::string& key = parameters[i].first;
        const auto named = [&key](std::string_view name) { return name.substr(0, name.find('+')) == key; };
        const auto name = std::ranges::find_if(names, named);
        if (name == names.end()) {
            return std::unexpected(bad_request(key, "is not a parameter of this route"));
        }
        if (name->ends_with('+')) {
            continue;
        }
        const auto same = [&key](const auto& other) { return other.first == key; };
        if (std::any_of(parameters.begin(), parameters.begin() + static_cast<std::ptrdiff_t>(i), same)) {
            return std::unexpected(bad_request(key, "is given twice"));
        }
    }
    return {};
}

} // namespace tocsin::ipc::http
