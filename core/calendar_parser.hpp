// SPDX-License-Identifier: Apache-2.0
// systemd calendar expressions as in systemd.time(7) ("Mon..Fri *-*-* 09:30:00", "*-02~1", "hourly", "@1893456000"),
// read into a CivilPattern. What systemd 252 takes is taken, and nothing else; the zone at the end is cut off before.
#pragma once

#include "core/civil_pattern.hpp"
#include "core/error.hpp"

#include <string_view>

namespace tocsin {

Result<CivilPattern> parse_calendar(std::string_view text);

} // namespace tocsin
