// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.hpp"

#include "core/event.hpp"

#include <gmock/gmock.h>

namespace tocsin {
namespace {

struct Text {
    std::string bytes;
    std::size_t valid_prefix;
};

TEST(Utf8, FindsTheFirstByteThatIsWrong) {
    const std::vector<Text> texts{
        {"", 0},
        {"plain ASCII of more than eight bytes", 36},
        {"Grüße", 7},
        {"日本語", 9},
        {"🔔", 4},
        {"\xF4\x8F\xBF\xBF", 4}, // U+10FFFF
        {"\xEF\xBF\xBF", 3},     // U+FFFF is no character but valid UTF-8
        {"\x80", 0},             // continues nothing
        {"abc\xFF", 3},          // never a byte of UTF-8
        {"abcdefgh\xC3", 8},     // ends too early
        {"a\xC3(", 1},           // not continued
        {"\xC0\xAF", 0},         // overlong "/"
        {"\xC1\xBF", 0},         // overlong
        {"\xE0\x80\xAF", 0},     // overlong in three bytes
        {"\xF0\x80\x80\xAF", 0}, // overlong in four bytes
        {"\xED\xA0\x80", 0},     // a high surrogate
        {"\xED\xBF\xBF", 0},     // a low surrogate
        {"\xF4\x90\x80\x80", 0}, // above U+10FFFF
        {"\xF5\x80\x80\x80", 0}, // above U+10FFFF
        {"ok \xE2\x82", 3},      // two of three bytes
        {"ok \xF0\x9F\x94", 3},  // three of four bytes
        {"\xE2\x82\xAC\xE2\x82\xAC\x20\xBF", 7},
    };
    for (const Text& text : texts) {
        EXPECT_EQ(utf8_valid_prefix(text.bytes), text.valid_prefix) << testing::PrintToString(text.bytes);
        EXPECT_EQ(valid_utf8(text.bytes), text.valid_prefix == text.bytes.size());
    }
}

// Every code point there is, and every two bytes, against the plain definition.
TEST(Utf8, TakesExactlyTheScalarValues) {
    for (unsigned point = 0x80; point <= 0x10FFFF; ++point) {
        std::string bytes;
        const auto low = [point](unsigned shift) { return static_cast<char>(0x80U | ((point >> shift) & 0x3FU)); };
        if (point < 0x800) {
            bytes = {static_cast<char>(0xC0U | (point >> 6U)), low(0)};
        } else if (point < 0x10000) {
            bytes = {static_cast<char>(0xE0U | (point >> 12U)), low(6), low(0)};
        } else {
            bytes = {static_cast<char>(0xF0U | (point >> 18U)), low(12), low(6), low(0)};
        }
        const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        ASSERT_EQ(valid_utf8(bytes), !surrogate) << std::hex << point;
    }
}

TEST(Utf8, CutsBetweenCharacters) {
    EXPECT_EQ(utf8_cut("abc", 5), "abc");
    EXPECT_EQ(utf8_cut("abc", 3), "abc");
    EXPECT_EQ(utf8_cut("abc", 2), "ab");
    EXPECT_EQ(utf8_cut("aüb", 2), "a");
    EXPECT_EQ(utf8_cut("aüb", 3), "aü");
    EXPECT_EQ(utf8_cut("🔔", 3), "");
    EXPECT_EQ(utf8_cut("", 0), "");
}

TEST(Utf8, ControlCharactersAreThoseOfUnicode) {
    for (unsigned byte = 0; byte < 0x80; ++byte) {
        const std::string text{'a', static_cast<char>(byte), 'b'};
        EXPECT_EQ(has_control_character(text), byte < 0x20 || byte == 0x7F) << byte;
    }
    EXPECT_TRUE(has_control_character("\xC2\x80"));  // U+0080
    EXPECT_TRUE(has_control_character("a\xC2\x9F")); // U+009F
    EXPECT_FALSE(has_control_character("\xC2\xA0")); // U+00A0, no-break space
    EXPECT_FALSE(has_control_character("Grüße 日本語"));
}

TEST(Utf8, NamesAreBoundedAndClean) {
    EXPECT_EQ(name_problem("disk/sda 1"), std::nullopt);
    EXPECT_EQ(name_problem(std::string(255, 'x')), std::nullopt);
    EXPECT_EQ(name_problem(""), "is empty");
    EXPECT_EQ(name_problem(std::string(256, 'x')), "is longer than 255 bytes");
    EXPECT_EQ(name_problem("abc", 2), "is longer than 2 bytes");
    EXPECT_EQ(name_problem("a\nb"), "has a control character");
    EXPECT_EQ(name_problem(std::string("a\0b", 3)), "has a control character");
    EXPECT_EQ(name_problem("\xFF"), "is not valid UTF-8");
}

TEST(Utf8, WhatMessagesQuoteIsEscapedAndCut) {
    EXPECT_EQ(in_quotes("hihg"), "\"hihg\"");
    EXPECT_EQ(in_quotes("a\"\n"), "\"a\\\"\\n\"");
    EXPECT_EQ(in_quotes(std::string(1000, 'x')), "\"" + std::string(64, 'x') + "…\"");
    EXPECT_THAT(in_quotes("\xFF"), testing::HasSubstr("\uFFFD"));
}

} // namespace
} // namespace tocsin
