// SPDX-License-Identifier: Apache-2.0
// "Did you mean …?": the candidate that is nearest to a mistyped word by edit distance (Damerau-Levenshtein with
// adjacent swaps, case ignored), and the half sentence that error messages add. Words are bounded; nothing near gives
// nothing.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tocsin {

// Empty when nothing is near enough (a third of the word's length, at least 1 and at most 4 edits).
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// `; did you mean "event_name"?`, or empty.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

} // namespace tocsin
