// SPDX-License-Identifier: Apache-2.0
// An origin as the strings of a chunk hold it: which numbers are there, the numbers, then three strings.
#pragma once

#include "core/event.hpp"

#include <string>
#include <string_view>

namespace tocsin::storage {

// Appends it.
void encode_origin(std::string& out, const Origin& origin);
// False where the bytes are not one.
bool decode_origin(std::string_view bytes, Origin& origin);

} // namespace tocsin::storage
