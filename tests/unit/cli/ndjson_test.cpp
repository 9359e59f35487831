// SPDX-License-Identifier: Apache-2.0
#include "cli/ndjson.hpp"

#include <gtest/gtest.h>

#include <random>

namespace tocsin::cli {
namespace {

TEST(LineCutter, WaitsForAFullChunkUnlessEager) {
    LineCutter lines(3, 100);
    lines.feed("a\nb\n");
    EXPECT_FALSE(lines.take(false).has_value());
    EXPECT_TRUE(lines.has_lines());
    const auto chunk = lines.take(true);
    ASSERT_TRUE(chunk.has_value());
    EXPECT_EQ(chunk->body, "a\nb\n");
    EXPECT_EQ(chunk->lines, 2U);
    EXPECT_FALSE(lines.take(true).has_value());
}

TEST(LineCutter, CutsByLines) {
    LineCutter lines(2, 100);
    lines.feed("a\nb\nc\nd\ne");
    EXPECT_EQ(lines.take(false)->body, "a\nb\n");
    const auto second = lines.take(false);
    EXPECT_EQ(second->body, "c\nd\n");
    EXPECT_EQ(second->first_line, 2U);
    EXPECT_FALSE(lines.take(true).has_value()); // e is not whole yet
    lines.finish();
    const auto last = lines.take(false);
    EXPECT_EQ(last->body, "e");
    EXPECT_EQ(last->first_line, 4U);
    EXPECT_EQ(lines.next_line(), 5U);
}

TEST(LineCutter, CutsByBytes) {
    LineCutter lines(100, 10);
    lines.feed("12345\n12345\n12\n");
    EXPECT_EQ(lines.take(false)->body, "12345\n");
    EXPECT_FALSE(lines.take(false).has_value());
    lines.finish();
    EXPECT_EQ(lines.take(false)->body, "12345\n12\n");
    EXPECT_FALSE(lines.take(false).has_value());
}

TEST(LineCutter, BlankLinesCount) {
    LineCutter lines(100, 100);
    lines.feed("\n\na\n");
    lines.finish();
    EXPECT_EQ(lines.take(false)->lines, 3U);
}

TEST(LineCutter, ALineThatFitsNoChunkIsStuck) {
    LineCutter lines(100, 10);
    lines.feed("ok\n12345678901");
    EXPECT_EQ(lines.take(false)->body, "ok\n"); // the next line can only make it larger than a chunk
    EXPECT_FALSE(lines.take(true).has_value());
    EXPECT_TRUE(lines.stuck());
    EXPECT_EQ(lines.next_line(), 1U);
    LineCutter whole(100, 10);
    whole.feed("12345678901\n");
    EXPECT_FALSE(whole.take(true).has_value());
    EXPECT_TRUE(whole.stuck());
}

TEST(LineCutter, ALineOfExactlyTheLimitFits) {
    LineCutter lines(100, 10);
    lines.feed("123456789\n");
    EXPECT_EQ(lines.take(true)->body.size(), 10U);
    EXPECT_FALSE(lines.stuck());
}

TEST(LineCutter, NothingGivesNothing) {
    LineCutter lines;
    lines.finish();
    EXPECT_FALSE(lines.take(true).has_value());
    EXPECT_FALSE(lines.stuck());
}

TEST(LineCutter, LosesNothingHoweverItIsFed) {
    std::mt19937 random(3); // NOLINT(cert-msc32-c,cert-msc51-cpp): repeatable
    for (int round = 0; round < 200; ++round) {
        std::string text;
        for (std::size_t line = random() % 50; line > 0; --line) {
            text += std::string(random() % 12, 'x') + "\n";
        }
        text += std::string(random() % 5, 'y');
        LineCutter lines(1 + random() % 7, 16);
        std::string out;
        std::uint64_t counted = 0;
        const auto drain = [&lines, &out, &counted](bool eager) {
            while (const auto chunk = lines.take(eager)) {
                EXPECT_EQ(chunk->first_line, counted);
                EXPECT_LE(chunk->body.size(), 16U);
                counted += chunk->lines;
                out += chunk->body;
            }
        };
        for (std::string_view rest = text; !rest.empty();) {
            const std::size_t piece = std::min<std::size_t>(1 + random() % 20, rest.size());
            lines.feed(rest.substr(0, piece));
            rest.remove_prefix(piece);
            drain(random() % 2 == 0);
        }
        lines.finish();
        drain(false);
        ASSERT_EQ(out, text);
    }
}

} // namespace
} // namespace tocsin::cli
