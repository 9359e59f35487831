// SPDX-License-Identifier: Apache-2.0
#include "storage/hour_cut.hpp"

#include <tuple>

namespace tocsin::storage {

std::unique_ptr<HourCut> HourCut::of(const Filter& filter, const OneDimension& dimension) {
    std::unique_ptr<HourCut> cut(new HourCut(filter));
    HourWindow& window = cut->window_;
    std::tie(window.from, window.to) = dimension.whole_hours();
    if (window.from >= window.to) {
        return nullptr;
    }
    window.part_before = filter.since_us && *filter.since_us % hour_us != 0;
    window.part_after = filter.until_us && *filter.until_us % hour_us != 0;
    if (window.part_before) {
        cut->before_.until_us = std::int64_t{window.from} * hour_us;
        cut->edges_.push_back(std::make_unique<SealedFilter>(cut->before_));
    }
    if (window.part_after) {
        cut->after_.since_us = std::int64_t{window.to} * hour_us;
        cut->edges_.push_back(std::make_unique<SealedFilter>(cut->after_));
    }
    return cut;
}

} // namespace tocsin::storage
