// SPDX-License-Identifier: Apache-2.0
#include "core/statistics.hpp"

#include <gmock/gmock.h>

namespace tocsin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(GroupKeys, OneToThreeDifferentOnes) {
    EXPECT_THAT(*parse_group_keys({"host", "scid"}), ElementsAre(GroupKey::host, GroupKey::scid));
    const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
        {{}, "one to three"},
        {{"host", "scid", "severity", "event_id"}, "one to three"},
        {{"summary"}, "\"summary\""},
        {{""}, "\"\""},
        {{"host", "host"}, "host twice"},
    };
    for (const auto& [names, reason] : wrong) {
        const auto refused = parse_group_keys(names);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::invalid_argument);
        EXPECT_THAT(refused.error().detail(), HasSubstr(reason));
        EXPECT_THAT(refused.error().detail(), HasSubstr("group_by"));
    }
}

TEST(Day, IsReadOrNamed) {
    EXPECT_EQ(*parse_day("19700101"), 0);
    EXPECT_EQ(*parse_day("20240229"), 1'709'164'800'000'000);
    for (const char* wrong : {"", "2024022", "202402299", "20230229", "20241301", "2024-2-1", "abcdefgh"}) {
        const auto refused = parse_day(wrong);
        ASSERT_FALSE(refused) << wrong;
        EXPECT_THAT(refused.error().detail(), HasSubstr("yyyymmdd"));
    }
}

} // namespace
} // namespace tocsin
