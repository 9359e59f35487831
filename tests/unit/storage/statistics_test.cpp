// SPDX-License-Identifier: Apache-2.0
// Sums beside what the differential test compares: their bounds, their cursors, and the day of a name.
#include "storage/keys.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

namespace tocsin::storage::test {
namespace {

using ::testing::HasSubstr;

class Statistics : public ::testing::Test {
protected:
    Result<Totals> totals(Filter filter, std::vector<GroupKey> by) {
        return f.wait<Totals>([&](Done<Totals> done) { f.store->totals(std::move(filter), by, std::move(done)); });
    }
    Result<HourPage> hours(Filter filter, std::size_t limit, std::string cursor) {
        return f.wait<HourPage>([&](Done<HourPage> done) {
            f.store->hourly(std::move(filter), limit, std::move(cursor), std::move(done));
        });
    }
    Result<DayCounts> day(std::string name, std::int64_t day_us) {
        return f.wait<DayCounts>(
            [&](Done<DayCounts> done) { f.store->histogram(std::move(name), day_us, std::move(done)); });
    }
    Fixture f{{.tail_events = 1'000}};
};

TEST_F(Statistics, NothingIsNoRow) {
    ASSERT_TRUE(f.open());
    EXPECT_TRUE(totals({}, {GroupKey::host})->empty());
    EXPECT_TRUE(hours({}, 10, "")->rows.empty());
    EXPECT_EQ(*day("n", 0), DayCounts{});
}

TEST_F(Statistics, MoreRowsThanAnAnswerHoldsAreRefusedWhereverTheyLie) {
    ASSERT_TRUE(f.open());
    for (std::size_t i = 0; i < limits::totals_max; i += 500) {
        std::vector<Event> batch;
        for (std::size_t j = i; j < i + 500; ++j) {
            batch.push_back(event("n", "source-" + std::to_string(j)));
        }
        ASSERT_TRUE(f.append(std::move(batch)));
    }
    f.seal_all();
    const auto whole = totals({}, {GroupKey::event_src});
    ASSERT_TRUE(whole) << whole.error().detail();
    EXPECT_EQ(whole->size(), limits::totals_max);
    ASSERT_TRUE(f.append_one(event("n", "one more")));
    const auto refused = totals({}, {GroupKey::event_src});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::limit_exceeded);
    EXPECT_THAT(refused.error().detail(), HasSubstr("group_by"));
    EXPECT_EQ(totals({}, {GroupKey::event_name})->front(), (TotalsRow{{"n"}, limits::totals_max + 1}));
}

TEST_F(Statistics, WhatArrivesLaterIsOnNoLaterPageOfHours) {
    ASSERT_TRUE(f.open());
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(f.append_one(event("n" + std::to_string(i))));
    }
    const auto first = hours({}, 2, "");
    ASSERT_TRUE(first);
    ASSERT_FALSE(first->next.empty());
    ASSERT_TRUE(f.append_one(event("n4")));
    ASSERT_TRUE(f.append_one(event("n5")));
    const auto rest = hours({}, 10, first->next);
    ASSERT_TRUE(rest) << rest.error().detail();
    ASSERT_EQ(rest->rows.size(), 3U);
    EXPECT_EQ(rest->rows.back().event_name, "n4");
    EXPECT_EQ(rest->rows.back().count, 1U);
    EXPECT_TRUE(rest->next.empty());
    Filter other;
    other.event_src = {"unit"};
    EXPECT_EQ(hours(other, 10, first->next).error().code, Code::invalid_argument);
    EXPECT_EQ(hours({}, 10, first->next + "00").error().code, Code::invalid_argument) << "another name";
}

TEST_F(Statistics, ADayHasItsOwnHoursAlone) {
    ASSERT_TRUE(f.open());
    const std::int64_t midnight = now_us / (24 * hour_us) * 24 * hour_us;
    for (const std::int64_t at : {midnight - 1, midnight, midnight + 23 * hour_us, midnight + 24 * hour_us}) {
        Event e = event("n", "unit", at);
        e.count = 5;
        ASSERT_TRUE(f.append_one(std::move(e)));
    }
    DayCounts want{};
    want[0] = 5;
    want[23] = 5;
    EXPECT_EQ(*day("n", midnight), want);
    EXPECT_EQ(*day("m", midnight), DayCounts{});
}

} // namespace
} // namespace tocsin::storage::test
