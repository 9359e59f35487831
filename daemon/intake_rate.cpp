// SPDX-License-Identifier: Apache-2.0
#include "daemon/intake_rate.hpp"

#include <algorithm>

namespace tocsin::daemon {

namespace {
constexpr std::int64_t second_us = 1'000'000;
}

void IntakeRate::add(std::int64_t now_us, std::uint64_t events) {
    const std::int64_t second = now_us / second_us;
    Bucket& bucket = buckets_[static_cast<std::size_t>(second % seconds)];
    if (bucket.second != second) {
        bucket = Bucket{.second = second, .events = 0};
    }
    bucket.events += events;
}

double IntakeRate::per_second(std::int64_t now_us) const {
    const std::int64_t now = now_us / second_us;
    std::uint64_t sum = 0;
    for (const Bucket& bucket : buckets_) {
        if (bucket.second > now - seconds && bucket.second <= now) {
            sum += bucket.events;
        }
    }
    const double age = static_cast<double>(now_us - start_us_) / second_us;
    return static_cast<double>(sum) / std::clamp(age, 1.0, static_cast<double>(seconds));
}

} // namespace tocsin::daemon
