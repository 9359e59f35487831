// SPDX-License-Identifier: Apache-2.0
#include "core/time.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace tocsin {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t us;
};

// Largest first: the parts of a sum come in this order.
constexpr std::array<Unit, 8> duration_units{{
    {"y", 365LL * 86'400 * 1'000'000},
    {"w", 7LL * 86'400 * 1'000'000},
    {"d", 86'400LL * 1'000'000},
    {"h", 3'600LL * 1'000'000},
    {"m", 60LL * 1'000'000},
    {"s", 1'000'000},
    {"ms", 1'000},
    {"us", 1},
}};
constexpr std::string_view size_units = "KMGT";

std::unexpected<Error> duration_error(std::string_view text, std::string_view why) {
    return fail(Code::invalid_argument, "duration", "",
                "\"" + std::string(text.substr(0, 64)) + "\" is not a duration: " + std::string(why) +
                    "; write 500ms, 30s, 5m, 2h, 7d, 4w, 1y or a sum like 1h30m");
}

std::unexpected<Error> size_error(std::string_view text, std::string_view why) {
    return fail(Code::invalid_argument, "size", "",
                "\"" + std::string(text.substr(0, 64)) + "\" is not a size: " + std::string(why) +
                    "; write bytes, or 64K, 8M, 4G, 1T");
}

std::size_t digits_at(std::string_view text) {
    const auto end = text.find_first_not_of("0123456789");
    return end == std::string_view::npos ? text.size() : end;
}

template <typename T> std::optional<T> number(std::string_view digits) {
    T value = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (problem != std::errc{} || end != digits.data() + digits.size()) {
        return std::nullopt;
    }
    return value;
}

// The place of a unit in the table.
std::optional<std::size_t> unit_at(std::string_view name) {
    for (std::size_t i = 0; i < duration_units.size(); ++i) {
        if (duration_units[i].name == name) {
            return i;
        }
    }
    return std::nullopt;
}

} // namespace

Result<std::int64_t> parse_duration_us(std::string_view text) {
    if (text == "0") {
        return 0;
    }
    std::string_view rest = text;
    std::int64_t sum = 0;
    std::size_t unit_from = 0;
    if (rest.empty()) {
        return duration_error(text, "it is empty");
    }
    while (!rest.empty()) {
        const std::size_t digits = digits_at(rest);
        const auto amount = number<std::int64_t>(rest.substr(0, digits));
        if (digits == 0) {
            return duration_error(text, "a whole number must come before each unit");
        }
        rest.remove_prefix(digits);
        const auto name = rest.substr(0, rest.find_first_of("0123456789"));
        const auto unit = unit_at(name);
        if (!unit) {
            return duration_error(text, name.empty() ? "the unit is missing" : "the unit is unknown");
        }
        if (*unit < unit_from) {
            return duration_error(text, "larger units come first, each once");
        }
        std::int64_t part = 0;
        if (!amount || __builtin_mul_overflow(*amount, duration_units[*unit].us, &part) ||
            __builtin_add_overflow(sum, part, &sum)) {
            return duration_error(text, "it is too long");
        }
        unit_from = *unit + 1;
        rest.remove_prefix(name.size());
    }
    return sum;
}

std::string format_duration(std::int64_t us) {
    if (us == 0) {
        return "0s";
    }
    std::string out;
    auto rest = us < 0 ? 0 - static_cast<std::uint64_t>(us) : static_cast<std::uint64_t>(us);
    if (us < 0) {
        out += '-';
    }
    const auto year = static_cast<std::uint64_t>(duration_units[0].us);
    if (rest % year == 0) {
        return out + std::to_string(rest / year) + "y";
    }
    for (const std::string_view name : {"d", "h", "m", "s", "ms", "us"}) {
        const auto unit = static_cast<std::uint64_t>(duration_units[*unit_at(name)].us);
        if (rest >= unit) {
            out += std::to_string(rest / unit);
            out += name;
            rest %= unit;
        }
    }
    return out;
}

Result<std::uint64_t> parse_size(std::string_view text) {
    const std::size_t digits = digits_at(text);
    const auto amount = number<std::uint64_t>(text.substr(0, digits));
    if (digits == 0) {
        return size_error(text, "it must begin with a whole number");
    }
    const std::string_view unit = text.substr(digits);
    unsigned shift = 0;
    if (!unit.empty()) {
        const char upper = unit[0] >= 'a' && unit[0] <= 'z' ? static_cast<char>(unit[0] - 'a' + 'A') : unit[0];
        const auto place = size_units.find(upper);
        if (unit.size() != 1 || place == std::string_view::npos) {
            return size_error(text, "the unit is unknown");
        }
        shift = 10 * static_cast<unsigned>(place + 1);
    }
    if (!amount || *amount > (std::numeric_limits<std::uint64_t>::max() >> shift)) {
        return size_error(text, "it is too large");
    }
    return *amount << shift;
}

std::string format_size(std::uint64_t bytes) {
    std::size_t unit = 0;
    while (bytes != 0 && bytes % 1024 == 0 && unit < size_units.size()) {
        bytes /= 1024;
        ++unit;
    }
    std::string out = std::to_string(bytes);
    if (unit > 0) {
        out += size_units[unit - 1];
    }
    return out;
}

} // namespace tocsin
