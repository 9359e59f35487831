// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/compat/api_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tocsin::ipc::http::compat {
namespace {

struct Word {
    Severity severity;
    std::string_view word;
    double least;
};

// From the gravest.
constexpr std::array<Word, 4> words = {{{Severity::critical, "critical", 0.9},
                                        {Severity::error, "high", 0.7},
                                        {Severity::warning, "medium", 0.4},
                                        {Severity::info, "low", 0.0}}};

// "active" is what its demonstration wrote for an open one.
constexpr std::array<std::string_view, 5> statuses = {"open", "acknowledged", "resolved", "snoozed", "active"};

bool same(std::string_view one, std::string_view other) {
    return std::ranges::equal(
        one, other, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b; });
}

const Word& row_of(Severity severity) {
    return *std::ranges::find(words, severity, &Word::severity);
}

} // namespace

std::optional<Severity> severity_of(std::string_view word_or_number) {
    for (const Word& row : words) {
        if (same(word_or_number, row.word)) {
            return row.severity;
        }
    }
    double number = 0;
    const auto [end, error] =
        std::from_chars(word_or_number.data(), word_or_number.data() + word_or_number.size(), number);
    const bool within = number >= 0 && number <= 1; // "nan" is not
    if (error != std::errc{} || end != word_or_number.data() + word_or_number.size() || !within) {
        return std::nullopt;
    }
    return std::ranges::find_if(words, [number](const Word& row) { return number >= row.least; })->severity;
}

std::string_view word_of(Severity severity) {
    return row_of(severity).word;
}

double least_of(Severity severity) {
    return row_of(severity).least;
}

std::string_view status_of(std::string_view alert_state) {
    const auto own = std::ranges::find(statuses, alert_state);
    return own == statuses.end() || *own == "active" ? "open" : *own;
}

bool is_status(std::string_view word) {
    return std::ranges::find(statuses, word) != statuses.end();
}

} // namespace tocsin::ipc::http::compat
