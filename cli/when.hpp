// SPDX-License-Identifier: Apache-2.0
// Times as people say them, in the local zone: now, today, yesterday, tomorrow, -1h, +30m, "2h ago", 2h (ago), "1 hour
// 30 minutes ago", 2026-01-31, "2026-01-31 10:00", 10:00, "yesterday 10:00", @EPOCH; a zone may stand behind a date or
// clock. They become RFC 3339 here; every other text goes to the daemon as it is, which knows the rest. And instants as
// people read them.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::cli {

// µs since the epoch; nullopt when it is not one of the forms above. Days begin at local midnight. A month is 30.4375
// days, a year 365.
std::optional<std::int64_t> spoken_time_us(std::string_view text, std::int64_t now_us);
// What the daemon is given.
std::string time_for_daemon(std::string_view text, std::int64_t now_us);

// "2026-01-02 03:00:04.123+01:00" in the local zone, or "…Z".
std::string show_time_us(std::int64_t us, bool utc);
// The same of RFC 3339 text; text that is none is given back as it is.
std::string show_time(std::string_view rfc3339, bool utc);
// "Jan 02 03:00:04", as journalctl has it.
std::string show_short_time(std::string_view rfc3339, bool utc);
// "2m 3s", "5h 12m", "3d 4h": two units, for ages.
std::string show_age_us(std::int64_t us);

} // namespace tocsin::cli
