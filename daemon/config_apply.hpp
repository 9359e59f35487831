// SPDX-License-Identifier: Apache-2.0
// Walks what a source says along the table: known keys are converted and set, everything else becomes a problem that
// names file, line, column and the nearest known key. Goes on after a problem, so that all of them are told.
#pragma once

#include "daemon/config.hpp"
#include "daemon/config_raw.hpp"

#include <string>
#include <string_view>

namespace tocsin::daemon {

// A file: sections, keys and arrays of tables. What an earlier source set is overridden; entries of arrays with the
// same name replace those of earlier files.
void apply_document(Loaded& loaded, const RawDocument& document);

// One key from the environment or the command line; the value is text.
void apply_text(Loaded& loaded, std::string_view key, std::string_view text, const Place& place);

// What was set but has nothing behind it. Once, after every source.
void add_warnings(Loaded& loaded);

} // namespace tocsin::daemon
