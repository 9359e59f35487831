// SPDX-License-Identifier: Apache-2.0
#include "core/token_bucket.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

constexpr std::int64_t second = 1'000'000;

TEST(TokenBucket, GivesABurstThenItsRate) {
    TokenBucket bucket(100, 200, 0);
    bucket.take(200, 0);
    EXPECT_EQ(bucket.wait_us(0), 0) << "a burst is no debt";
    bucket.take(50, 0);
    EXPECT_EQ(bucket.wait_us(0), second / 2);
    EXPECT_EQ(bucket.wait_us(second / 4), second / 4);
    EXPECT_EQ(bucket.wait_us(second), 0);
    EXPECT_EQ(bucket.used_us(second), 3 * second / 2);
    EXPECT_EQ(bucket.used_us(10 * second), 0);
}

TEST(TokenBucket, SomethingLargeMakesABoundedDebt) {
    TokenBucket bucket(100, 200, 0);
    for (int i = 0; i < 100; ++i) {
        bucket.take(1'000'000, 0);
    }
    EXPECT_EQ(bucket.wait_us(0), 2 * second);
}

TEST(TokenBucket, HoldsNoMoreThanItsBurstAfterALongTime) {
    TokenBucket bucket(100, 200, 0);
    bucket.take(300, 1'000 * second);
    EXPECT_EQ(bucket.wait_us(1'000 * second), second);
}

} // namespace
} // namespace tocsin
