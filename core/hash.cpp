// SPDX-License-Identifier: Apache-2.0
#include "core/hash.hpp"

#include <xxhash.h>

namespace tocsin {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

// The mixing step of MurmurHash3's finaliser over both values: stored hashes depend on it, so it never changes.
std::uint64_t hash_mix(std::uint64_t a, std::uint64_t b) {
    std::uint64_t mixed = a * 0x9e3779b97f4a7c15ULL + b;
    mixed ^= mixed >> 33U;
    mixed *= 0xff51afd7ed558ccdULL;
    mixed ^= mixed >> 33U;
    mixed *= 0xc4ceb9fe1a85ec53ULL;
    mixed ^= mixed >> 33U;
    return mixed;
}

} // namespace tocsin
