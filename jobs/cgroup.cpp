// SPDX-License-Identifier: Apache-2.0
#include "jobs/cgroup.hpp"

#include "core/fd.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>

namespace tocsin::jobs {

namespace {

constexpr std::uint64_t v1_unlimited = std::uint64_t{1} << 62; // LONG_MAX cut to pages is above; no real limit is

std::string read_text(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> text{};
    const ssize_t size = file.valid() ? ::read(file.get(), text.data(), text.size()) : 0;
    return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

// A number that limits: "max", what is not there and version 1's largest do not.
bool limits(const std::string& path) {
    const std::string text = read_text(path);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && value < v1_unlimited;
}

// The path in the hierarchy of a controller ("" for version 2); lines are "ID:CONTROLLERS:PATH".
std::string_view path_in(std::string_view membership, std::string_view controller) {
    while (!membership.empty()) {
        const std::string_view line = membership.substr(0, membership.find('\n'));
        membership.remove_prefix(std::min(line.size() + 1, membership.size()));
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) {
            continue;
        }
        const std::string names = ',' + std::string(line.substr(first + 1, second - first - 1)) + ',';
        if (names.find(',' + std::string(controller) + ',') != std::string::npos) {
            return line.substr(second + 1);
        }
    }
    return {};
}

struct Controller {
    std::string_view name;
    std::string_view v1_file;
    std::string_view v2_file;
};

bool bound(const Controller& controller, std::string_view membership, const std::string& root) {
    const std::string v1(path_in(membership, controller.name));
    if (!v1.empty()) {
        return limits(root + '/' + std::string(controller.name) + v1 + '/' + std::string(controller.v1_file));
    }
    const std::string v2(path_in(membership, ""));
    return !v2.empty() && limits(root + v2 + '/' + std::string(controller.v2_file));
}

} // namespace

std::string unlimited_in(std::string_view membership, const std::string& root) {
    static constexpr std::array<Controller, 2> controllers{
        {{"memory", "memory.limit_in_bytes", "memory.max"}, {"pids", "pids.max", "pids.max"}}};
    std::string unlimited;
    for (const Controller& controller : controllers) {
        if (!bound(controller, membership, root)) {
            unlimited += (unlimited.empty() ? "" : " and ") + std::string(controller.name);
        }
    }
    return unlimited;
}

std::string unlimited_here() {
    const bool managed = std::getenv("INVOCATION_ID") != nullptr; // which the daemon does not pass on
    return managed ? unlimited_in(read_text("/proc/self/cgroup"), "/sys/fs/cgroup") : std::string();
}

} // namespace tocsin::jobs
