// SPDX-License-Identifier: Apache-2.0
#include "storage/archived_part.hpp"

#include "storage/block_build.hpp"

#include <algorithm>

namespace tocsin::storage {

namespace {

template <typename T> bool any_of(const std::vector<T>& wanted, const T& value) {
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

// A filter that asks for nothing but this dimension and the event time.
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
    case Dimension::severity:
        rest.severity.clear();
        rest.min_severity.reset();
        break;
    case Dimension::environment:
        rest.environment.clear();
        break;
    default:
        break;
    }
    return rest;
}

} // namespace

ArchivedPart::ArchivedPart(const Filter& filter, Dimension dimension, bool by_hour)
    : filter_(&filter), dimension_(dimension), by_hour_(by_hour), hours_(0, UINT32_MAX) {
    if (filter.since_us) {
        hours_.first = hour_of(*filter.since_us + hour_us - 1);
    }
    if (filter.until_us) {
        hours_.second = hour_of(*filter.until_us);
    }
}

std::optional<ArchivedPart> ArchivedPart::of(const Filter& filter, const std::vector<Dimension>& by) {
    const bool by_hour = by.size() == 2 && by.front() == Dimension::hour;
    if (by.empty() || (by.size() != 1 && !by_hour) || !is_archived(by.back()) || !without(filter, by.back()).empty()) {
        return std::nullopt;
    }
    return ArchivedPart(filter, by.back(), by_hour);
}

bool ArchivedPart::wants(std::string_view value) const {
    switch (dimension_) {
    case Dimension::name:
        return filter_->event_name.empty() ||
               std::ranges::any_of(filter_->event_name,
                                   [value](const NamePattern& name) { return name.matches(value); });
    case Dimension::source:
        return any_of(filter_->event_src, std::string(value));
    case Dimension::scid:
        return any_of(filter_->scid, read_number(value));
    case Dimension::severity: {
        const auto severity = static_cast<Severity>(value.empty() ? 0 : value.front());
        return any_of(filter_->severity, severity) && (!filter_->min_severity || severity >= *filter_->min_severity);
    }
    case Dimension::environment:
        return any_of(filter_->environment, std::string(value));
    default:
        return false;
    }
}

Result<void> ArchivedPart::add_to(const Txn& txn, Grouping& grouping) const {
    return each_archived(txn, dimension_, hours_,
                         [this, &grouping](std::uint32_t hour, std::string_view value, std::uint64_t sum) {
                             if (!wants(value)) {
                                 return;
                             }
                             Grouping::Key key;
                             if (by_hour_) {
                                 key.push_back(hour_value(hour));
                             }
                             key.emplace_back(value);
                             grouping.add(std::move(key), sum);
                         });
}

} // namespace tocsin::storage
