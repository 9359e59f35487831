// SPDX-License-Identifier: Apache-2.0
#include "cli/tail.hpp"

#include "core/event.hpp"

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

constexpr std::size_t most = limits::status_bytes;

std::string tail_of(std::string_view text, std::size_t max = most) {
    Tail tail;
    tail.add(text);
    return tail.text(max);
}

TEST(Tail, KeepsAllOfALittle) {
    EXPECT_EQ(tail_of(""), "");
    EXPECT_EQ(tail_of("one\ntwo\n"), "one\ntwo");
    EXPECT_EQ(tail_of("\n \t\r\n"), "");
    Tail tail;
    tail.add("on");
    tail.add("");
    tail.add("e");
    EXPECT_EQ(tail.text(most), "one");
}

TEST(Tail, KeepsTheEndOfMuch) {
    Tail tail;
    for (int i = 0; i < 5'000; ++i) {
        tail.add("line " + std::to_string(i) + "\n");
    }
    const std::string text = tail.text(most);
    EXPECT_LE(text.size(), most);
    EXPECT_GE(text.size(), most - 16);
    EXPECT_TRUE(text.starts_with("…")) << text;
    EXPECT_TRUE(text.ends_with("line 4998\nline 4999")) << text;
}

TEST(Tail, OneLargePieceIsCutAsManySmallOnesAre) {
    const std::string large = std::string(3 * most, 'a') + "end";
    Tail small;
    for (const char c : large) {
        small.add({&c, 1});
    }
    EXPECT_EQ(tail_of(large), small.text(most));
    EXPECT_EQ(tail_of(std::string(most, 'b')), std::string(most, 'b')) << "nothing was cut";
}

TEST(Tail, NeverSplitsACharacter) {
    for (const std::string_view character : {"é", "€", "😀"}) {
        std::string text;
        while (text.size() < 3 * most) {
            text += character;
        }
        for (std::size_t shift = 0; shift < 4; ++shift) {
            for (std::size_t max = 3; max < 20; ++max) {
                const std::string shown = tail_of(text + std::string(shift, 'x'), max);
                EXPECT_LE(shown.size(), max);
                EXPECT_TRUE(valid_utf8(shown)) << max;
                EXPECT_EQ(shown.find("\xEF\xBF\xBD"), std::string::npos) << "no half character is left";
            }
        }
    }
}

TEST(Tail, ACharacterMayComeInPieces) {
    Tail tail;
    tail.add("5 \xE2\x82");
    tail.add("\xAC");
    EXPECT_EQ(tail.text(most), "5 €");
}

TEST(Tail, BytesThatAreNoTextAreReplaced) {
    EXPECT_EQ(tail_of(std::string_view("a\0b", 3)), "a\xEF\xBF\xBD"
                                                    "b");
    EXPECT_EQ(tail_of("\xFFz"), "\xEF\xBF\xBDz");
    EXPECT_EQ(tail_of("half \xE2\x82"), "half \xEF\xBF\xBD\xEF\xBF\xBD");
    const std::string broken = tail_of(std::string(4 * most, '\xFF'));
    EXPECT_LE(broken.size(), most) << "replacing makes it longer, the bound stays";
    EXPECT_TRUE(valid_utf8(broken));
}

TEST(Tail, FitsWhatIsLeft) {
    EXPECT_EQ(tail_of("abcdefgh", 6), "…fgh");
    EXPECT_EQ(tail_of("abcdefgh", 3), "…");
    EXPECT_EQ(tail_of("abcdefgh", 2), "");
}

} // namespace
} // namespace tocsin::cli
