// SPDX-License-Identifier: Apache-2.0
#include "cli/sse.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tocsin::cli {
namespace {

std::vector<ServerEvent> feed(SseParser& parser, std::string_view text, std::size_t piece = std::string_view::npos) {
    std::vector<ServerEvent> events;
    while (!text.empty()) {
        const auto taken = parser.feed(text.substr(0, piece), [&events](const ServerEvent& event) {
            events.push_back(event);
            return true;
        });
        EXPECT_TRUE(taken.has_value());
        text.remove_prefix(std::min(piece, text.size()));
    }
    return events;
}

constexpr std::string_view sample = "retry: 2500\n: store abc\n\nid: 17\nevent: event\ndata: {\"a\":1}\n\n"
                                    ": still here\n\nevent: gap\ndata: {\"after\":12}\n\n";

TEST(Sse, ReadsEventsHoweverTheyAreCut) {
    for (std::size_t piece = 1; piece <= sample.size(); ++piece) {
        SseParser parser;
        const auto events = feed(parser, sample, piece);
        ASSERT_EQ(events.size(), 2U) << piece;
        EXPECT_EQ(events[0].name, "event");
        EXPECT_EQ(events[0].data, "{\"a\":1}");
        EXPECT_EQ(events[0].id, "17");
        EXPECT_EQ(events[1].name, "gap");
        EXPECT_EQ(events[1].id, "17");
        EXPECT_EQ(parser.last_id(), "17");
        EXPECT_EQ(parser.retry().count(), 2'500);
    }
}

TEST(Sse, TakesEveryLineEnd) {
    for (std::size_t piece = 1; piece < 20; ++piece) {
        SseParser parser;
        const auto events = feed(parser, "data: a\r\ndata: b\r\n\r\ndata: c\r\rdata: d\n\n", piece);
        ASSERT_EQ(events.size(), 3U) << piece;
        EXPECT_EQ(events[0].data, "a\nb");
        EXPECT_EQ(events[1].data, "c");
        EXPECT_EQ(events[2].data, "d");
    }
}

TEST(Sse, FollowsTheRulesForFields) {
    SseParser parser;
    const auto events = feed(parser, "data\n\ndata:no space\n\ndata:  two\nunknown: x\n\nevent: only\n\nid: 5\n\n");
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].data, "");
    EXPECT_EQ(events[0].name, "message");
    EXPECT_EQ(events[1].data, "no space");
    EXPECT_EQ(events[2].data, " two");
    EXPECT_EQ(parser.last_id(), "5");
}

TEST(Sse, BoundsTheWait) {
    SseParser parser;
    EXPECT_EQ(parser.retry().count(), 2'000);
    feed(parser, "retry: 1\n");
    EXPECT_EQ(parser.retry(), SseParser::retry_least);
    feed(parser, "retry: 99999999\n");
    EXPECT_EQ(parser.retry(), SseParser::retry_most);
    feed(parser, "retry: 3000\nretry: x\nretry: 99999999999999\nretry:\n");
    EXPECT_EQ(parser.retry().count(), 3'000);
}

TEST(Sse, ANewConnectionForgetsTheUnfinished) {
    SseParser parser;
    feed(parser, "id: 3\ndata: x\n\ndata: half");
    parser.restart();
    const auto events = feed(parser, "data: whole\n\n");
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].data, "whole");
    EXPECT_EQ(events[0].id, "3");
}

TEST(Sse, StopsWhenTold) {
    SseParser parser;
    int seen = 0;
    ASSERT_TRUE(parser.feed("data: a\n\ndata: b\n\n", [&seen](const ServerEvent&) { return ++seen < 1; }).has_value());
    EXPECT_EQ(seen, 1);
}

TEST(Sse, RefusesEndlessLines) {
    SseParser parser;
    const std::string piece(limits::MiB, 'x');
    const auto use = [](const ServerEvent&) { return true; };
    ASSERT_TRUE(parser.feed(piece, use).has_value());
    ASSERT_TRUE(parser.feed(piece, use).has_value());
    const auto taken = parser.feed(piece, use);
    ASSERT_FALSE(taken.has_value());
    EXPECT_EQ(taken.error().code, Code::limit_exceeded);
}

TEST(Sse, RefusesEndlessEvents) {
    SseParser parser;
    const std::string line = "data: " + std::string(limits::MiB, 'x') + "\n";
    const auto use = [](const ServerEvent&) { return true; };
    Result<void> taken;
    int lines = 0;
    while (taken && lines++ < 20) {
        taken = parser.feed(line, use);
    }
    EXPECT_FALSE(taken.has_value());
}

} // namespace
} // namespace tocsin::cli
