// SPDX-License-Identifier: Apache-2.0
// The little of the Prometheus text format that `status` and `doctor` need: the values of one metric by one label, or
// the only one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::cli {

using LabelledCounts = std::vector<std::pair<std::string, std::uint64_t>>;

// In the order of the text; lines of other metrics, without the label or with a value that is no number are skipped.
LabelledCounts labelled_counts(std::string_view metrics, std::string_view name, std::string_view label);
// Of a metric without labels; nullopt when there is none, or it is no number ≥ 0.
std::optional<double> plain_number(std::string_view metrics, std::string_view name);
// … in whole numbers.
std::optional<std::uint64_t> plain_count(std::string_view metrics, std::string_view name);

} // namespace tocsin::cli
