// SPDX-License-Identifier: Apache-2.0
#include "cli/when.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace tocsin::cli {
namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t hour = 3'600 * second;
constexpr std::int64_t now = 1'767'322'804'000'000; // 2026-01-02T03:00:04Z

class When : public testing::Test {
protected:
    void SetUp() override { zone("Europe/Berlin"); }
    void TearDown() override { zone("UTC"); }
    static void zone(const char* name) {
        ::setenv("TZ", name, 1);
        ::tzset();
    }
};

TEST_F(When, TakesDistances) {
    EXPECT_EQ(spoken_time_us("now", now), now);
    EXPECT_EQ(spoken_time_us("-1h", now), now - hour);
    EXPECT_EQ(spoken_time_us("+30m", now), now + hour / 2);
    EXPECT_EQ(spoken_time_us("-1h30m", now), now - hour - hour / 2);
    EXPECT_EQ(spoken_time_us("1h ago", now), now - hour);
    EXPECT_EQ(spoken_time_us("2 hours ago", now), now - 2 * hour);
    EXPECT_EQ(spoken_time_us("1 hour 30 minutes ago", now), now - hour - hour / 2);
    EXPECT_EQ(spoken_time_us("1 day 1 sec ago", now), now - 24 * hour - second);
    EXPECT_EQ(spoken_time_us("2w ago", now), now - 14 * 24 * hour);
    EXPECT_EQ(spoken_time_us("1y ago", now), now - 365 * 24 * hour);
}

TEST_F(When, DaysBeginAtLocalMidnight) {
    EXPECT_EQ(spoken_time_us("today", now), now - 4 * hour - 4 * second); // 04:00:04 in Berlin
    EXPECT_EQ(spoken_time_us("yesterday", now), now - 28 * hour - 4 * second);
    EXPECT_EQ(spoken_time_us("tomorrow", now), now + 20 * hour - 4 * second);
}

TEST_F(When, ADayOfTheClockChangeHas23Hours) {
    constexpr std::int64_t noon = 1'774'782'000'000'000; // 2026-03-29T11:00:00Z, 13:00 in Berlin, an hour was left out
    EXPECT_EQ(spoken_time_us("today", noon), noon - 12 * hour);
    EXPECT_EQ(spoken_time_us("tomorrow", noon), noon + 11 * hour);
}

TEST_F(When, LeavesTheRestToTheDaemon) {
    for (const std::string_view text : {"",
                                        "-",
                                        "+",
                                        "-1",
                                        "-h",
                                        "ago",
                                        " ago",
                                        "1 ago",
                                        "-1 fortnight",
                                        "-1hx",
                                        "h1 ago",
                                        "--1h",
                                        "-99999999999999999999h",
                                        "-9999999999999999y",
                                        "noww",
                                        "1767322804",
                                        "2026-01-02T03:00:04Z",
                                        "2026-01-02 03:00:04+01:00",
                                        "2026-13-02",
                                        "2026-01-02 25:00",
                                        "10:60",
                                        "10",
                                        "10:00 Nowhere/Atall",
                                        "yesterday soon",
                                        "2026-01-02 10:00 UTC x",
                                        "@",
                                        "@x",
                                        "@1.",
                                        "@99999999999999999999",
                                        "1.h ago",
                                        ".5h ago",
                                        "-h1.5",
                                        "UTC",
                                        "Europe/Berlin",
                                        "10:00:00:00",
                                        "today yesterday",
                                        "-1MM",
                                        "1H ago"}) {
        EXPECT_EQ(spoken_time_us(text, now), std::nullopt) << text;
        EXPECT_EQ(time_for_daemon(text, now), text);
    }
}

