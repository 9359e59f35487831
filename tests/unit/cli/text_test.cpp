// SPDX-License-Identifier: Apache-2.0
#include "cli/text.hpp"

#include <gtest/gtest.h>

#include <random>

namespace tocsin::cli {
namespace {

TEST(Printable, LeavesTextAlone) {
    EXPECT_EQ(printable("plain, ä, 日本, 🙂"), "plain, ä, 日本, 🙂");
    EXPECT_EQ(printable(""), "");
}

TEST(Printable, EscapesWhatMovesACursor) {
    EXPECT_EQ(printable("a\x1b[31mred"), "a\\x1b[31mred");
    EXPECT_EQ(printable("bell\a del\x7f"), "bell\\x07 del\\x7f");
    EXPECT_EQ(printable(std::string_view("nul\0", 4)), "nul\\x00");
    EXPECT_EQ(printable("a\nb\tc\r"), "a\\nb\\tc\\r");
    EXPECT_EQ(printable("csi \xC2\x9B"), "csi \\u009b"); // C1, one byte away from an escape sequence
}

TEST(Printable, EscapesWhatTurnsTextAround) {
    EXPECT_EQ(printable("a\xE2\x80\xAE"), "a\\u202e");
    EXPECT_EQ(printable("\xE2\x81\xA6x"), "\\u2066x");
    EXPECT_EQ(printable("line\xE2\x80\xA8"), "line\\u2028");
    EXPECT_EQ(printable("\xEF\xBB\xBFx"), "\\ufeffx");
}

TEST(Printable, EscapesBrokenUtf8) {
    EXPECT_EQ(printable("\xFF"), "\\xff");
    EXPECT_EQ(printable("\xC0\x9B"), "\\xc0\\x9b");          // overlong
    EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80"); // surrogate
    EXPECT_EQ(printable("\xE2\x82"), "\\xe2\\x82");          // cut off
    EXPECT_EQ(printable("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
    EXPECT_EQ(printable("\x80"), "\\x80");
}

TEST(Printable, NeverLeavesAControlInRandomBytes) {
    std::mt19937 random(7); // NOLINT(cert-msc32-c,cert-msc51-cpp): repeatable
    for (int round = 0; round < 2'000; ++round) {
        std::string text(random() % 40, ' ');
        for (char& c : text) {
            c = static_cast<char>(random() & 0xFFU);
        }
        const std::string shown = printable(text);
        for (const char c : shown) {
            const auto byte = static_cast<unsigned char>(c);
            ASSERT_TRUE(byte >= 0x20 && byte != 0x7F);
        }
        ASSERT_EQ(printable(shown), shown); // what came out is whole UTF-8 without controls
    }
}

TEST(PrintableLines, KeepsLinesAndTabs) {
    EXPECT_EQ(printable_lines("a\tb\nc\x1b\r\n"), "a\tb\nc\\x1b\\r\n");
}

TEST(Width, CountsColumns) {
    EXPECT_EQ(width("abc"), 3U);
    EXPECT_EQ(width("äöü"), 3U);
    EXPECT_EQ(width("日本"), 4U);
    EXPECT_EQ(width("🙂"), 2U);
    EXPECT_EQ(width("e\xCC\x81"), 1U); // e and a combining accent
    EXPECT_EQ(width("…"), 1U);
}

TEST(Fit, CutsAtLetters) {
    EXPECT_EQ(fit("abc", 3), "abc");
    EXPECT_EQ(fit("abcd", 3), "ab…");
    EXPECT_EQ(fit("äöüß", 3), "äö…");
    EXPECT_EQ(fit("日本語", 4), "日…");
    EXPECT_EQ(fit("日本語", 5), "日本…");
    EXPECT_EQ(fit("abc", 1), "…");
    EXPECT_EQ(fit("abc", 0), "");
}

TEST(Fit, NeverIsWiderThanAsked) {
    const std::string text = "a日e\xCC\x81🙂bö語x";
    for (std::size_t columns = 0; columns < 14; ++columns) {
        EXPECT_LE(width(fit(text, columns)), columns);
    }
}

TEST(Printable, WhatNobodySeesIsShown) {
    EXPECT_EQ(printable("a\u00adb\u200bc\u2060d"), "a\\u00adb\\u200bc\\u2060d");
    EXPECT_EQ(printable("\ufff9\U000e0041"), "\\ufff9\\ue0041");
    EXPECT_EQ(printable("👩\u200d🚀"), "👩\u200d🚀") << "a joiner is part of a picture";
}

} // namespace
} // namespace tocsin::cli
