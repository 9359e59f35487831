// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_value.hpp"

#include <gtest/gtest.h>

namespace tocsin::daemon {
namespace {

std::string shown(Shape shape, RawValue raw) {
    const auto value = convert(shape, raw);
    return value ? show(shape, *value) : "! " + value.error();
}

RawValue text(std::string value, bool loose = false) {
    return RawValue{.value = std::move(value), .loose = loose};
}

TEST(ConfigValue, ReadsAndShowsEachType) {
    EXPECT_EQ(shown({.kind = Kind::boolean}, {.value = true}), "true");
    EXPECT_EQ(shown({.kind = Kind::integer}, {.value = std::int64_t{-5}}), "-5");
    EXPECT_EQ(shown({.kind = Kind::number}, {.value = std::int64_t{3}}), "3");
    EXPECT_EQ(shown({.kind = Kind::number}, {.value = 2.25}), "2.25");
    EXPECT_EQ(shown({.kind = Kind::size}, text("4G")), "4G");
    EXPECT_EQ(shown({.kind = Kind::size}, {.value = std::int64_t{1000}}), "1000");
    EXPECT_EQ(shown({.kind = Kind::size, .automatic = true}, text("auto")), "auto");
    EXPECT_EQ(shown({.kind = Kind::size_or_share}, text("12.5%")), "12.5%");
    EXPECT_EQ(shown({.kind = Kind::size_or_share}, text("512M")), "512M");
    EXPECT_EQ(shown({.kind = Kind::duration}, text("90s")), "1m30s");
    EXPECT_EQ(shown({.kind = Kind::rate}, text("30/1h")), "30/1h");
    EXPECT_EQ(shown({.kind = Kind::zone}, text("Europe/Berlin")), "Europe/Berlin");
    EXPECT_EQ(shown({.kind = Kind::url}, text("https://h:1/p?q=1")), "https://h:1/p?q=1");
    EXPECT_EQ(shown({.kind = Kind::url}, text("")), "");
    EXPECT_EQ(shown({.kind = Kind::address}, text("[::1]:80")), "[::1]:80");
    EXPECT_EQ(shown({.kind = Kind::globs}, text("a,b\"", true)), R"(["a", "b\""])");
}

TEST(ConfigValue, AutoIsOnlyWhereItIsMeant) {
    EXPECT_TRUE(shown({.kind = Kind::size}, text("auto")).starts_with("! "));
}

TEST(ConfigValue, OnlyLooseTextIsAlsoANumber) {
    EXPECT_EQ(shown({.kind = Kind::integer}, text("7", true)), "7");
    EXPECT_TRUE(shown({.kind = Kind::integer}, text("7")).starts_with("! "));
    EXPECT_EQ(shown({.kind = Kind::boolean}, text("false", true)), "false");
    EXPECT_TRUE(shown({.kind = Kind::boolean}, text("false")).starts_with("! "));
}

TEST(ConfigValue, BoundsAreShownInTheirUnit) {
    EXPECT_EQ(show_bounds({.kind = Kind::duration, .bounds = {.min = 100'000, .max = 60'000'000}}), "100ms to 1m");
    EXPECT_EQ(show_bounds({.kind = Kind::size, .bounds = {.min = 1024, .max = 1 << 20}}), "1K to 1M");
    EXPECT_EQ(show_bounds({.kind = Kind::integer, .bounds = {.min = 1, .max = 5}}), "1 to 5");
    EXPECT_EQ(show_bounds({.kind = Kind::integer}), "");
}

TEST(ConfigValue, BoundsIncludeTheirEnds) {
    const Shape shape{.kind = Kind::integer, .bounds = {.min = 1, .max = 5}};
    EXPECT_EQ(shown(shape, {.value = std::int64_t{1}}), "1");
    EXPECT_EQ(shown(shape, {.value = std::int64_t{5}}), "5");
    EXPECT_EQ(shown(shape, {.value = std::int64_t{6}}), "! 6 is out of bounds; expected 1 to 5");
}

TEST(ConfigValue, LongValuesAreShortenedInMessages) {
    const std::string message = shown({.kind = Kind::duration}, text(std::string(5'000, 'z')));
    EXPECT_LT(message.size(), 300U) << message;
}

TEST(ConfigValue, ReadsRates) {
    EXPECT_EQ(parse_rate("30/1h"), (Rate{.count = 30, .per_us = 3'600'000'000}));
    for (const char* bad : {"", "/", "30/", "/1h", "0/1h", "1/0", "-1/1h", "1.5/1h", "30/1h/2"}) {
        EXPECT_FALSE(parse_rate(bad)) << bad;
    }
}

TEST(ConfigValue, EveryKindHasAName) {
    EXPECT_EQ(to_string(Kind::boolean), "boolean");
    EXPECT_EQ(to_string(Kind::size_or_share), "size or percentage");
    EXPECT_EQ(to_string(Kind::map), "table");
}

} // namespace
} // namespace tocsin::daemon
