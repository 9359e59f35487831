// SPDX-License-Identifier: Apache-2.0
// Every time format that is taken in, the one that is given out, and the units of the configuration.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace tocsin {

// A stretch of time, [begin_us, end_us) in UTC, for which a zone's local clock is ahead of UTC by the same offset.
struct ZoneSpan {
    std::int64_t begin_us;
    std::int64_t end_us;
    std::int64_t offset_us;
};

// A time zone of the system's database, for times that come without one.
class Zone {
public:
    static Zone utc();
    static Result<Zone> find(std::string_view name); // "UTC", "Europe/Berlin"
    // A local civil time (µs since 1970-01-01T00:00 local) as UTC; the earlier one where it is ambiguous, the instant
    // of the change where it does not exist.
    std::int64_t to_utc_us(std::int64_t local_us) const;
    // The stretch around an instant (years 1900 to 2200).
    ZoneSpan span_at(std::int64_t utc_us) const;
    const std::string& name() const { return name_; }

private:
    std::string name_ = "UTC";
    const date::time_zone* zone_ = nullptr; // null is UTC
};

// RFC 3339 (any offset, "T" or " "); YYYY-MM-DD HH:MM:SS[.f] (or "T"), DD-Mon-YYYY HH:MM:SS[.f] in `zone`; digits.
Result<std::int64_t> parse_time_us(std::string_view text, const Zone& zone);

// Told apart by absolute size: < 1e11 s, < 1e14 ms, < 1e17 µs, else ns.
std::int64_t time_us_from_integer(std::int64_t value);

// "2026-01-02T03:00:04.000000Z"
std::string format_time(std::int64_t us);
void append_time(std::string& out, std::int64_t us);

// "500ms" "30s" "5m" "2h" "7d" "4w" "1y" (365 d), "5us", sums like "1h30m" (largest first); "0", "0s" are zero. µs.
Result<std::int64_t> parse_duration_us(std::string_view text);
std::string format_duration(std::int64_t us);

// "64K" "8M" "4G" "1T" (powers of 1024) or plain bytes.
Result<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

} // namespace tocsin
