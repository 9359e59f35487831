// SPDX-License-Identifier: Apache-2.0
// Events per second over the last minute, from commits as they come: sixty buckets of one second, no timer. Time is
// boot time in µs.
#pragma once

#include <array>
#include <cstdint>

namespace tocsin::daemon {

class IntakeRate {
public:
    explicit IntakeRate(std::int64_t start_us) : start_us_(start_us) {}
    void add(std::int64_t now_us, std::uint64_t events);
    // While younger than a minute: over its age, at least one second.
    double per_second(std::int64_t now_us) const;

private:
    static constexpr std::int64_t seconds = 60;
    struct Bucket {
        std::int64_t second = -1;
        std::uint64_t events = 0;
    };
    std::int64_t start_us_;
    std::array<Bucket, seconds> buckets_{};
};

} // namespace tocsin::daemon