TEST_F(When, TakesFractionsAndEveryUnit) {
    EXPECT_EQ(spoken_time_us("-1.5h", now), now - hour - hour / 2);
    EXPECT_EQ(spoken_time_us("1.25 days ago", now), now - 30 * hour);
    EXPECT_EQ(spoken_time_us("-250ms", now), now - second / 4);
    EXPECT_EQ(spoken_time_us("5 milliseconds ago", now), now - 5'000);
    EXPECT_EQ(spoken_time_us("-7us", now), now - 7);
    EXPECT_EQ(spoken_time_us("-7\u00b5s", now), now - 7);
    EXPECT_EQ(spoken_time_us("1 month ago", now), now - 730 * hour - hour / 2);
    EXPECT_EQ(spoken_time_us("-2M", now), now - 1461 * hour);
    EXPECT_EQ(spoken_time_us("-2m", now), now - 120 * second);
    EXPECT_EQ(spoken_time_us("2 years ago", now), now - 730 * 24 * hour);
}

TEST_F(When, ABareDistanceIsAgo) {
    EXPECT_EQ(spoken_time_us("2h", now), now - 2 * hour);
    EXPECT_EQ(spoken_time_us("5 minutes", now), now - 300 * second);
}

TEST_F(When, DatesAndClocksAreLocal) {
    EXPECT_EQ(time_for_daemon("2026-01-01", now), "2025-12-31T23:00:00.000000Z");
    EXPECT_EQ(time_for_daemon("2026-01-01 10:00", now), "2026-01-01T09:00:00.000000Z");
    EXPECT_EQ(time_for_daemon("2026-07-01T10:00", now), "2026-07-01T08:00:00.000000Z");
    EXPECT_EQ(time_for_daemon("2026-01-01 10:00:30.25", now), "2026-01-01T09:00:30.250000Z");
    EXPECT_EQ(time_for_daemon("01-Jan-2026 10:00:30", now), "2026-01-01T09:00:30.000000Z");
    EXPECT_EQ(time_for_daemon("1-Jan-2026 10:00", now), "2026-01-01T09:00:00.000000Z");
    EXPECT_EQ(time_for_daemon("10:00", now), "2026-01-02T09:00:00.000000Z");
    EXPECT_EQ(time_for_daemon("yesterday 10:00:01", now), "2026-01-01T09:00:01.000000Z");
    EXPECT_EQ(time_for_daemon("1969-12-31 00:00:00.5", now), "1969-12-30T23:00:00.500000Z");
}

TEST_F(When, AZoneMayBeNamed) {
    EXPECT_EQ(time_for_daemon("2026-01-01 10:00 UTC", now), "2026-01-01T10:00:00.000000Z");
    EXPECT_EQ(time_for_daemon("2026-07-01 10:00:00 America/New_York", now), "2026-07-01T14:00:00.000000Z");
    EXPECT_EQ(time_for_daemon("2026-01-01 America/New_York", now), "2026-01-01T05:00:00.000000Z");
    // In New York it is still the first of January.
    EXPECT_EQ(time_for_daemon("10:00 America/New_York", now), "2026-01-01T15:00:00.000000Z");
    EXPECT_EQ(time_for_daemon("today UTC", now), "2026-01-02T00:00:00.000000Z");
}

TEST_F(When, TakesSecondsSinceTheEpoch) {
    EXPECT_EQ(spoken_time_us("@1767322804", now), now);
    EXPECT_EQ(spoken_time_us("@1767322804.25", now), now + second / 4);
    EXPECT_EQ(spoken_time_us("@0", now), 0);
}

TEST_F(When, TheDaemonGetsRfc3339) {
    EXPECT_EQ(time_for_daemon("-1h", now), "2026-01-02T02:00:04.000000Z");
}

TEST_F(When, ShowsTheLocalOffset) {
    EXPECT_EQ(show_time_us(now, false), "2026-01-02 04:00:04.000+01:00");
    EXPECT_EQ(show_time_us(now + 123'456, true), "2026-01-02 03:00:04.123Z");
    EXPECT_EQ(show_time("2026-07-02T03:00:04.5Z", false), "2026-07-02 05:00:04.500+02:00");
    zone("America/St_Johns");
    EXPECT_EQ(show_time_us(now, false), "2026-01-01 23:30:04.000-03:30");
}

TEST_F(When, ShowsTimesBefore1970) {
    EXPECT_EQ(show_time_us(-1, true), "1969-12-31 23:59:59.999Z");
}

TEST_F(When, TextThatIsNoTimeStays) {
    EXPECT_EQ(show_time("soon", true), "soon");
    EXPECT_EQ(show_time("", true), "");
}

TEST_F(When, WhatItShowsTheDaemonTakes) {
    const std::string shown = show_time_us(now, false);
    EXPECT_EQ(show_time(shown, true), "2026-01-02 03:00:04.000Z");
}

} // namespace
} // namespace tocsin::cli
