// SPDX-License-Identifier: Apache-2.0
#include "core/secret.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tocsin {
namespace {

TEST(Secret, IsLongAndNeverTwice) {
    std::set<std::string> seen;
    for (int i = 0; i < 1'000; ++i) {
        const std::string secret = new_secret();
        EXPECT_TRUE(is_secret(secret));
        EXPECT_TRUE(seen.insert(secret).second);
    }
}

TEST(Secret, IsSixtyFourDigits) {
    EXPECT_TRUE(is_secret(std::string(64, 'a')));
    EXPECT_FALSE(is_secret(std::string(63, 'a')));
    EXPECT_FALSE(is_secret(std::string(64, 'A')));
}

TEST(Secret, OnlyTheWholeOneIsTheSame) {
    const std::string secret = new_secret();
    EXPECT_TRUE(same_secret(secret, std::string(secret)));
    for (std::size_t i = 0; i < secret.size(); ++i) {
        std::string other = secret;
        other[i] = other[i] == 'a' ? 'b' : 'a';
        EXPECT_FALSE(same_secret(secret, other)) << i;
    }
    EXPECT_FALSE(same_secret("", "")) << "who has none lets nobody in";
    EXPECT_FALSE(same_secret(secret, ""));
    EXPECT_FALSE(same_secret(secret, secret.substr(1)));
}

} // namespace
} // namespace tocsin
