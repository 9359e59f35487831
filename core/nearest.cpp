// SPDX-License-Identifier: Apache-2.0
#include "core/nearest.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace tocsin {
namespace {

constexpr std::size_t word_bytes_max = 64;
constexpr std::size_t edits_max = 4;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(char a, char b) {
    return lower(a) == lower(b);
}

// Optimal string alignment; three rows of a bounded table.
std::size_t edits(std::string_view a, std::string_view b) {
    std::array<std::array<std::size_t, word_bytes_max + 1>, 3> rows{};
    for (std::size_t j = 0; j <= b.size(); ++j) {
        rows[0][j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto& now = rows[i % 3];
        const auto& before = rows[(i + 2) % 3];
        const auto& before_that = rows[(i + 1) % 3];
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = before[j - 1] + (same(a[i - 1], b[j - 1]) ? 0U : 1U);
            now[j] = std::min({before[j] + 1, now[j - 1] + 1, change});
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
                now[j] = std::min(now[j], before_that[j - 2] + 1);
            }
        }
    }
    return rows[a.size() % 3][b.size()];
}

} // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.empty() || word.size() > word_bytes_max) {
        return {};
    }
    std::size_t best = std::clamp<std::size_t>(word.size() / 3, 1, edits_max) + 1;
    std::string_view found;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > word_bytes_max) {
            continue;
        }
        if (const std::size_t distance = edits(word, candidate); distance < best) {
            best = distance;
            found = candidate;
        }
    }
    return found;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
    const std::string_view found = nearest(word, candidates);
    return found.empty() ? std::string() : "; did you mean \"" + std::string(found) + "\"?";
}

} // namespace tocsin
