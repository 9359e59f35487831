// SPDX-License-Identifier: Apache-2.0
// Sums of `count` over the log: by one to three fields, by hour and name, and a day of one name. Hours and days are
// UTC.
#pragma once

#include "core/error.hpp"
#include "core/filter.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

// What Totals groups by, as the fields are named.
enum class GroupKey : std::uint8_t {
    event_name,
    event_src,
    scid,
    severity,
    environment,
    event_rule_id,
    event_type,
    event_id,
    host,
};
std::string_view to_string(GroupKey key);

// One to three different keys; invalid_argument naming group_by.
Result<std::vector<GroupKey>> parse_group_keys(const std::vector<std::string>& names);

struct TotalsRow {
    std::vector<std::string> values{}; // one a key, as text; "" for an event_rule_id that is not set
    std::uint64_t count = 0;
    friend bool operator==(const TotalsRow&, const TotalsRow&) = default;
};
using Totals = std::vector<TotalsRow>; // largest count first, then by value

struct HourRow {
    std::int64_t hour_us = 0; // its start
    std::string event_name{};
    std::uint64_t count = 0;
    friend bool operator==(const HourRow&, const HourRow&) = default;
};
struct HourPage {
    std::vector<HourRow> rows{}; // by hour, then by name
    std::string next{};          // cursor; empty on the last page
};

using DayCounts = std::array<std::uint64_t, 24>;
// Start of the day, µs, of "yyyymmdd"; invalid_argument naming yyyymmdd.
Result<std::int64_t> parse_day(std::string_view yyyymmdd);

} // namespace tocsin
