// SPDX-License-Identifier: Apache-2.0
#include "schedule_support.hpp"

#include "core/limits.hpp"

#include <chrono>
#include <limits>
#include <random>

namespace tocsin {
namespace {

using schedule_test::expect_slots;
using schedule_test::problem;
using schedule_test::schedule;
using schedule_test::shown;
using schedule_test::us;
using testing::HasSubstr;

constexpr std::string_view new_year = "2026-01-01T00:00:00Z"; // a Thursday

TEST(ScheduleCalendar, ReadsWeekdaysDatesAndTimes) {
    expect_slots({
        {"Mon..Fri *-*-* 09:30:00",
         "",
         new_year,
         {"2026-01-01T09:30:00Z", "2026-01-02T09:30:00Z", "2026-01-05T09:30:00Z"}},
        {"Mon-Wed,SUNDAY 12:00",
         "",
         new_year,
         {"2026-01-04T12:00:00Z", "2026-01-05T12:00:00Z", "2026-01-06T12:00:00Z"}},
        {"sat", "", new_year, {"2026-01-03T00:00:00Z", "2026-01-10T00:00:00Z"}},
        {"2026-05-05", "", new_year, {"2026-05-05T00:00:00Z", "none"}},
        {"26-5-5 1:2:3", "", new_year, {"2026-05-05T01:02:03Z", "none"}},
        {"05-05", "", new_year, {"2026-05-05T00:00:00Z", "2027-05-05T00:00:00Z"}},
        {"2027..2030/2-*-1", "", new_year, {"2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"}},
        {"*-1..6/3-15,20",
         "",
         new_year,
         {"2026-01-15T00:00:00Z", "2026-01-20T00:00:00Z", "2026-04-15T00:00:00Z", "2026-04-20T00:00:00Z"}},
        {"Fri *-*-13", "", new_year, {"2026-02-13T00:00:00Z", "2026-03-13T00:00:00Z", "2026-11-13T00:00:00Z"}},
        {"*:10/20", "", new_year, {"2026-01-01T00:10:00Z", "2026-01-01T00:30:00Z", "2026-01-01T00:50:00Z"}},
        {"8..10:00", "", new_year, {"2026-01-01T08:00:00Z", "2026-01-01T09:00:00Z", "2026-01-01T10:00:00Z"}},
        {"@1893456000", "Europe/Berlin", new_year, {"2030-01-01T00:00:00Z", "none"}},
    });
}

TEST(ScheduleCalendar, CountsFromTheMonthsEnd) {
    expect_slots({
        {"*-*~1", "", new_year, {"2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"}},
        {"*-02~1", "", new_year, {"2026-02-28T00:00:00Z", "2027-02-28T00:00:00Z", "2028-02-29T00:00:00Z"}},
        {"Mon *-05~7/1", "", new_year, {"2026-05-25T00:00:00Z", "2027-05-31T00:00:00Z", "2028-05-29T00:00:00Z"}},
        {"02~3..7/3", "", new_year, {"2026-02-23T00:00:00Z", "2026-02-26T00:00:00Z", "2027-02-23T00:00:00Z"}},
        {"*-*~28", "", new_year, {"2026-01-04T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-04T00:00:00Z"}},
        {"*-*~*", "", new_year, {"2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"}},
    });
}

TEST(ScheduleCalendar, ReadsSecondsAndFractions) {
    expect_slots({
        {"*:*:*", "", new_year, {"2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"}},
        {"*:*:0/0.4",
         "",
         "2026-01-01T00:00:59Z",
         {"2026-01-01T00:00:59.200000Z", "2026-01-01T00:00:59.600000Z", "2026-01-01T00:01:00Z"}},
        {"*:*:1.25,58..59.5/0.75",
         "",
         new_year,
         {"2026-01-01T00:00:01.250000Z", "2026-01-01T00:00:58Z", "2026-01-01T00:00:58.750000Z",
          "2026-01-01T00:00:59.500000Z", "2026-01-01T00:01:01.250000Z"}},
        {"*:*:1.1234567", "", new_year, {"2026-01-01T00:00:01.123457Z"}},
        {"12:0:5..6", "", new_year, {"2026-01-01T12:00:05Z", "2026-01-01T12:00:06Z", "2026-01-02T12:00:05Z"}},
    });
}

TEST(ScheduleCalendar, KnowsItsShorthands) {
    expect_slots({
        {"minutely", "", new_year, {"2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"}},
        {"HOURLY", "", new_year, {"2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"}},
        {"daily", "", new_year, {"2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"}},
        {"weekly", "", new_year, {"2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"}},
        {"monthly", "", new_year, {"2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"}},
        {"yearly", "", new_year, {"2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"}},
        {"annually UTC", "", new_year, {"2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"}},
        {"quarterly", "", new_year, {"2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z", "2026-10-01T00:00:00Z"}},
        {"semiannually", "", new_year, {"2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"}},
    });
}

// What a change skips is lost, what it repeats happens the first time.
TEST(ScheduleCalendar, FollowsTheClocksOfFiveZones) {
    expect_slots({
        {"2:30 Europe/Berlin", "", "2026-03-28T12:00:00Z", {"2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"}},
        {"*:30", "Europe/Berlin", "2026-03-29T00:00:00Z", {"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"}},
        {"2:30", "Europe/Berlin", "2026-10-24T12:00:00Z", {"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
        {"*:30", "Europe/Berlin", "2026-10-25T00:00:00Z", {"2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"}},
        {"1:45", "America/New_York", "2026-10-31T12:00:00Z", {"2026-11-01T05:45:00Z", "2026-11-02T06:45:00Z"}},
        {"2:0/15",
         "Australia/Lord_Howe",
         "2026-10-03T00:00:00Z",
         {"2026-10-03T15:30:00Z", "2026-10-03T15:45:00Z", "2026-10-04T15:00:00Z"}},
        {"daily", "America/Sao_Paulo", "2018-11-03T00:00:00Z", {"2018-11-03T03:00:00Z", "2018-11-05T02:00:00Z"}},
        {"daily",
         "Pacific/Apia",
         "2011-12-29T00:00:00Z",
         {"2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"}},
        {"2011-12-30 12:00", "Pacific/Apia", "2011-06-01T00:00:00Z", {"none"}},
    });
}

TEST(ScheduleCalendar, TakesOneZone) {
    EXPECT_EQ(schedule("12:00 Europe/Berlin")->zone(), "Europe/Berlin");
    EXPECT_EQ(schedule("12:00 Europe/Berlin", "Europe/Berlin")->zone(), "Europe/Berlin");
    EXPECT_EQ(schedule("12:00 utc")->zone(), "UTC");
    EXPECT_EQ(schedule("12:00")->zone(), "UTC");
    EXPECT_EQ(schedule("12:00", "Asia/Kolkata")->zone(), "Asia/Kolkata");
    EXPECT_EQ(schedule("12:00 Europe/Berlin")->expression(), "12:00 Europe/Berlin");
    EXPECT_THAT(problem("12:00 Europe/Berlin", "Asia/Kolkata"), HasSubstr("write one of them"));
    EXPECT_THAT(problem("12:00 Mars/Olympus"), HasSubstr("Mars/Olympus: is not in this system's time zone database"));
    EXPECT_THAT(problem("12:00", "Mars/Olympus"), HasSubstr("time zone database"));
    EXPECT_THAT(problem("0 3 * * *", "Mars/Olympus"), HasSubstr("time zone database"));
}

TEST(ScheduleCalendar, NamesWhatIsWrongAndWhere) {
    EXPECT_EQ(problem("*-*-* 25:00"), "hour: \"25\" is not within 0..23 (column 7)");
    EXPECT_EQ(problem("*-13-*"), "month: \"13\" is not within 1..12 (column 3)");
    EXPECT_EQ(problem("*-*~29"), "day: \"29\" is not within 1..28 from the month's end (column 5)");
    EXPECT_EQ(problem("2200-1-1"), "year: \"2200\" is not within 1970..2199 (column 1)");
    EXPECT_EQ(problem("*:5..3"),
              "minute: \"5..3\" is no range: the second value must not be below the first (column 3)");
    EXPECT_EQ(problem("*:30/30"), "minute: \"30/30\" never repeats within 0..59 (column 3)");
    EXPECT_EQ(problem("*:0:60"), "second: \"60\" is not within 0..59.999999 (column 5)");
    EXPECT_THAT(problem("Fri..Mon 12:00"), HasSubstr("weekday: a range goes forward"));
    EXPECT_THAT(problem("12:00x"), HasSubstr("(column 6)"));
    EXPECT_THAT(problem("@99999999999"), HasSubstr("timestamp"));
}

TEST(ScheduleCalendar, SaysHowBothNotationsLook) {
    for (const std::string_view text : {"", " ", "garbage", "0 3 * *", "0 3 * * * *", "5", "every day"}) {
        EXPECT_THAT(problem(text), testing::AllOf(HasSubstr("is neither five cron fields"), HasSubstr("09:30:00")));
    }
    EXPECT_THAT(problem(std::string(limits::schedule_bytes + 1, '1')), HasSubstr("at most 256 bytes"));
}

TEST(Schedule, EndsQuicklyWhereThereIsNothing) {
    const auto begin = std::chrono::steady_clock::now();
    for (const std::string_view zone : {"UTC", "Europe/Berlin"}) {
        for (const std::string_view text : {"0 0 30 2 *", "* * 31 2,4,6,9,11 *", "*-02-30", "Mon 2199-12-31",
                                            "1970-01-01 0:0:0", "Sun *-03~7/1 02:30 Europe/Berlin"}) {
            const auto read = schedule(text, text.ends_with("Berlin") ? "" : zone);
            for (int i = 0; i < 100; ++i) {
                const std::int64_t from = us("2030-01-01T00:00:00Z") - i * 86'400'000'000;
                ASSERT_FALSE(read->next_after(from)) << text << " in " << zone;
            }
        }
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20)); // a walk over minutes takes hours
}

TEST(Schedule, StaysWithinItsYears) {
    constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
    for (const std::string_view text : {"* * * * *", "minutely"}) {
        for (const std::string_view zone : {"UTC", "Asia/Tokyo"}) {
            const auto read = schedule(text, zone);
            EXPECT_EQ(shown(read->next_after(lowest)), "1970-01-01T00:00:00Z") << zone;
            EXPECT_EQ(shown(read->last_until(lowest)), "none");
            EXPECT_EQ(shown(read->last_until(-1)), "none");
            EXPECT_EQ(shown(read->last_until(0)), "1970-01-01T00:00:00Z");
            EXPECT_EQ(shown(read->next_after(highest)), "none");
        }
        EXPECT_EQ(shown(schedule(text)->last_until(highest)), "2199-12-31T23:59:00Z");
        EXPECT_EQ(shown(schedule(text)->next_after(us("2199-12-31T23:58:00Z"))), "2199-12-31T23:59:00Z");
        EXPECT_EQ(shown(schedule(text)->next_after(us("2199-12-31T23:59:00Z"))), "none");
    }
}

// Both ways through time give the same slots, whatever is asked.
TEST(Schedule, LooksBackAsItLooksAhead) {
    std::mt19937_64 random(41);
    const std::vector<std::string_view> texts{
        "*:0/20",      "2:30",         "0,2:0/7:10.5", "Sun *-*~7/1 2:15", "*-*-* 0..3:59:59.999999",
        "*/7 * * * *", "30 0-3 * * *", "15 2 * * sun", "* 2 * 3,10 *"};
    for (const std::string_view zone : {"Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"}) {
        for (const std::string_view text : texts) {
            const auto read = schedule(text, zone);
            for (int i = 0; i < 2'000; ++i) {
                const auto at = static_cast<std::int64_t>(100'000'000 + random() % 1'800'000'000) * 1'000'000;
                const auto next = read->next_after(at);
                const auto last = read->last_until(at);
                ASSERT_TRUE(next && last);
                ASSERT_GT(*next, at);
                ASSERT_LE(*last, at);
                ASSERT_EQ(shown(read->last_until(*next - 1)), shown(last))
                    << text << " in " << zone << " at " << shown(at);
                ASSERT_EQ(shown(read->next_after(*last)), shown(next)) << text << " in " << zone << " at " << shown(at);
            }
        }
    }
}

} // namespace
} // namespace tocsin
