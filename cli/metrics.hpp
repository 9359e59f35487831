// SPDX-License-Identifier: Apache-2.0
// The little of the Prometheus text format that `status` needs: the values of one metric by one label.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::cli {

using LabelledCounts = std::vector<std::pair<std::string, std::uint64_t>>;

// In the order of the text; lines of other metrics, without the label or with a value that is no number are skipped.
LabelledCounts labelled_counts(std::string_view metrics, std::string_view name, std::string_view label);

} // namespace tocsin::cli
