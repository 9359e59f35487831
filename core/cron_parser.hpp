// SPDX-License-Identifier: Apache-2.0
// Five cron fields as in crontab(5) (minute, hour, day of month, month, day of week; lists, ranges, steps, names) and
// the @daily family, read into a CivilPattern.
#pragma once

#include "core/civil_pattern.hpp"
#include "core/error.hpp"

#include <string_view>

namespace tocsin {

struct CronSchedule {
    CivilPattern pattern;
    // Neither minute nor hour begins with "*": such a job is not lost in a daylight gap and not repeated after one.
    bool fixed_time = false;
};

// `text` begins with "@" or has five fields.
Result<CronSchedule> parse_cron(std::string_view text);

} // namespace tocsin
