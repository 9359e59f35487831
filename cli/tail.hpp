// SPDX-License-Identifier: Apache-2.0
// The end of what a command printed, kept in bounded memory, as text that a beat's status can carry.
#pragma once

#include "core/limits.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace tocsin::cli {

class Tail {
public:
    void add(std::string_view bytes);
    // Valid UTF-8 without U+0000, at most `max` bytes, no white space around it. Bytes that are none are U+FFFD; "…" is
    // in front where something was before it.
    std::string text(std::size_t max) const;

private:
    static constexpr std::size_t kept_bytes = limits::status_bytes;
    std::string kept_{};
    bool cut_ = false;
};

} // namespace tocsin::cli
