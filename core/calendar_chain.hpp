// SPDX-License-Identifier: Apache-2.0
// One component of a calendar expression: values, ranges and repetitions separated by commas ("1,5..20/3,30/10"), an
// empty chain being "*". Reading comes first, as written; settle() then checks the values against their unit.
#pragma once

#include "core/civil_pattern.hpp"
#include "core/error.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::calendar {

inline constexpr std::int64_t us_per_s = 1'000'000;

struct Unit {
    std::string_view name;
    std::int64_t from;
    std::int64_t to;
    std::string_view allowed;
    std::int64_t scale = 1; // seconds are kept in µs
    bool backwards = false; // counts from the month's end
};

inline constexpr Unit year{"year", CivilPattern::year_min, CivilPattern::year_max, "1970..2199"};
inline constexpr Unit month{"month", 1, 12, "1..12"};
inline constexpr Unit day{"day", 1, 31, "1..31"};
inline constexpr Unit day_from_end{"day", 1, 28, "1..28 from the month's end", 1, true};
inline constexpr Unit hour{"hour", 0, 23, "0..23"};
inline constexpr Unit minute{"minute", 0, 59, "0..59"};
inline constexpr Unit second{"second", 0, 60 * us_per_s - 1, "0..59.999999", us_per_s};
inline constexpr Unit date_or_time{"date or time", 0, 0, ""}; // not known before what follows is read

struct Link {
    std::int64_t start = 0;
    std::optional<std::int64_t> stop{};
    std::int64_t repeat = 0;
    std::string_view text{}; // as written, for messages
    std::size_t column = 1;
};

using Chain = std::vector<Link>;

// Reads from the left; columns count from 1, in bytes.
class ChainReader {
public:
    explicit ChainReader(std::string_view text) : text_(text) {}
    Result<Chain> chain(const Unit& unit);

    std::string_view rest() const { return text_.substr(at_); }
    bool at_end() const { return at_ == text_.size(); }
    char next() const { return at_end() ? '\0' : text_[at_]; }
    std::size_t column() const { return at_ + 1; }
    void skip(std::size_t bytes) { at_ += bytes; }
    void skip_spaces();
    bool take(std::string_view wanted);

private:
    Result<Link> link(const Unit& unit);
    Result<std::int64_t> number(const Unit& unit);
    Result<std::int64_t> fraction_us(const Unit& unit);
    std::unexpected<Error> wrong_here(const Unit& unit, std::string reason) const;

    std::string_view text_;
    std::size_t at_ = 0;
};

Chain just(std::int64_t value);

// 26 is 2026, 89 is 1989.
void complete_years(Chain& chain);

// Takes off what a range's repetition never reaches, and refuses what is outside of the unit.
Result<void> settle(Chain& chain, const Unit& unit);

// Of settled chains.
std::uint64_t bits(const Chain& chain, const Unit& unit);
std::array<std::uint64_t, 4> year_bits(const Chain& chain);
std::array<std::uint32_t, 4> day_bits(const Chain& chain, bool from_end);
std::vector<SecondRun> second_runs(const Chain& chain); // empty for second 0 alone

// "object: reason (column 7)" as invalid_argument
std::unexpected<Error> wrong(std::string_view object, std::string reason, std::size_t column);

} // namespace tocsin::calendar
