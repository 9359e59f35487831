// SPDX-License-Identifier: Apache-2.0
// The API monitor's words for severities and for what became of an alert, in both directions.
#pragma once

#include "core/event.hpp"

#include <optional>
#include <string_view>

namespace tocsin::ipc::http::compat {

// low, medium, high, critical (in any case), or a number from 0 to 1: from .9 critical, from .7 high, from .4 medium.
std::optional<Severity> severity_of(std::string_view word_or_number);
// low for info, medium for warning, high for error.
std::string_view word_of(Severity severity);
// What its word covers by number: 0, .4, .7, .9.
double least_of(Severity severity);

// open for pending and firing; what it had no word for (suppressed, escalated) is open, too: somebody has to look.
std::string_view status_of(std::string_view alert_state);
bool is_status(std::string_view word);

} // namespace tocsin::ipc::http::compat
