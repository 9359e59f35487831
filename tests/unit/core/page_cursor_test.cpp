// SPDX-License-Identifier: Apache-2.0
#include "core/filter.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace tocsin {
namespace {

constexpr std::uint64_t filter_hash = 0xFEDCBA9876543210ULL;

PageCursor sample() {
    return PageCursor{.time_us = -5, .index = 1, .snapshot = 2, .filter_hash = filter_hash};
}

TEST(PageCursor, ComesBackWhole) {
    PageCursor cursor = sample();
    for (const std::int64_t time_us :
         {std::numeric_limits<std::int64_t>::min(), std::int64_t{0}, std::numeric_limits<std::int64_t>::max()}) {
        cursor.time_us = time_us;
        cursor.index = std::numeric_limits<std::uint64_t>::max();
        const Result<PageCursor> read = PageCursor::decode(cursor.encode(), filter_hash);
        ASSERT_TRUE(read) << read.error().detail();
        EXPECT_EQ(read->time_us, time_us);
        EXPECT_EQ(read->index, cursor.index);
        EXPECT_EQ(read->snapshot, 2U);
        EXPECT_EQ(read->filter_hash, filter_hash);
    }
}

TEST(PageCursor, IsSafeInAnAddress) {
    const std::string text = sample().encode();
    EXPECT_EQ(text.size(), 52U);
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
}

TEST(PageCursor, AnotherFilterIsRefused) {
    const Result<PageCursor> read = PageCursor::decode(sample().encode(), filter_hash + 1);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::invalid_argument);
    EXPECT_EQ(read.error().object, "cursor");
    EXPECT_NE(read.error().reason.find("another filter"), std::string::npos);
}

TEST(PageCursor, EveryChangedCharacterIsNoticed) {
    const std::string text = sample().encode();
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(PageCursor::decode(changed, filter_hash)) << i;
    }
}

TEST(PageCursor, OtherTextIsRefused) {
    const std::string text = sample().encode();
    for (const std::string& bad : {std::string(), std::string("nonsense"), text + "A", text.substr(1),
                                   std::string(52, '='), std::string(52, '\0')}) {
        const Result<PageCursor> read = PageCursor::decode(bad, filter_hash);
        ASSERT_FALSE(read) << bad;
        EXPECT_EQ(read.error().object, "cursor");
    }
}

} // namespace
} // namespace tocsin
