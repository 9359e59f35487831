// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/target.hpp"

#include <gtest/gtest.h>

namespace tocsin::ipc::http {
namespace {

std::vector<std::string> segments(std::string_view text) {
    const auto target = parse_target(text);
    return target ? target->segments : std::vector<std::string>{"(refused)"};
}

using Segments = std::vector<std::string>;

TEST(HttpTarget, SplitsBeforeDecoding) {
    EXPECT_EQ(segments("/"), Segments{});
    EXPECT_EQ(segments("/v1/events"), (Segments{"v1", "events"}));
    EXPECT_EQ(segments("/v1/events/"), (Segments{"v1", "events"}));
    EXPECT_EQ(segments("/v1/heartbeats/a%2Fb%2fc/start"), (Segments{"v1", "heartbeats", "a/b/c", "start"}));
    EXPECT_EQ(segments("/v1/heartbeats/%C3%A4+b"), (Segments{"v1", "heartbeats", "\xC3\xA4+b"}));
    EXPECT_EQ(segments("/a/../b/."), (Segments{"a", "..", "b", "."})) << "names, not directories";
}

TEST(HttpTarget, KeepsEmptySegmentsSoThatNoRouteFits) {
    EXPECT_EQ(segments("/v1//events"), (Segments{"v1", "", "events"}));
    EXPECT_EQ(segments("/v1/events//"), (Segments{"v1", "events", ""}));
}

TEST(HttpTarget, TakesTheAbsoluteForm) {
    EXPECT_EQ(segments("http://localhost/v1/events"), (Segments{"v1", "events"}));
    EXPECT_EQ(segments("http://localhost"), Segments{});
    EXPECT_EQ(segments("http://localhost?x=1"), Segments{"(refused)"});
}

TEST(HttpTarget, ReadsTheQuery) {
    const auto target = parse_target("/x?a=1&a=2&b=c%26d&&e&f=g=h&i=j+k%2B#part");
    ASSERT_TRUE(target);
    const Parameters expected = {{"a", "1"}, {"a", "2"}, {"b", "c&d"}, {"e", ""}, {"f", "g=h"}, {"i", "j k+"}};
    EXPECT_EQ(target->parameters, expected);
}

TEST(HttpTarget, TakesWhatPeopleTypeIntoAShell) {
    const auto target = parse_target("/x?where=severity>=\"error\"|{}");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->parameters.front().second, "severity>=\"error\"|{}");
}

TEST(HttpTarget, RefusesWhatCannotBeDecoded) {
    for (const std::string_view text :
         {"", "v1", "*", "/%", "/%4", "/%zz", "/%00", "/%ff", "/x?a=%", "/x?a=%g1", "/x?%00=1", "/x?a=%C3"}) {
        const auto target = parse_target(text);
        ASSERT_FALSE(target) << text;
        EXPECT_EQ(target.error().code, Code::invalid_argument) << text;
    }
    EXPECT_FALSE(parse_target("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"));
    std::string many = "/x?";
    for (int i = 0; i < 1'001; ++i) {
        many += "a&";
    }
    EXPECT_FALSE(parse_target(many));
}

TEST(HttpTarget, EncodesWhatItReadsBack) {
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encode("a b/c&d=\xC3\xA4"), "a%20b%2Fc%26d%3D%C3%A4");
    const auto target = parse_target("/x?a=" + percent_encode("% +&=#\"\n\xC3\xA4"));
    ASSERT_TRUE(target);
    EXPECT_EQ(target->parameters.front().second, "% +&=#\"\n\xC3\xA4");
}

} // namespace
} // namespace tocsin::ipc::http
