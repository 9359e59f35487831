// SPDX-License-Identifier: Apache-2.0
#include "core/statistics.hpp"

#include "core/limits.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace tocsin {

namespace {

constexpr std::array<std::string_view, 9> names = {"event_name",    "event_src",  "scid",     "severity", "environment",
                                                   "event_rule_id", "event_type", "event_id", "host"};
constexpr std::size_t keys_max = 3;

std::unexpected<Error> refused(std::string reason) {
    return fail(Code::invalid_argument, "statistics", "group_by", std::move(reason));
}

template <typename Number> std::optional<Number> number(std::string_view digits) {
    Number value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size() ? std::optional(value) : std::nullopt;
}

} // namespace

std::string_view to_string(GroupKey key) {
    return names[static_cast<std::size_t>(key)];
}

Result<std::vector<GroupKey>> parse_group_keys(const std::vector<std::string>& wanted) {
    if (wanted.empty() || wanted.size() > keys_max) {
        return refused("takes one to three of event_name, event_src, scid, severity, environment, event_rule_id, "
                       "event_type, event_id, host");
    }
    std::vector<GroupKey> out;
    for (const std::string& name : wanted) {
        const auto found = std::ranges::find(names, name);
        if (found == names.end()) {
            return refused("\"" + name.substr(0, limits::name_bytes) +
                           "\" is none of event_name, event_src, scid, severity, environment, event_rule_id, "
                           "event_type, event_id, host");
        }
        const auto key = static_cast<GroupKey>(found - names.begin());
        if (std::ranges::find(out, key) != out.end()) {
            return refused("names " + name + " twice");
        }
        out.push_back(key);
    }
    return out;
}

Result<std::int64_t> parse_day(std::string_view yyyymmdd) {
    namespace chrono = std::chrono;
    const bool digits =
        yyyymmdd.size() == 8 && std::ranges::all_of(yyyymmdd, [](char c) { return c >= '0' && c <= '9'; });
    const chrono::year_month_day date{chrono::year(digits ? *number<int>(yyyymmdd.substr(0, 4)) : 0),
                                      chrono::month(digits ? *number<unsigned>(yyyymmdd.substr(4, 2)) : 0),
                                      chrono::day(digits ? *number<unsigned>(yyyymmdd.substr(6, 2)) : 0)};
    if (!digits || !date.ok()) {
        return fail(Code::invalid_argument, "statistics", "yyyymmdd", "is no day; write it as 20260131");
    }
    return chrono::duration_cast<chrono::microseconds>(chrono::sys_days(date).time_since_epoch()).count();
}

} // namespace tocsin
