// SPDX-License-Identifier: Apache-2.0
#include "core/time.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace tocsin {
namespace {

constexpr std::int64_t second_us = 1'000'000;
// 2026-01-02T03:04:05Z
constexpr std::int64_t sample_us = 1'767'323'045 * second_us;

struct Case {
    std::string_view text;
    std::int64_t us;
};

void expect_all(const std::vector<Case>& cases, const Zone& zone) {
    for (const auto& [text, us] : cases) {
        const auto read = parse_time_us(text, zone);
        ASSERT_TRUE(read) << text << ": " << read.error().detail();
        EXPECT_EQ(*read, us) << text << " became " << format_time(*read);
    }
}

Zone zone_of(std::string_view name) {
    auto zone = Zone::find(name);
    EXPECT_TRUE(zone) << name;
    return *zone;
}

TEST(Time, ReadsRfc3339) {
    expect_all(
        {
            {"1970-01-01T00:00:00Z", 0},
            {"2026-01-02T03:04:05Z", sample_us},
            {"2026-01-02t03:04:05z", sample_us},
            {"2026-01-02 03:04:05Z", sample_us},
            {"2026-01-02T03:04:05+00:00", sample_us},
            {"2026-01-02T03:04:05-00:00", sample_us},
            {"2026-01-02T05:04:05+02:00", sample_us},
            {"2026-01-02T05:04:05+0200", sample_us},
            {"2026-01-01T22:04:05-05:00", sample_us},
            {"2026-01-02T08:34:05+05:30", sample_us},
            {"2026-01-02T03:04:05.5Z", sample_us + 500'000},
            {"2026-01-02T03:04:05.123456Z", sample_us + 123'456},
            {"2026-01-02T03:04:05.1234569Z", sample_us + 123'456},
            {"2026-01-02T03:04:05.123456789123456789Z", sample_us + 123'456},
            {"2026-01-02T05:04:05.25+02:00", sample_us + 250'000},
            {"2024-02-29T00:00:00Z", 1'709'164'800 * second_us},
            {"2000-02-29T23:59:59Z", 951'868'799 * second_us},
            {"1969-12-31T23:59:59Z", -second_us},
            {"1900-03-01T00:00:00Z", -2'203'891'200 * second_us},
            {"9999-12-31T23:59:59Z", 253'402'300'799 * second_us},
        },
        Zone::utc());
}

TEST(Time, ReadsLeapSecondsWhereADayOfUtcEnds) {
    expect_all(
        {
            {"2016-12-31T23:59:60Z", 1'483'228'800 * second_us},
            {"2017-01-01T05:29:60+05:30", 1'483'228'800 * second_us},
            {"2016-12-31T23:59:60.5Z", 1'483'228'800 * second_us + 500'000},
        },
        Zone::utc());
    EXPECT_FALSE(parse_time_us("2016-12-31T12:00:60Z", Zone::utc()));
    EXPECT_FALSE(parse_time_us("2016-12-31T23:59:60+01:00", Zone::utc()));
    EXPECT_FALSE(parse_time_us("2016-12-31T23:59:61Z", Zone::utc()));
}

TEST(Time, ReadsLocalFormatsInTheZone) {
    expect_all(
        {
            {"2026-01-02 03:04:05", sample_us},
            {"2026-01-02T03:04:05", sample_us},
            {"2026-01-02 03:04:05.25", sample_us + 250'000},
            {"02-Jan-2026 03:04:05", sample_us},
            {"2-Jan-2026 03:04:05", sample_us},
            {"02-JAN-2026 03:04:05.000001", sample_us + 1},
            {"02-jan-2026 03:04:05", sample_us},
        },
        Zone::utc());
    expect_all(
        {
            {"2026-01-02 04:04:05", sample_us},
            {"02-Jan-2026 04:04:05", sample_us},
            {"2026-07-02 05:04:05", 1'782'961'445 * second_us},  // summer: two hours
            {"2026-07-02T05:04:05Z", 1'782'968'645 * second_us}, // an offset beats the zone
        },
        zone_of("Europe/Berlin"));
}

TEST(Time, KnowsEveryMonthInAnyCase) {
    const std::vector<std::string> names{"Jan", "fEB", "MAR", "apr", "May", "jUN",
                                         "Jul", "AUG", "sep", "Oct", "noV", "dec"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string number = (i < 9 ? "0" : "") + std::to_string(i + 1);
        const auto by_name = parse_time_us("15-" + names[i] + "-2025 12:00:00", Zone::utc());
        const auto by_number = parse_time_us("2025-" + number + "-15 12:00:00", Zone::utc());
        ASSERT_TRUE(by_name && by_number) << names[i];
        EXPECT_EQ(*by_name, *by_number) << names[i];
    }
}

TEST(Time, TakesTheEarlierOfTwoAndTheChangeForNone) {
    const Zone berlin = zone_of("Europe/Berlin");
    expect_all(
        {
            {"2026-10-25 02:30:00", 1'792'888'200 * second_us}, // 00:30 UTC, still summer time
            {"2026-10-25 03:00:00", 1'792'893'600 * second_us}, // after it, 02:00 UTC
            {"2026-03-29 02:30:00", 1'774'746'000 * second_us}, // does not exist: 01:00 UTC, when clocks jump
            {"2026-03-29 03:00:00", 1'774'746'000 * second_us},
            {"2026-03-29 01:59:59", 1'774'745'999 * second_us},
        },
        berlin);
}

TEST(Time, TellsIntegersApartBySize) {
    const std::vector<std::pair<std::int64_t, std::int64_t>> cases{
        {0, 0},
        {1'767'323'045, sample_us},
        {1'767'323'045'123, sample_us + 123'000},
        {1'767'323'045'123'456, sample_us + 123'456},
        {1'767'323'045'123'456'789, sample_us + 123'456},
        {99'999'999'999, 99'999'999'999 * second_us},
        {100'000'000'000, 100'000'000'000 * 1'000},
        {99'999'999'999'999, 99'999'999'999'999 * 1'000},
        {100'000'000'000'000, 100'000'000'000'000},
        {99'999'999'999'999'999, 99'999'999'999'999'999},
        {100'000'000'000'000'000, 100'000'000'000'000},
        {-1, -second_us},
        {-100'000'000'000, -100'000'000'000'000},
        {-100'000'000'000'000'001, -100'000'000'000'001},
        {std::numeric_limits<std::int64_t>::max(), 9'223'372'036'854'775},
        {std::numeric_limits<std::int64_t>::min(), -9'223'372'036'854'776},
    };
    for (const auto& [value, us] : cases) {
        EXPECT_EQ(time_us_from_integer(value), us) << value;
        EXPECT_EQ(parse_time_us(std::to_string(value), Zone::utc()), us) << value;
    }
}

TEST(Time, RefusesEverythingElse) {
    for (const std::string_view text : {"",
                                        " ",
                                        "now",
                                        "yesterday",
                                        "1.5",
                                        "+5",
                                        "1e9",
                                        "0x10",
                                        "99999999999999999999",
                                        "2026-01-02",
                                        "2026-01-02T03:04",
                                        "2026-01-02T03:04:05.Z",
                                        "2026-01-02T03:04:05,5Z",
                                        "2026-1-2T03:04:05Z",
                                        "2026-13-02T03:04:05Z",
                                        "2026-00-02T03:04:05Z",
                                        "2026-02-30T03:04:05Z",
                                        "2025-02-29T03:04:05Z",
                                        "2026-01-00T03:04:05Z",
                                        "2026-01-32T03:04:05Z",
                                        "2026-01-02T24:00:00Z",
                                        "2026-01-02T03:60:05Z",
                                        "2026-01-02T03:04:05ZZ",
                                        "2026-01-02T03:04:05 Z",
                                        "2026-01-02T03:04:05+24:00",
                                        "2026-01-02T03:04:05+02",
                                        "2026-01-02T03:04:05+02:60",
                                        "2026-01-02T03:04:05+2:00",
                                        "2026-01-02T03:04:05Europe/Berlin",
                                        "2026-01-02  03:04:05",
                                        " 2026-01-02 03:04:05",
                                        "2026-01-02 03:04:05 ",
                                        "2026/01/02 03:04:05",
                                        "02-Foo-2026 03:04:05",
                                        "02-Jan-26 03:04:05",
                                        "02-Jan-2026T03:04:05",
                                        "31-Feb-2026 03:04:05",
                                        "002-Jan-2026 03:04:05",
                                        "02-Jan-2026 03:04:05Z",
                                        "Jan-02-2026 03:04:05",
                                        "02 Jan 2026 03:04:05",
                                        "10000-01-01T00:00:00Z",
                                        "-2026-01-02T03:04:05Z",
                                        "２０２６-01-02T03:04:05Z"}) {
        const auto read = parse_time_us(text, Zone::utc());
        ASSERT_FALSE(read) << text << " became " << format_time(*read);
        EXPECT_EQ(read.error().code, Code::invalid_argument);
        EXPECT_THAT(read.error().detail(), testing::StartsWith("is not a time: ")) << text;
    }
}

TEST(Time, IsWrittenAsRfc3339WithMicroseconds) {
    const std::vector<Case> cases{
        {"1970-01-01T00:00:00.000000Z", 0},
        {"2026-01-02T03:04:05.000000Z", sample_us},
        {"2026-01-02T03:04:05.000001Z", sample_us + 1},
        {"2024-02-29T00:00:00.000000Z", 1'709'164'800 * second_us},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"9999-12-31T23:59:59.999999Z", 253'402'300'799 * second_us + 999'999},
        {"0000-01-01T00:00:00.000000Z", -62'167'219'200 * second_us},
    };
    for (const auto& [text, us] : cases) {
        EXPECT_EQ(format_time(us), text);
        EXPECT_EQ(parse_time_us(text, Zone::utc()), us);
    }
    std::string out = "at ";
    append_time(out, sample_us);
    EXPECT_EQ(out, "at 2026-01-02T03:04:05.000000Z");
}

TEST(Time, EveryDayReadsBack) {
    for (std::int64_t day = -25'567; day < 80'000; ++day) {
        const std::int64_t us = (day * 86'400 + day % 86'400) * second_us + day % 1'000 + 1'000;
        ASSERT_EQ(parse_time_us(format_time(us), Zone::utc()), us) << format_time(us);
    }
}

TEST(Time, NoInstantIsTooStrangeToBeWritten) {
    EXPECT_EQ(format_time(std::numeric_limits<std::int64_t>::max()), "294247-01-10T04:00:54.775807Z");
    EXPECT_EQ(format_time(std::numeric_limits<std::int64_t>::min()), "-290308-12-21T19:59:05.224192Z");
}

TEST(Zone, IsFoundByName) {
    EXPECT_EQ(Zone::utc().name(), "UTC");
    EXPECT_EQ(zone_of("UTC").name(), "UTC");
    EXPECT_EQ(zone_of("Etc/UTC").to_utc_us(sample_us), sample_us);
    EXPECT_EQ(zone_of("Europe/Berlin").name(), "Europe/Berlin");
    EXPECT_EQ(zone_of("Asia/Kolkata").to_utc_us(sample_us), sample_us - 19'800 * second_us);
    EXPECT_EQ(zone_of("America/New_York").to_utc_us(sample_us), sample_us + 5 * 3'600 * second_us);
}

TEST(Zone, UnknownNamesAreErrors) {
    for (const std::string_view name :
         {"", "Mars/Olympus", "europe/berlin ", "../../etc/passwd", "Europe", "/etc/localtime"}) {
        const auto zone = Zone::find(name);
        ASSERT_FALSE(zone) << name;
        EXPECT_EQ(zone.error().code, Code::invalid_argument);
        EXPECT_THAT(zone.error().detail(), testing::HasSubstr("time zone database"));
    }
}

TEST(Zone, KeepsFractionsAcrossItsOffset) {
    EXPECT_EQ(zone_of("Europe/Berlin").to_utc_us(-1), -1 - 3'600 * second_us);
    EXPECT_EQ(zone_of("Europe/Berlin").to_utc_us(sample_us + 999'999), sample_us + 999'999 - 3'600 * second_us);
}

TEST(Zone, ShowsTheStretchOfOneOffset) {
    constexpr std::int64_t hour_us = std::int64_t{3'600} * second_us;
    const auto at = [](std::string_view text) { return *parse_time_us(text, Zone::utc()); };
    const ZoneSpan summer = zone_of("Europe/Berlin").span_at(at("2026-07-01T00:00:00Z"));
    EXPECT_EQ(format_time(summer.begin_us), "2026-03-29T01:00:00.000000Z");
    EXPECT_EQ(format_time(summer.end_us), "2026-10-25T01:00:00.000000Z");
    EXPECT_EQ(summer.offset_us, 2 * hour_us);
    EXPECT_EQ(zone_of("Europe/Berlin").span_at(summer.end_us).offset_us, hour_us);
    EXPECT_EQ(zone_of("Europe/Berlin").span_at(summer.end_us - 1).offset_us, 2 * hour_us);
    const ZoneSpan utc = Zone::utc().span_at(0);
    EXPECT_EQ(utc.offset_us, 0);
    EXPECT_LT(utc.begin_us, at("1900-01-01T00:00:00Z"));
    EXPECT_GT(utc.end_us, at("2200-01-01T00:00:00Z"));
}

TEST(Zone, FollowsItsRuleBeyondTheListedYears) {
    const auto offset_h = [](std::string_view zone, std::string_view text) {
        return zone_of(zone).span_at(*parse_time_us(text, Zone::utc())).offset_us / (3'600 * second_us);
    };
    EXPECT_EQ(offset_h("Europe/Berlin", "2037-12-31T12:00:00Z"), 1);
    EXPECT_EQ(offset_h("Europe/Berlin", "2040-03-25T00:59:59Z"), 1);
    EXPECT_EQ(offset_h("Europe/Berlin", "2040-03-25T01:00:00Z"), 2);
    EXPECT_EQ(offset_h("Europe/Berlin", "2040-10-28T00:59:59Z"), 2);
    EXPECT_EQ(offset_h("Europe/Berlin", "2040-10-28T01:00:00Z"), 1);
    EXPECT_EQ(offset_h("America/New_York", "2100-07-01T00:00:00Z"), -4);
    EXPECT_EQ(offset_h("Australia/Sydney", "2100-01-31T00:00:00Z"), 11);
    EXPECT_EQ(offset_h("Asia/Tokyo", "2100-07-01T00:00:00Z"), 9);
}

} // namespace
} // namespace tocsin
