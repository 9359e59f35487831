// SPDX-License-Identifier: Apache-2.0
// Sums beside what the differential test compares: their bounds, their cursors, and the day of a name.
#include "storage/keys.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

#include <array>
#include <map>
#include <random>

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

// ---- sums that blocks have counted ----

// Mostly in order, some late by hours, some without a rule, some that stand for several.
std::vector<Event> mixed(std::mt19937_64& random, std::size_t count) {
    std::vector<Event> all;
    for (std::size_t n = 0; n < count; ++n) {
        const auto below = [&random](std::uint64_t end) { return random() % end; };
        const auto late_us = static_cast<std::int64_t>(below(20) == 0 ? below(9 * hour_us) : 0);
        Event e = event("name-" + std::to_string(below(below(50) == 0 ? 40 : 4)), "source-" + std::to_string(below(7)),
                        now_us + static_cast<std::int64_t>(n) * hour_us / 300 - late_us);
        e.scid = static_cast<std::int64_t>(below(5)) - 2;
        e.severity = static_cast<Severity>(below(4));
        e.environment = below(3) == 0 ? "aws" : "";
        e.event_type = below(9) == 0 ? EventType::dataset : EventType::standard;
        e.event_id = e.event_type == EventType::dataset ? "set" : "";
        e.count = below(6) == 0 ? 1 + below(300) : 1;
        if (below(3) != 0) {
            e.event_rule_id = static_cast<std::int64_t>(below(6)) - 3;
        }
        all.push_back(std::move(e));
    }
    return all;
}

constexpr std::array all_keys = {GroupKey::event_name, GroupKey::event_src,   GroupKey::scid,
                                 GroupKey::severity,   GroupKey::environment, GroupKey::event_rule_id,
                                 GroupKey::event_type, GroupKey::event_id,    GroupKey::host};

// Open, on whole hours, within one hour, or anywhere.
void set_times(Filter& filter, std::mt19937_64& random) {
    const auto moment = [&random] {
        return now_us - 10 * hour_us + static_cast<std::int64_t>(random() % (32 * hour_us));
    };
    const std::uint64_t kind = random() % 6;
    if (kind != 0 && kind != 1) {
        filter.since_us = moment();
    }
    if (kind != 0 && kind != 2) {
        filter.until_us = kind == 3 ? *filter.since_us + hour_us / 5 : moment();
    }
    if (kind == 4) {
        *filter.since_us -= *filter.since_us % hour_us;
        *filter.until_us -= *filter.until_us % hour_us;
    }
}

void set_values(Filter& filter, GroupKey key, std::mt19937_64& random) {
    const std::uint64_t kind = random() % 4;
    if (kind == 0) {
        return;
    }
    if (key == GroupKey::event_name) {
        filter.event_name = {kind == 1 ? NamePattern{"name-1", true} : NamePattern{"name-2"}};
    } else if (key == GroupKey::event_src) {
        filter.event_src =
            kind == 1 ? std::vector<std::string>{"source-3"} : std::vector<std::string>{"source-1", "none"};
    } else if (key == GroupKey::scid) {
        filter.scid = kind == 1 ? std::vector<std::int64_t>{-2} : std::vector<std::int64_t>{0, 1};
    } else if (key == GroupKey::severity) {
        if (kind != 2) {
            filter.severity = {Severity::error};
        }
        if (kind != 1) { // both at times, which may leave nothing
            filter.min_severity = random() % 2 == 0 ? Severity::warning : Severity::critical;
        }
    } else if (key == GroupKey::environment) {
        filter.environment = {kind == 1 ? "aws" : ""};
    } else if (key == GroupKey::event_rule_id) {
        filter.event_rule_id = kind == 1 ? std::vector<std::int64_t>{-3} : std::vector<std::int64_t>{0, 2};
    }
    if (random() % 8 == 0) {
        filter.event_type = {EventType::standard}; // beside it
    }
}

TEST_F(Statistics, AreThoseOfTheEventsForEveryDimensionAndTime) {
    std::mt19937_64 random(7);
    ASSERT_TRUE(f.open());
    const auto all = mixed(random, 6'500);
    for (std::size_t at = 0; at < all.size(); at += 100) {
        ASSERT_TRUE(f.append(
            {all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(at) + 100}));
    }
    f.seal_all();
    for (int round = 0; round < 400; ++round) {
        const GroupKey key = all_keys[random() % all_keys.size()];
        Filter filter;
        set_times(filter, random);
        set_values(filter, key, random);
        std::map<std::string, std::uint64_t> want;
        std::map<std::pair<std::int64_t, std::string>, std::uint64_t> want_hours;
        for (const Event& e : all) {
            if (filter.matches(e)) {
                want[text_of(e, key)] += e.count;
                want_hours[{e.event_time_us - e.event_time_us % hour_us, e.event_name}] += e.count;
            }
        }
        const auto got = totals(filter, {key});
        ASSERT_TRUE(got) << got.error().detail();
        std::map<std::string, std::uint64_t> have;
        for (const TotalsRow& row : *got) {
            have[row.values.front()] = row.count;
        }
        EXPECT_EQ(have, want) << round;
        const auto page = hours(filter, 1'000, "");
        ASSERT_TRUE(page) << page.error().detail();
        std::map<std::pair<std::int64_t, std::string>, std::uint64_t> have_hours;
        for (const HourRow& row : page->rows) {
            have_hours[{row.hour_us, row.event_name}] = row.count;
        }
        EXPECT_EQ(have_hours, want_hours) << round;
    }
}

} // namespace
} // namespace tocsin::storage::test
