// SPDX-License-Identifier: Apache-2.0
#include "storage/archived_part.hpp"

#include "storage/block_build.hpp"

namespace tocsin::storage {

std::optional<ArchivedPart> ArchivedPart::of(const Filter& filter, const std::vector<Dimension>& by) {
    const bool by_hour = by.size() == 2 && by.front() == Dimension::hour;
    if (by.empty() || (by.size() != 1 && !by_hour) || !is_archived(by.back())) {
        return std::nullopt;
    }
    const auto one = OneDimension::of(filter, by.back());
    return one ? std::optional(ArchivedPart(*one, by_hour)) : std::nullopt;
}

Result<void> ArchivedPart::add_to(const Txn& txn, Grouping& grouping) const {
    return each_archived(txn, one_.dimension(), one_.whole_hours(),
                         [this, &grouping](std::uint32_t hour, std::string_view value, std::uint64_t sum) {
                             if (!one_.wants(value)) {
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
