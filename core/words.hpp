// SPDX-License-Identifier: Apache-2.0
// Private to core: short texts looked at, compared and copied eight bytes at a time. Nothing is read before or behind
// a text: its last word overlaps the one before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tocsin::words {

inline constexpr std::size_t word_bytes = sizeof(std::uint64_t);
inline constexpr std::uint64_t ones = 0x0101010101010101ULL;
inline constexpr std::uint64_t highs = 0x8080808080808080ULL;

template <typename T> T load(const char* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <typename T> T load(std::string_view text, std::size_t place) {
    return load<T>(text.data() + place);
}

inline std::uint64_t word_at(std::string_view text, std::size_t place) {
    return load<std::uint64_t>(text, place);
}

// One to eight bytes of a text as a word that nothing but bytes of this text is in, and that another text of the same
// length has only where it is the same.
inline std::uint64_t short_word(std::string_view text) {
    const char* const begin = text.data();
    const std::size_t size = text.size();
    if (size >= sizeof(std::uint32_t)) {
        const std::uint64_t first = load<std::uint32_t>(begin);
        const std::uint64_t last = load<std::uint32_t>(begin + size - sizeof(std::uint32_t));
        return first << 32U | last;
    }
    const std::uint64_t first = static_cast<unsigned char>(begin[0]);
    const std::uint64_t middle = static_cast<unsigned char>(begin[size / 2]);
    const std::uint64_t last = static_cast<unsigned char>(begin[size - 1]);
    return (first << 24U | first << 16U | middle << 8U | last) * 0x1'0000'0001ULL;
}

// True where `holds` does for every word of a text; for a word it has to hold for each byte by itself.
template <typename Holds> bool all(std::string_view text, Holds holds) {
    if (text.size() <= word_bytes) {
        return text.empty() || holds(short_word(text));
    }
    const char* const last = text.data() + text.size() - word_bytes;
    for (const char* at = text.data(); at < last; at += word_bytes) {
        if (!holds(load<std::uint64_t>(at))) {
            return false;
        }
    }
    return holds(load<std::uint64_t>(last));
}

// As ==, without a call for texts as short as names are.
inline bool same(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) {
        return false;
    }
    if (a.size() > 2 * word_bytes) {
        return a == b;
    }
    if (a.size() <= word_bytes) {
        return a.empty() || short_word(a) == short_word(b);
    }
    const std::size_t last = a.size() - word_bytes;
    return word_at(a, 0) == word_at(b, 0) && word_at(a, last) == word_at(b, last);
}

// Copies a text to where there is room for it; where it ends there.
inline char* copy(char* to, std::string_view text) {
    const std::size_t size = text.size();
    if (size >= word_bytes && size <= 2 * word_bytes) {
        const std::uint64_t first = word_at(text, 0);
        const std::uint64_t last = word_at(text, size - word_bytes);
        std::memcpy(to, &first, word_bytes);
        std::memcpy(to + size - word_bytes, &last, word_bytes);
    } else if (size >= sizeof(std::uint32_t) && size < word_bytes) {
        const auto first = load<std::uint32_t>(text, 0);
        const auto last = load<std::uint32_t>(text, size - sizeof(std::uint32_t));
        std::memcpy(to, &first, sizeof first);
        std::memcpy(to + size - sizeof last, &last, sizeof last);
    } else if (size != 0) {
        std::memcpy(to, text.data(), size);
    }
    return to + size;
}

// The high bit of a byte that is not U+0020-U+007E. Behind the first such byte others may have it, too.
constexpr std::uint64_t unprintable_bytes(std::uint64_t word) {
    return ((word - ones * 0x20) | (word + ones) | word) & highs;
}

inline bool is_printable(std::string_view text) {
    return all(text, [](std::uint64_t word) { return unprintable_bytes(word) == 0; });
}

// The high bit of a byte that is a quote, a backslash, a control character or not ASCII. Behind the first such byte
// others may have it, too.
constexpr std::uint64_t special_bytes(std::uint64_t word) {
    const std::uint64_t quote = (word ^ (ones * '"')) - ones;
    const std::uint64_t backslash = (word ^ (ones * '\\')) - ones;
    const std::uint64_t control = word - ones * 0x20;
    return (quote | backslash | control | word) & highs;
}

// Stands for itself between the quotes of JSON.
inline bool is_plain(std::string_view text) {
    return all(text, [](std::uint64_t word) { return special_bytes(word) == 0; });
}

} // namespace tocsin::words
