// SPDX-License-Identifier: Apache-2.0
// A filter that asks for values of one dimension and for event time, and for nothing else: what sums by that dimension
// can answer without a look at rows.
#pragma once

#include "core/filter.hpp"
#include "storage/keys.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin::storage {

// The one value a filter leaves of a dimension, as dictionaries spell it; none where it leaves several or all.
std::optional<std::string> only_value(const Filter& filter, Dimension dimension);

class OneDimension {
public:
    // None where the filter asks for more. The filter must outlive this.
    static std::optional<OneDimension> of(const Filter& filter, Dimension dimension);
    Dimension dimension() const { return dimension_; }
    // Spelled as dictionaries do.
    bool wants(std::string_view value) const;
    // All values, and rows that have none.
    bool wants_all() const { return all_; }
    // The hours from ≤ hour < to that lie within since and until as a whole; from > to: none, and these are one hour.
    std::pair<std::uint32_t, std::uint32_t> whole_hours() const;

private:
    OneDimension(const Filter& filter, Dimension dimension, bool all)
        : filter_(&filter), dimension_(dimension), all_(all) {}
    const Filter* filter_;
    Dimension dimension_;
    bool all_;
};

} // namespace tocsin::storage
