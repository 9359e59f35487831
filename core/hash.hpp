// SPDX-License-Identifier: Apache-2.0
// One hash for checksums, fingerprints and filter identities: XXH3, 64 bits (https://xxhash.com).
#pragma once

#include <cstdint>
#include <string_view>

namespace tocsin {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

// Order-dependent combination of two hashes.
std::uint64_t hash_mix(std::uint64_t a, std::uint64_t b);

} // namespace tocsin
