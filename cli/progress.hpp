// SPDX-License-Identifier: Apache-2.0
// One line on standard error that says how far a long verb is: on a terminal only, never for --json, a few times a
// second.
#pragma once

#include "cli/session.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::cli {

// "40.0 KiB", "1.2 GiB"
std::string size_text(std::uint64_t bytes);

class ProgressLine {
public:
    explicit ProgressLine(Session& session) : session_(session), began_(std::chrono::steady_clock::now()) {}
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(std::string_view text);
    void clear();
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count(); }

private:
    Session& session_;
    std::chrono::steady_clock::time_point began_;
    std::chrono::steady_clock::time_point shown_{};
    bool there_ = false;
};

} // namespace tocsin::cli
