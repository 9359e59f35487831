// SPDX-License-Identifier: Apache-2.0
#include "storage/value_sums.hpp"

#include <algorithm>
#include <iterator>

namespace tocsin::storage {

void ValueSums::add(std::string_view value, std::uint64_t count) {
    while (at_ < sums_.size() && sums_[at_].first < value) {
        ++at_;
    }
    if (at_ < sums_.size() && sums_[at_].first == value) {
        sums_[at_++].second += count;
    } else {
        fresh_.emplace_back(value, count);
    }
}

void ValueSums::end() {
    if (fresh_.empty()) {
        return;
    }
    const auto middle = static_cast<std::ptrdiff_t>(sums_.size());
    std::ranges::move(fresh_, std::back_inserter(sums_));
    std::ranges::inplace_merge(sums_, sums_.begin() + middle, {},
                               [](const auto& sum) -> const std::string& { return sum.first; });
    fresh_.clear();
}

} // namespace tocsin::storage
