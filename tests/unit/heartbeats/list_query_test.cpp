// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/list_query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::heartbeats {
namespace {

ListQuery parsed(const ListFilter& filter) {
    const Result<ListQuery> query = parse_query(filter);
    EXPECT_TRUE(query) << (query ? "" : query.error().detail());
    return query.value_or(ListQuery{});
}

TEST(ListQuery, KeysAreEqualities) {
    Watch watch{.key = {"pump", 3}};
    watch.state = WatchState::late;
    EXPECT_TRUE(parsed({}).matches(watch));
    EXPECT_TRUE(parsed({{"source", {"x", "pump"}}, {"scid", {"3"}}, {"state", {"up", "late"}}}).matches(watch));
    EXPECT_FALSE(parsed({{"source", {"pum"}}}).matches(watch));
    EXPECT_FALSE(parsed({{"scid", {"-3"}}}).matches(watch));
    EXPECT_FALSE(parsed({{"state", {"new"}}}).matches(watch));
}

TEST(ListQuery, WrongOnesAreNamed) {
    const std::vector<std::pair<ListFilter, std::string>> wrong{
        {{{"sorce", {"x"}}}, "sorce"},     {{{"scid", {"x"}}}, "scid"},
        {{{"scid", {""}}}, "scid"},        {{{"scid", {"1 "}}}, "scid"},
        {{{"state", {"fresh"}}}, "state"}, {{{"source", std::vector<std::string>(101, "a")}}, "source"},
    };
    for (const auto& [filter, object] : wrong) {
        const Result<ListQuery> query = parse_query(filter);
        ASSERT_FALSE(query) << object;
        EXPECT_EQ(query.error().code, Code::invalid_argument);
        EXPECT_EQ(query.error().object, object);
    }
    EXPECT_THAT(parse_query({{"sorce", {"x"}}}).error().reason, testing::HasSubstr("\"source\""));
}

TEST(ListCursor, ComesBack) {
    const ListQuery query = parsed({{"source", {"b", "a"}}});
    const WatchKey key{"a", -7};
    EXPECT_EQ(decode_cursor(query, encode_cursor(query, key)).value(), key);
    EXPECT_EQ(decode_cursor(parsed({{"source", {"a", "b", "a"}}}), encode_cursor(query, key)).value(), key)
        << "the same question in another order";
}

TEST(ListCursor, BelongsToItsFilter) {
    const std::string cursor = encode_cursor(parsed({{"scid", {"1"}}}), {"a", 1});
    for (const ListFilter& other : {ListFilter{}, ListFilter{{"scid", {"2"}}}, ListFilter{{"source", {"1"}}}}) {
        const auto read = decode_cursor(parsed(other), cursor);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().object, "cursor");
        EXPECT_THAT(read.error().reason, testing::HasSubstr("another filter"));
    }
}

TEST(ListCursor, OtherTextIsRefused) {
    const ListQuery query;
    const std::string good = encode_cursor(query, {"a", 1});
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string changed = good;
        changed[i] = changed[i] == '0' ? '1' : '0';
        EXPECT_FALSE(decode_cursor(query, changed)) << i;
    }
    for (const std::string& bad : {std::string("nonsense"), std::string(1, '\0'), good + "00", good.substr(2),
                                   std::string(10'000, '0'), std::string(60, 'g')}) {
        const auto read = decode_cursor(query, bad);
        ASSERT_FALSE(read) << bad;
        EXPECT_EQ(read.error().code, Code::invalid_argument);
    }
}

} // namespace
} // namespace tocsin::heartbeats
