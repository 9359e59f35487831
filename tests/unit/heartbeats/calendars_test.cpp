// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/calendars.hpp"

#include "tests/unit/core/fake_schedule.hpp"

#include <gtest/gtest.h>

namespace tocsin::heartbeats {
namespace {

TEST(Calendars, TheSameWordsAreTheSameObjectReadOnce) {
    int read = 0;
    Calendars calendars([&read](std::string_view expression, std::string_view zone) {
        ++read;
        return fake_schedule(expression, zone);
    });
    const auto one = calendars.find("every 1h", "").value();
    EXPECT_EQ(calendars.find("every 1h", "").value(), one);
    EXPECT_EQ(read, 1);
    EXPECT_NE(calendars.find("every 1h", "Europe/Berlin").value(), one);
    EXPECT_EQ(calendars.find("every 1h", "UTC").value(), one) << "said otherwise, as a stored row does";
}

TEST(Calendars, NothingIsKeptThatNobodyHolds) {
    Calendars calendars(fake_schedule);
    const auto held = calendars.find("every 1s", "").value();
    for (int i = 2; i < 1'000; ++i) {
        ASSERT_TRUE(calendars.find("every " + std::to_string(i) + "s", ""));
    }
    EXPECT_LE(calendars.size(), 65U);
    EXPECT_EQ(calendars.find("every 1s", "").value(), held);
}

TEST(Calendars, AMistakeNamesItsField) {
    Calendars calendars(fake_schedule);
    const Error schedule = calendars.find("now and then", "").error();
    EXPECT_EQ(schedule.code, Code::invalid_argument);
    EXPECT_EQ(schedule.object, "schedule");
    EXPECT_EQ(calendars.find("every 1h", "Mars/Olympus").error().object, "zone");
    EXPECT_EQ(calendars.size(), 0U);
}

} // namespace
} // namespace tocsin::heartbeats
