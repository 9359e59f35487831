// SPDX-License-Identifier: Apache-2.0
// The time that a question asks for, cut into whole hours, which sealed blocks have counted when they were made, and
// what is left on either side of them, where rows must be looked at.
#pragma once

#include "storage/dictionary.hpp"
#include "storage/one_dimension.hpp"
#include "storage/sealed_filter.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace tocsin::storage {

class HourCut {
public:
    // None where no whole hour lies within what is asked. The filter must outlive this.
    static std::unique_ptr<HourCut> of(const Filter& filter, const OneDimension& dimension);
    HourCut(const HourCut&) = delete;
    HourCut& operator=(const HourCut&) = delete;

    const HourWindow& window() const { return window_; }
    // Rows on one side of the whole hours each; at most two.
    const std::vector<std::unique_ptr<SealedFilter>>& edges() const { return edges_; }

private:
    explicit HourCut(const Filter& filter) : before_(filter), after_(filter) {}

    HourWindow window_{};
    Filter before_;
    Filter after_;
    std::vector<std::unique_ptr<SealedFilter>> edges_{}; // of these
};

} // namespace tocsin::storage
