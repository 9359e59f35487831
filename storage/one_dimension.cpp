// SPDX-License-Identifier: Apache-2.0
#include "storage/one_dimension.hpp"

#include "storage/block_build.hpp"

#include <algorithm>

namespace tocsin::storage {

namespace {

template <typename T, typename U> bool any_of(const std::vector<T>& wanted, const U& value) {
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

// Nothing of event time nor of this dimension.
Filter without(const Filter& filter, Dimension dimension) {
    Filter rest = filter;
    rest.since_us.reset();
    rest.until_us.reset();
    switch (dimension) {
    case Dimension::name:
        rest.event_name.clear();
        break;
    case Dimension::source:
        rest.event_src.clear();
        break;
    case Dimension::scid:
        rest.scid.clear();
        break;
    case Dimension::rule:
        rest.event_rule_id.clear();
        break;
    case Dimension::severity:
        rest.severity.clear();
        rest.min_severity.reset();
        break;
    case Dimension::environment:
        rest.environment.clear();
        break;
    case Dimension::type:
        rest.event_type.clear();
        break;
    case Dimension::dataset:
        rest.event_id.clear();
        break;
    case Dimension::host:
        rest.host.clear();
        break;
    case Dimension::script:
    case Dimension::hour:
    case Dimension::uid:
        break;
    }
    return rest;
}

template <typename T, typename Spell>
std::optional<std::string> only(const std::vector<T>& wanted, const Spell& spell) {
    return wanted.size() == 1 ? std::optional<std::string>(spell(wanted.front())) : std::nullopt;
}

std::string as_it_is(const std::string& text) {
    return text;
}

} // namespace

std::optional<std::string> only_value(const Filter& filter, Dimension dimension) {
    switch (dimension) {
    case Dimension::name:
        return filter.event_name.size() == 1 && !filter.event_name.front().prefix
                   ? std::optional(filter.event_name.front().text)
                   : std::nullopt;
    case Dimension::source:
        return only(filter.event_src, as_it_is);
    case Dimension::scid:
        return only(filter.scid, number_value);
    case Dimension::rule:
        return only(filter.event_rule_id, number_value);
    case Dimension::severity:
        return only(filter.severity, [](Severity one) { return small_value(static_cast<std::uint8_t>(one)); });
    case Dimension::environment:
        return only(filter.environment, as_it_is);
    case Dimension::type:
        return only(filter.event_type, [](EventType one) { return small_value(static_cast<std::uint8_t>(one)); });
    case Dimension::dataset:
        return only(filter.event_id, as_it_is);
    case Dimension::host:
        return only(filter.host, as_it_is);
    case Dimension::script:
    case Dimension::hour:
    case Dimension::uid:
        break;
    }
    return std::nullopt;
}

std::optional<OneDimension> OneDimension::of(const Filter& filter, Dimension dimension) {
    if (!without(filter, dimension).empty()) {
        return std::nullopt;
    }
    Filter timeless = filter;
    timeless.since_us.reset();
    timeless.until_us.reset();
    return OneDimension(filter, dimension, timeless.empty());
}

bool OneDimension::wants(std::string_view value) const {
    if (all_) {
        return true;
    }
    switch (dimension_) {
    case Dimension::name:
        return std::ranges::any_of(filter_->event_name,
                                   [value](const NamePattern& name) { return name.matches(value); });
    case Dimension::source:
        return any_of(filter_->event_src, value);
    case Dimension::scid:
        return any_of(filter_->scid, read_number(value));
    case Dimension::rule:
        return any_of(filter_->event_rule_id, read_number(value));
    case Dimension::severity: {
        const auto severity = static_cast<Severity>(value.empty() ? 0 : value.front());
        return any_of(filter_->severity, severity) && (!filter_->min_severity || severity >= *filter_->min_severity);
    }
    case Dimension::environment:
        return any_of(filter_->environment, value);
    case Dimension::type:
        return any_of(filter_->event_type, static_cast<EventType>(value.empty() ? 0 : value.front()));
    case Dimension::dataset:
        return any_of(filter_->event_id, value);
    case Dimension::host:
        return any_of(filter_->host, value);
    case Dimension::script:
    case Dimension::hour:
    case Dimension::uid:
        break;
    }
    return false;
}

std::pair<std::uint32_t, std::uint32_t> OneDimension::whole_hours() const {
    std::pair<std::uint32_t, std::uint32_t> hours(0, UINT32_MAX);
    if (filter_->since_us) {
        hours.first = hour_of(*filter_->since_us + hour_us - 1);
    }
    if (filter_->until_us) {
        hours.second = hour_of(*filter_->until_us);
    }
    return hours;
}

} // namespace tocsin::storage
