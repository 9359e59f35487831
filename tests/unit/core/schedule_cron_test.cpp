// SPDX-License-Identifier: Apache-2.0
#include "schedule_support.hpp"

#include <chrono>
#include <random>
#include <set>

namespace tocsin {
namespace {

using schedule_test::expect_slots;
using schedule_test::problem;
using schedule_test::schedule;
using schedule_test::shown;
using schedule_test::us;
using testing::HasSubstr;
using testing::StartsWith;

TEST(ScheduleCron, ReadsListsRangesStepsAndNames) {
    const std::string_view after = "2026-01-01T00:00:00Z"; // a Thursday
    expect_slots({
        {"* * * * *", "", after, {"2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"}},
        {"0 3 * * *", "", after, {"2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z"}},
        {"  0\t3 *  * * ", "", after, {"2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z"}},
        {"5,10-12,*/30 1 * * *",
         "",
         after,
         {"2026-01-01T01:00:00Z", "2026-01-01T01:05:00Z", "2026-01-01T01:10:00Z", "2026-01-01T01:11:00Z",
          "2026-01-01T01:12:00Z", "2026-01-01T01:30:00Z", "2026-01-02T01:00:00Z"}},
        {"0 8-18/5 * * *", "", after, {"2026-01-01T08:00:00Z", "2026-01-01T13:00:00Z", "2026-01-01T18:00:00Z"}},
        {"50/5 0 * * *", "", after, {"2026-01-01T00:50:00Z", "2026-01-01T00:55:00Z", "2026-01-02T00:50:00Z"}},
        {"*/75 * * * *", "", after, {"2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"}},
        {"0 0 1 jan,JUL *", "", after, {"2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"}},
        {"0 0 1 feb-apr *", "", after, {"2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"}},
        {"0 0 29 2 *", "", after, {"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
        {"0 0 31 * *", "", after, {"2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"}},
    });
}

TEST(ScheduleCron, KnowsTwoSundaysAndWeekdayNames) {
    const std::string_view after = "2026-01-01T00:00:00Z";
    const std::vector<std::string> sundays{"2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"};
    for (const std::string_view day : {"0", "7", "sun", "SUN", "0,7", "7-7", "sun-sun"}) {
        expect_slots({{"0 0 * * " + std::string(day), "", after, sundays}});
    }
    const std::vector<std::string> weekend{"2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z",
                                           "2026-01-09T00:00:00Z"};
    for (const std::string_view days : {"5-7", "fri-sun", "fri,sat,sun", "0,5,6"}) {
        expect_slots({{"0 0 * * " + std::string(days), "", after, weekend}});
    }
    expect_slots({{"0 0 * * sun-tue",
                   "",
                   after,
                   {"2026-01-04T00:00:00Z", "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", "2026-01-11T00:00:00Z"}}});
}

TEST(ScheduleCron, TakesEitherDayWhenBothAreRestricted) {
    const std::string_view after = "2026-01-01T00:00:00Z";
    expect_slots({
        {"0 0 13 * fri", "", after, {"2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z"}},
        {"0 0 13 * *", "", after, {"2026-01-13T00:00:00Z", "2026-02-13T00:00:00Z"}},
        {"0 0 */2 * fri", "", after, {"2026-01-09T00:00:00Z", "2026-01-23T00:00:00Z", "2026-02-13T00:00:00Z"}},
        {"0 0 13 * */5", "", after, {"2026-02-13T00:00:00Z", "2026-03-13T00:00:00Z", "2026-09-13T00:00:00Z"}},
    });
}

TEST(ScheduleCron, KnowsItsShorthands) {
    const std::string_view after = "2026-01-01T00:00:00Z";
    expect_slots({
        {"@hourly", "", after, {"2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"}},
        {"@daily", "", after, {"2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"}},
        {"@midnight", "", after, {"2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"}},
        {"@weekly", "", after, {"2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"}},
        {"@monthly", "", after, {"2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"}},
        {"@yearly", "", after, {"2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"}},
        {"@annually", "", after, {"2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"}},
    });
    EXPECT_THAT(problem("@reboot"), HasSubstr("\"@reboot\" is not one of @hourly, @daily"));
}

// Fixed times run once right after the gap and once in the repeated hour; "*" follows the clock as it is.
TEST(ScheduleCron, FollowsTheClockOfBerlin) {
    const std::string_view spring = "2026-03-28T12:00:00Z";
    const std::string_view autumn = "2026-10-24T12:00:00Z";
    expect_slots({
        {"30 2 * * *", "Europe/Berlin", spring, {"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
        {"0,30 2,3 * * *",
         "Europe/Berlin",
         spring,
         {"2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z"}},
        {"30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", {"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"}},
        {"*/30 2 * * *", "Europe/Berlin", spring, {"2026-03-30T00:00:00Z", "2026-03-30T00:30:00Z"}},
        {"30 2 * * *", "Europe/Berlin", autumn, {"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
        {"30 * * * *",
         "Europe/Berlin",
         "2026-10-25T00:00:00Z",
         {"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"}},
        {"*/30 2 * * *",
         "Europe/Berlin",
         autumn,
         {"2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
          "2026-10-26T01:00:00Z"}},
        {"30 2 * * *", "Europe/Berlin", "2026-10-25T01:00:00Z", {"2026-10-26T01:30:00Z"}},
    });
}

TEST(ScheduleCron, FollowsOtherClocks) {
    expect_slots({
        {"30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", {"2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"}},
        {"30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", {"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}},
        {"@hourly",
         "America/New_York",
         "2026-11-01T04:30:00Z",
         {"2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z"}},
        // half an hour: 02:00 becomes 02:30, and back
        {"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", {"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
        {"45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", {"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}},
        {"45 * * * *",
         "Australia/Lord_Howe",
         "2026-04-04T14:00:00Z",
         {"2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z", "2026-04-04T16:15:00Z"}},
        // no midnight
        {"@daily", "America/Sao_Paulo", "2018-11-03T00:00:00Z", {"2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"}},
        {"0 * * * *", "America/Sao_Paulo", "2018-11-04T01:30:00Z", {"2018-11-04T02:00:00Z", "2018-11-04T03:00:00Z"}},
        {"30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00:00Z", {"2018-02-18T01:30:00Z", "2018-02-19T02:30:00Z"}},
        // 2011-12-30 did not exist
        {"0 12 * * *",
         "Pacific/Apia",
         "2011-12-29T00:00:00Z",
         {"2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"}},
        {"0 12 30 12 *", "Pacific/Apia", "2011-06-01T00:00:00Z", {"2011-12-30T10:00:00Z", "2012-12-29T22:00:00Z"}},
        {"0 * 30 12 *", "Pacific/Apia", "2011-06-01T00:00:00Z", {"2012-12-29T10:00:00Z"}},
    });
}

TEST(ScheduleCron, NamesTheFieldThatIsWrong) {
    EXPECT_EQ(problem("75 * * * *"), "minute: \"75\" is not within 0..59 (column 1)");
    EXPECT_EQ(problem("0 0,24 * * *"), "hour: \"24\" is not within 0..23 (column 5)");
    EXPECT_EQ(problem("0 0 0 * *"), "day-of-month: \"0\" is not within 1..31 (column 5)");
    EXPECT_EQ(problem("0 0 * foo *"), "month: \"foo\" is not within 1..12 or jan..dec (column 7)");
    EXPECT_EQ(problem("0 0 * * 8"),
              "day-of-week: \"8\" is not within 0..7 or sun..sat (0 and 7 are Sunday) (column 9)");
    EXPECT_THAT(problem("9-5 * * * *"), StartsWith("minute: \"9-5\" is no range"));
    EXPECT_THAT(problem("*/0 * * * *"), StartsWith("minute: \"/0\" is no step"));
    for (const std::string_view text :
         {"*/ * * * *",     "*/x * * * *",     ", * * * *",           "1, * * * *",
          "- * * * *",      "1- * * * *",      "1-2-3 * * * *",       "*5 * * * *",
          "** * * * *",     "*-5 * * * *",     "+5 * * * *",          "-5 * * * *",
          "1.5 * * * *",    "1/2/3 * * * *",   "4294967296 * * * *",  "*/99999999999 * * * *",
          "0 0 L * *",      "0 0 ? * *",       "0 0 * * mon#1",       "mon * * * *",
          "0 0 * * monday", "0 0 * january *", "0 0 * * sun-sun-sun", "0 0 * * sat-fri",
          "\xff * * * *"}) {
        EXPECT_NE(problem(text), "") << text;
    }
}

// Every minute of a span is looked at on the zone's clock. Nothing clever: what it says is right.
class SlowCron {
public:
    struct Fields {
        std::set<int> minutes, hours, days, months, weekdays;
        bool either_day, fixed;
    };
    SlowCron(Fields fields, const Zone& zone) : fields_(std::move(fields)), zone_(zone) {}

    std::vector<std::int64_t> slots(std::int64_t from_us, std::int64_t to_us) const {
        constexpr std::int64_t minute_us = 60'000'000;
        std::set<std::int64_t> found;
        std::int64_t shown_until = from_us + offset(from_us); // the latest local time there was
        for (std::int64_t at = from_us; at < to_us; at += minute_us) {
            const std::int64_t local = at + offset(at);
            if (!fields_.fixed) {
                if (matches(local)) {
                    found.insert(at);
                }
                continue;
            }
            for (; shown_until <= local; shown_until += minute_us) { // what was skipped counts now
                if (matches(shown_until)) {
                    found.insert(at);
                }
            }
        }
        return {found.begin(), found.end()};
    }

private:
    std::int64_t offset(std::int64_t at) const { return zone_.span_at(at).offset_us; }

    bool matches(std::int64_t local_us) const {
        if (!fields_.minutes.contains(static_cast<int>(local_us / 60'000'000 % 60))) {
            return false; // by far the most, cheaply
        }
        const std::chrono::sys_time<std::chrono::minutes> time{std::chrono::minutes{local_us / 60'000'000}};
        const auto day = std::chrono::floor<std::chrono::days>(time);
        const std::chrono::year_month_day date{day};
        const std::chrono::hh_mm_ss clock{time - day};
        const bool by_month = fields_.days.contains(static_cast<int>(static_cast<unsigned>(date.day())));
        const bool by_week = fields_.weekdays.contains(static_cast<int>(std::chrono::weekday{day}.c_encoding()));
        return fields_.hours.contains(static_cast<int>(clock.hours().count())) &&
               fields_.months.contains(static_cast<int>(static_cast<unsigned>(date.month()))) &&
               (fields_.either_day ? by_month || by_week : by_month && by_week);
    }

    Fields fields_;
    const Zone& zone_;
};

// A field at random, as text and as the values it means.
struct RandomField {
    std::string text;
    std::set<int> values;
};

RandomField random_field(std::mt19937& random, int low, int high) {
    const auto pick = [&random](int from, int to) { return std::uniform_int_distribution<int>(from, to)(random); };
    RandomField field;
    const int step = pick(1, high / 2);
    if (pick(0, 2) == 0) {
        const bool stepped = pick(0, 1) == 0;
        field.text = stepped ? "*/" + std::to_string(step) : "*";
        for (int value = low; value <= high; value += stepped ? step : 1) {
            field.values.insert(value);
        }
        return field;
    }
    for (int left = pick(1, 3); left > 0; --left) {
        const int from = pick(low, high);
        const int to = pick(0, 1) == 0 ? from : pick(from, high);
        const bool stepped = to > from && pick(0, 1) == 0;
        field.text += (field.text.empty() ? "" : ",") + std::to_string(from) +
                      (to > from ? "-" + std::to_string(to) : "") + (stepped ? "/" + std::to_string(step) : "");
        for (int value = from; value <= to; value += stepped ? step : 1) {
            field.values.insert(value);
        }
    }
    return field;
}

void expect_same_as_slow(const std::string& expression, const SlowCron& slow, std::string_view zone,
                         std::int64_t from_us, std::int64_t to_us) {
    const auto fast = schedule(expression, zone);
    ASSERT_TRUE(fast);
    const auto slots = slow.slots(from_us, to_us);
    std::int64_t at = from_us - 1;
    for (const std::int64_t slot : slots) {
        const auto next = fast->next_after(at);
        ASSERT_EQ(shown(next), shown(slot)) << expression << " in " << zone << " after " << shown(at);
        if (at >= from_us) {
            ASSERT_EQ(shown(fast->last_until(slot - 1)), shown(at)) << expression << " in " << zone;
        }
        ASSERT_EQ(shown(fast->last_until(slot)), shown(slot)) << expression << " in " << zone;
        at = slot;
    }
    const auto beyond = fast->next_after(at);
    ASSERT_TRUE(!beyond || *beyond >= to_us) << expression << " in " << zone << " " << shown(beyond);
}

TEST(ScheduleCron, AgreesWithALookAtEveryMinute) {
    std::mt19937 random(20260329);
    const std::vector<std::pair<std::string_view, std::string_view>> places{
        {"UTC", "2026-01-01T00:00:00Z"},
        {"Europe/Berlin", "2026-01-01T00:00:00Z"},
        {"America/New_York", "2026-01-01T00:00:00Z"},
        {"Australia/Lord_Howe", "2026-01-01T00:00:00Z"},
        {"America/Sao_Paulo", "2018-01-01T00:00:00Z"},
        {"Pacific/Apia", "2011-06-01T00:00:00Z"},
        {"Asia/Beirut", "2024-01-01T00:00:00Z"},
    };
    constexpr std::int64_t year_us = 366LL * 86'400 * 1'000'000;
    for (const auto& [name, start] : places) {
        const auto zone = Zone::find(name);
        ASSERT_TRUE(zone);
        for (int round = 0; round < 4; ++round) {
            auto minute = random_field(random, 0, 59);
            auto hour = random_field(random, 0, 23);
            auto day = random_field(random, 1, 31);
            auto month = random_field(random, 1, 12);
            auto weekday = random_field(random, 0, 6);
            const std::string expression =
                minute.text + " " + hour.text + " " + day.text + " " + month.text + " " + weekday.text;
            const bool either = day.text[0] != '*' && weekday.text[0] != '*';
            const bool fixed = minute.text[0] != '*' && hour.text[0] != '*';
            const SlowCron slow({minute.values, hour.values, day.values, month.values, weekday.values, either, fixed},
                                *zone);
            expect_same_as_slow(expression, slow, name, us(start), us(start) + year_us);
        }
    }
}

} // namespace
} // namespace tocsin
