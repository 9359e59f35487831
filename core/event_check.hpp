// SPDX-License-Identifier: Apache-2.0
// Private to core: what is checked of an event when all its fields are there.
#pragma once

#include "core/event.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

// Where the event names a declared dataset: its payload has exactly the declared keys with values of their types. Where
// it names an undeclared one: taken, unless rules.datasets_strict. Both errors name the field they are about.
std::vector<FieldError> dataset_problems(const Event& event, const IntakeRules& rules);

// Of everything that the sender said, after normalisation; the time counts only when it was given.
std::uint64_t content_hash_of(const Event& event, bool time_given);

} // namespace tocsin
