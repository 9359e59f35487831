// SPDX-License-Identifier: Apache-2.0
// How often runs begin: some at once, then one a gap, on average. Times are of a clock that never steps back, in µs.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tocsin::jobs {

class Pace {
public:
    struct Limits {
        std::int64_t gap_us = 0; // on average, from one beginning to the next; 0: no limit
        unsigned burst = 1;      // as many begin at once after a quiet time
    };
    explicit Pace(const Limits& limits) : limits_(limits) {}

    // What was waited for under other limits is over.
    void set(const Limits& limits) { *this = Pace(limits); }
    // From when on the next may begin.
    std::int64_t due_us() const { return next_us_; }
    void begin(std::int64_t now_us) {
        const std::int64_t saved_us = limits_.gap_us * (std::max(1U, limits_.burst) - 1);
        next_us_ = std::max(next_us_, now_us - saved_us) + limits_.gap_us;
    }

private:
    Limits limits_;
    std::int64_t next_us_ = INT64_MIN;
};

} // namespace tocsin::jobs
