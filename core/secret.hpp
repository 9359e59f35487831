// SPDX-License-Identifier: Apache-2.0
// Secrets that the daemon gives away: random bits of the kernel's, and how they are compared.
#pragma once

#include <string>
#include <string_view>

namespace tocsin {

// 256 random bits as 64 hexadecimal digits.
std::string new_secret();
// Whether new_secret() could have made it.
bool is_secret(std::string_view text);
// In a time that does not depend on where they differ. False where either is empty.
bool same_secret(std::string_view one, std::string_view other);

} // namespace tocsin
