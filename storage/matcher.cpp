// SPDX-License-Identifier: Apache-2.0
#include "storage/matcher.hpp"

#include <algorithm>

namespace tocsin::storage {

namespace {
template <typename T> bool any(const std::vector<T>& wanted, const T& value) {
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

bool one_of(const std::vector<std::string>& wanted, std::string_view value) {
    return std::ranges::find(wanted, value) != wanted.end();
}
} // namespace

Matcher::Matcher(const Filter& filter)
    : filter_(filter),
      asks_{!filter.event_name.empty(), !filter.event_src.empty(), !filter.environment.empty(),
            !filter.event_id.empty(), !filter.host.empty()},
      needs_event_(filter.has_report || !filter.text.empty() || !filter.where.empty()) {
    for (std::size_t i = 0; i < severity_.size(); ++i) {
        const auto severity = static_cast<Severity>(i);
        severity_[i] = any(filter.severity, severity) && (!filter.min_severity || severity >= *filter.min_severity);
    }
    type_ = {any(filter.event_type, EventType::standard), any(filter.event_type, EventType::dataset)};
}

bool Matcher::numbers(const Columns& c, std::size_t at) const {
    const Filter& f = filter_;
    const std::uint32_t set = c.bits[at];
    return severity_[set & bits::severity_mask] && type_[(set & bits::dataset) != 0 ? 1 : 0] &&
           (!f.since_us || c.event_time_us[at] >= *f.since_us) && (!f.until_us || c.event_time_us[at] < *f.until_us) &&
           (!f.received_since_us || c.received_time_us[at] >= *f.received_since_us) &&
           (!f.received_until_us || c.received_time_us[at] < *f.received_until_us) && any(f.scid, c.scid[at]) &&
           (f.event_rule_id.empty() || ((set & bits::event_rule_id) != 0 && any(f.event_rule_id, c.event_rule_id[at])));
}

bool Matcher::holds(Field field, std::string_view value) const {
    switch (field) {
    case Field::name:
        return std::ranges::any_of(filter_.event_name,
                                   [value](const NamePattern& wanted) { return wanted.matches(value); });
    case Field::source:
        return one_of(filter_.event_src, value);
    case Field::environment:
        return one_of(filter_.environment, value);
    case Field::event_id:
        return one_of(filter_.event_id, value);
    case Field::host:
        return one_of(filter_.host, value);
    }
    return false;
}

bool Matcher::possible(const std::vector<std::string_view>& strings) const {
    return std::ranges::all_of(fields, [this, &strings](Field field) {
        return !asks(field) ||
               std::ranges::any_of(strings, [this, field](std::string_view s) { return holds(field, s); });
    });
}

} // namespace tocsin::storage
