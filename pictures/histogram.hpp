// SPDX-License-Identifier: Apache-2.0
// The day of an event name as a bar chart of 800 × 400, on a ground of its own, so that it can be read on light pages
// and dark ones. Needs a sans-serif font on the machine for its labels.
#pragma once

#include "core/error.hpp"
#include "core/ports.hpp"

#include <cstdint>
#include <string>

namespace tocsin::pictures {

inline constexpr int width = 800;
inline constexpr int height = 400;

struct Histogram {
    std::string event_name{};
    std::int64_t day_us = 0; // its start, UTC
    DayCounts counts{};
};

// The bytes of the file.
Result<std::string> draw(const Histogram& histogram, PictureFormat format);

// The scale of an axis from 0 to at least `most`: 2 to 6 steps of 1, 2 or 5 times a power of ten.
struct Scale {
    std::uint64_t step = 1;
    unsigned steps = 2;
};
Scale scale_of(std::uint64_t most);

} // namespace tocsin::pictures
