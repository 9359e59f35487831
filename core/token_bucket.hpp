// SPDX-License-Identifier: Apache-2.0
// A rate with a burst. What is taken may make a debt, so that something large is never impossible; while there is one,
// nothing more shall be taken. A debt is never more than the burst: what was taken while nobody minded is not paid for
// long. Time is boot time in µs.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tocsin {

class TokenBucket {
public:
    TokenBucket(std::uint64_t per_s, std::uint64_t burst, std::int64_t now_us)
        : per_s_(per_s), burst_us_(us_of(burst)), full_at_us_(now_us) {}

    void take(std::uint64_t tokens, std::int64_t now_us) {
        full_at_us_ = std::min(std::max(full_at_us_, now_us) + us_of(tokens), now_us + 2 * burst_us_);
    }
    // Until there is no debt; 0: there is none.
    std::int64_t wait_us(std::int64_t now_us) const {
        return std::max<std::int64_t>(0, full_at_us_ - burst_us_ - now_us);
    }
    // What was taken and has not come back yet, as the time that it takes.
    std::int64_t used_us(std::int64_t now_us) const { return std::max<std::int64_t>(0, full_at_us_ - now_us); }

private:
    std::int64_t us_of(std::uint64_t tokens) const { return static_cast<std::int64_t>(tokens * 1'000'000 / per_s_); }

    std::uint64_t per_s_;
    std::int64_t burst_us_;
    std::int64_t full_at_us_; // when it holds its burst again
};

} // namespace tocsin
