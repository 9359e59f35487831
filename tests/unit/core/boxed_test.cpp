// SPDX-License-Identifier: Apache-2.0
#include "core/boxed.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tocsin {
namespace {

TEST(Boxed, NothingTakesNoRoom) {
    EXPECT_EQ(sizeof(Boxed<std::string>), sizeof(void*));
    Boxed<std::string> text;
    EXPECT_TRUE(text.empty());
    EXPECT_EQ(*text, "");
    text = std::string("a");
    EXPECT_FALSE(text.empty());
    text = std::string();
    EXPECT_TRUE(text.empty()) << "the value that it has anyway is not kept";
    EXPECT_TRUE(Boxed<std::string>(std::string()).empty());
}

TEST(Boxed, CopiesAreTheirOwn) {
    Boxed<std::string> one(std::string("a"));
    Boxed<std::string> two = one;
    two.edit([](std::string& text) { text += "b"; });
    EXPECT_EQ(*one, "a");
    EXPECT_EQ(*two, "ab");
    EXPECT_NE(one, two);
    one = two;
    EXPECT_EQ(one, two);
    const Boxed<std::string>& same = one;
    one = same;
    EXPECT_EQ(*one, "ab");
    Boxed<std::string> moved = std::move(one);
    EXPECT_EQ(moved->size(), 2U);
}

TEST(Boxed, AnEditBackToNothingFreesIt) {
    Boxed<int> number;
    number.edit([](int& value) { value = 5; });
    EXPECT_EQ(*number, 5);
    number.edit([](int& value) { value = 0; });
    EXPECT_TRUE(number.empty());
    number = 7;
    number.clear();
    EXPECT_EQ(number, Boxed<int>());
}

} // namespace
} // namespace tocsin
