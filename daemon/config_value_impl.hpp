// SPDX-License-Identifier: Apache-2.0
// What config_value.cpp and config_lists.cpp share.
#pragma once

#include "daemon/config_value.hpp"

namespace tocsin::daemon {

using Converted = std::expected<Value, std::string>;

std::unexpected<std::string> wrong(const RawValue& raw, std::string_view expected);
const std::string* text_of(const RawValue& raw); // null when it is no string

Converted to_strings(const Shape& shape, const RawValue& raw);
Converted to_fields(const RawValue& raw);
Converted to_map(const RawValue& raw);

} // namespace tocsin::daemon
