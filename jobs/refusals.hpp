// SPDX-License-Identifier: Apache-2.0
// What callers are told in the same words wherever they ask.
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace tocsin::jobs {

inline constexpr std::size_t after_max = 16; // actions that wait for one change of a job

inline std::unexpected<Error> stopping() {
    return fail(Code::unavailable, "jobs", "", "the daemon is stopping; try again when it is back");
}

inline std::unexpected<Error> too_busy(std::uint64_t id) {
    return fail(Code::limit_exceeded, "jobs", "job " + std::to_string(id),
                "too many requests for this job; try again later");
}

} // namespace tocsin::jobs
