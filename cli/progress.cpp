// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <fmt/format.h>

#include <array>

namespace tocsin::cli {
namespace {

constexpr std::chrono::milliseconds shown_every{200};

} // namespace

std::string size_text(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 5> units{"KiB", "MiB", "GiB", "TiB", "PiB"};
    constexpr double step = 1'024;
    double size = static_cast<double>(bytes) / step;
    std::size_t unit = 0;
    while (size >= step && unit + 1 < units.size()) {
        size /= step;
        ++unit;
    }
    return fmt::format("{:.1f} {}", size, units.at(unit));
}

void ProgressLine::show(std::string_view text) {
    const auto now = std::chrono::steady_clock::now();
    if (!session_.err.terminal || session_.json() || now - shown_ < shown_every) {
        return;
    }
    shown_ = now;
    there_ = true;
    session_.err.write(fmt::format("\r{}\x1b[K", text));
    session_.err.flush();
}

void ProgressLine::clear() {
    if (there_) {
        session_.err.write("\r\x1b[K");
        session_.err.flush();
        there_ = false;
    }
}

} // namespace tocsin::cli
