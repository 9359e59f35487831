// SPDX-License-Identifier: Apache-2.0
#include "cli/tail.hpp"

#include "cli/text.hpp"

namespace tocsin::cli {
namespace {

constexpr std::string_view ellipsis = "…";
constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD
constexpr std::string_view white = " \t\r\n";

bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// What stands at the front is the rest of a character that was cut: at most three bytes.
std::string_view without_half(std::string_view text) {
    constexpr std::size_t rest_max = 3;
    std::size_t half = 0;
    while (half < rest_max && half < text.size() && continues(text[half])) {
        ++half;
    }
    return text.substr(half);
}

std::string clean(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        const bool bad = point.value == invalid_code_point || point.value == 0;
        out += bad ? replacement : text.substr(0, point.bytes);
        text.remove_prefix(point.bytes);
    }
    return out;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(white);
    const std::size_t end = text.find_last_not_of(white);
    return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, end - begin + 1);
}

} // namespace

void Tail::add(std::string_view bytes) {
    if (bytes.size() >= kept_bytes) {
        cut_ = cut_ || !kept_.empty() || bytes.size() > kept_bytes;
        kept_.assign(bytes.substr(bytes.size() - kept_bytes));
        return;
    }
    kept_ += bytes;
    if (kept_.size() > kept_bytes) {
        cut_ = true;
        kept_.erase(0, kept_.size() - kept_bytes);
    }
}

std::string Tail::text(std::size_t max) const {
    const std::string whole = clean(cut_ ? without_half(kept_) : std::string_view(kept_));
    std::string_view shown = trimmed(whole);
    const bool fits = shown.size() + (cut_ ? ellipsis.size() : 0) <= max;
    if (fits && !cut_) {
        return std::string(shown);
    }
    if (max < ellipsis.size()) {
        return {};
    }
    if (!fits) {
        shown.remove_prefix(shown.size() + ellipsis.size() - max);
        shown = without_half(shown);
    }
    return std::string(ellipsis) + std::string(shown);
}

} // namespace tocsin::cli
