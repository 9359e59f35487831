// SPDX-License-Identifier: Apache-2.0
// The part of a count that expired events are. The archive has single dimensions by the hour: it answers where filter
// and groups are of one of them, and takes the hours that lie within since and until as a whole.
#pragma once

#include "core/filter.hpp"
#include "storage/archive.hpp"
#include "storage/grouping.hpp"
#include "storage/one_dimension.hpp"

#include <optional>
#include <vector>

namespace tocsin::storage {

class ArchivedPart {
public:
    // By one dimension, or by the hour and one. None where the archive does not know.
    static std::optional<ArchivedPart> of(const Filter& filter, const std::vector<Dimension>& by);
    Result<void> add_to(const Txn& txn, Grouping& grouping) const;

private:
    ArchivedPart(const OneDimension& one, bool by_hour) : one_(one), by_hour_(by_hour) {}

    OneDimension one_; // of the question's filter, which outlives this
    bool by_hour_;
};

} // namespace tocsin::storage
