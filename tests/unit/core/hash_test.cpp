// SPDX-License-Identifier: Apache-2.0
#include "core/hash.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tocsin {
namespace {

// These values are on disk (checksums, content hashes): they must never change.
TEST(Hash, IsXxh3With64Bits) {
    EXPECT_EQ(hash64(""), 0x2d06800538d394c2ULL);
    EXPECT_EQ(hash64("", 1), hash64("", 1));
    EXPECT_NE(hash64("", 1), hash64(""));
    EXPECT_NE(hash64("a"), hash64("b"));
}

TEST(Hash, MixingDependsOnTheOrder) {
    EXPECT_NE(hash_mix(1, 2), hash_mix(2, 1));
    EXPECT_EQ(hash_mix(1, 2), hash_mix(1, 2));
    EXPECT_EQ(hash_mix(0, 0), 0U);
}

TEST(Hash, MixingSpreadsSmallNumbers) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t a = 0; a < 100; ++a) {
        for (std::uint64_t b = 0; b < 100; ++b) {
            seen.insert(hash_mix(a, b));
        }
    }
    EXPECT_EQ(seen.size(), 10'000U);
}

TEST(Hash, TakesBytesThatAreNoText) {
    const std::string with_zero("a\0b", 3);
    EXPECT_NE(hash64(with_zero), hash64("a"));
}

} // namespace
} // namespace tocsin
