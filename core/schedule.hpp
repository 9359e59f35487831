// SPDX-License-Identifier: Apache-2.0
// When something that happens by the calendar is expected: five cron fields ("0 3 * * *", names and steps as in
// crontab(5), @hourly … @yearly), else a systemd calendar expression as in systemd.time(7) ("Mon..Fri *-*-* 09:30:00"),
// in a time zone. Slots are computed on the zone's local clock and given in UTC, through daylight changes.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

class Schedule {
public:
    // `zone` is an IANA name; empty means UTC. A calendar expression may end with a zone of its own; then `zone` must
    // be empty or the same. invalid_argument names what is wrong and where.
    static Result<std::shared_ptr<const Schedule>> parse(std::string_view expression, std::string_view zone);

    virtual ~Schedule() = default;
    virtual const std::string& expression() const = 0; // as it was given
    virtual const std::string& zone() const = 0;       // never empty
    // The first slot after `wall_us`, and the last one at or before it; µs since the epoch, UTC. nullopt: there is none
    // (years 1970 to 2199 are looked at).
    virtual std::optional<std::int64_t> next_after(std::int64_t wall_us) const = 0;
    virtual std::optional<std::int64_t> last_until(std::int64_t wall_us) const = 0;
};

} // namespace tocsin
