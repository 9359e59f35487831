// SPDX-License-Identifier: Apache-2.0
#include "core/words.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace tocsin::words {
namespace {

constexpr std::size_t longest = 40; // several words, and every length of a last one

// A text with nothing around it that may be read.
class Alone {
public:
    explicit Alone(std::string_view text) : size_(text.size()), bytes_(new char[text.size()]) {
        std::ranges::copy(text, bytes_.get());
    }
    char& operator[](std::size_t place) { return bytes_[place]; }
    std::string_view text() const { return {bytes_.get(), size_}; }

private:
    std::size_t size_;
    std::unique_ptr<char[]> bytes_;
};

std::string letters(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        text += static_cast<char>('a' + i % 26);
    }
    return text;
}

bool printable(unsigned byte) {
    return byte >= 0x20 && byte <= 0x7E;
}

bool plain(unsigned byte) {
    return byte >= 0x20 && byte <= 0x7F && byte != '"' && byte != '\\';
}

TEST(Words, EveryByteCountsWhereverItStands) {
    for (std::size_t size = 0; size <= longest; ++size) {
        Alone text(letters(size));
        ASSERT_TRUE(is_printable(text.text())) << size;
        ASSERT_TRUE(is_plain(text.text())) << size;
        for (std::size_t place = 0; place < size; ++place) {
            const char kept = text[place];
            for (unsigned byte = 0; byte <= 0xFF; ++byte) {
                text[place] = static_cast<char>(byte);
                ASSERT_EQ(is_printable(text.text()), printable(byte)) << size << " " << place << " " << byte;
                ASSERT_EQ(is_plain(text.text()), plain(byte)) << size << " " << place << " " << byte;
            }
            text[place] = kept;
        }
    }
}

TEST(Words, TextsAreTheSameWithEveryByteAlone) {
    for (std::size_t size = 0; size <= longest; ++size) {
        const Alone text(letters(size));
        Alone other(letters(size));
        ASSERT_TRUE(same(text.text(), other.text())) << size;
        ASSERT_FALSE(same(text.text(), letters(size + 1))) << size;
        for (std::size_t place = 0; place < size; ++place) {
            other[place] = static_cast<char>(other[place] ^ 0x20);
            ASSERT_FALSE(same(text.text(), other.text())) << size << " " << place;
            other[place] = text.text()[place];
        }
    }
}

TEST(Words, ACopyEndsWhereItsTextDoes) {
    for (std::size_t size = 0; size <= longest; ++size) {
        const Alone text(letters(size));
        Alone to(std::string(size, '-'));
        EXPECT_EQ(copy(to.text().empty() ? nullptr : &to[0], text.text()) - (size == 0 ? nullptr : &to[0]),
                  static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(to.text(), text.text()) << size;
    }
}

} // namespace
} // namespace tocsin::words
