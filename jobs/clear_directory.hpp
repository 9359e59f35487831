// SPDX-License-Identifier: Apache-2.0
// Removes what is in a directory that a script may have filled: at any depth, with any modes, never through a symbolic
// link, in slices, with a few descriptors however deep it is.
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <string>

namespace tocsin::jobs {

// True when it is empty; false when `entries_max` were removed and there is more: call again.
Result<bool> clear_some(int directory, std::size_t entries_max);

// All of the directory and itself, for the products of one job, which are bounded. No error where it is not there.
Result<void> remove_directory(int parent, const std::string& name);

} // namespace tocsin::jobs
