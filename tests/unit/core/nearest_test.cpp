// SPDX-License-Identifier: Apache-2.0
#include "core/nearest.hpp"

#include <gtest/gtest.h>

#include <array>

namespace tocsin {
namespace {

constexpr std::array<std::string_view, 5> words{"severity", "min_severity", "event_name", "event_src", "scid"};

TEST(Nearest, FindsTypingMistakes) {
    EXPECT_EQ(nearest("sevrity", words), "severity");
    EXPECT_EQ(nearest("severitty", words), "severity");
    EXPECT_EQ(nearest("seveirty", words), "severity") << "two neighbours swapped is one edit";
    EXPECT_EQ(nearest("SCID", words), "scid") << "case is ignored";
    EXPECT_EQ(nearest("sid", words), "scid");
    EXPECT_EQ(nearest("eventname", words), "event_name");
}

TEST(Nearest, FarAwayIsNothing) {
    EXPECT_EQ(nearest("colour", words), "");
    EXPECT_EQ(nearest("", words), "");
    EXPECT_EQ(nearest("xx", words), "");
    EXPECT_EQ(nearest(std::string(10'000, 's'), words), "") << "bounded";
    EXPECT_EQ(nearest("scid", {}), "");
}

TEST(Nearest, SuggestionIsHalfASentence) {
    EXPECT_EQ(suggestion("sevrity", words), "; did you mean \"severity\"?");
    EXPECT_EQ(suggestion("colour", words), "");
}

} // namespace
} // namespace tocsin
