// SPDX-License-Identifier: Apache-2.0
#include "core/scalar.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(Scalar, EveryKindHasAName) {
    EXPECT_EQ(kind_of(std::monostate{}), "null");
    EXPECT_EQ(kind_of(true), "a boolean");
    EXPECT_EQ(kind_of(std::int64_t{-1}), "an integer");
    EXPECT_EQ(kind_of(std::uint64_t{1}), "an integer");
    EXPECT_EQ(kind_of(std::uint32_t{1}), "an integer");
    EXPECT_EQ(kind_of(1.5), "a real number");
    EXPECT_EQ(kind_of(std::string_view("x")), "a string");
    EXPECT_EQ(kind_of(RawJson{"{}"}), "an object");
    EXPECT_EQ(kind_of(RawJson{"[1]"}), "an array");
    EXPECT_EQ(kind_of(TimeUs{0}), "a time");
    EXPECT_EQ(kind_of(TimesUs{}), "an array");
}

} // namespace
} // namespace tocsin
