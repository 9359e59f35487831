// SPDX-License-Identifier: Apache-2.0
// Counters against a recount, across checkpoints and a reopen, and while events arrive.
#include "storage/counters.hpp"
#include "storage/inspect.hpp"
#include "storage/keys.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

#include <map>

namespace tocsin::storage::test {
namespace {

using ::testing::ElementsAre;

struct Recount {
    std::map<std::string, std::map<std::int64_t, std::uint64_t>> by_hour;
    std::map<std::string, std::uint64_t> total;
    std::array<std::uint64_t, 4> by_severity{};
    void add(const Event& e) {
        by_hour[e.event_name][e.event_time_us / hour_us * hour_us] += e.count;
        total[e.event_name] += e.count;
        by_severity[static_cast<std::size_t>(e.severity)] += e.count;
    }
};

void expect_equal(Fixture& f, const Recount& wanted) {
    for (const auto& [name, hours] : wanted.by_hour) {
        const auto got = f.store->hourly(name, 0, INT64_MAX);
        ASSERT_TRUE(got) << got.error().detail();
        std::map<std::int64_t, std::uint64_t> map;
        for (const auto& [hour, count] : *got) {
            map[hour] = count;
        }
        EXPECT_EQ(map, hours) << name;
        EXPECT_EQ(*f.store->total(name), wanted.total.at(name));
    }
    EXPECT_EQ(f.store->health().events_by_severity, wanted.by_severity);
}

TEST(Counters, EqualARecountAcrossCheckpointsAndReopen) {
    Fixture f({.tail_events = 170});
    ASSERT_TRUE(f.open());
    std::mt19937_64 random(8);
    Recount wanted;
    for (std::uint64_t i = 0; i < 1'000;) {
        std::vector<Event> batch;
        for (std::uint64_t n = 1 + random() % 40; n > 0; --n, ++i) {
            Event e = random_event(random, i);
            e.event_time_us = now_us - static_cast<std::int64_t>(random() % 20) * hour_us; // late ones too
            wanted.add(e);
            batch.push_back(std::move(e));
        }
        ASSERT_TRUE(f.append(std::move(batch)));
    }
    expect_equal(f, wanted);
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    expect_equal(f, wanted);
    f.options.tail_events = 10'000; // what a checkpoint wrote is not counted again
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    expect_equal(f, wanted);
    f.options.tail_events = 20; // and a smaller tail than before is emptied with the next commit
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    expect_equal(f, wanted);
    wanted.add(event("last"));
    ASSERT_TRUE(f.append_one(event("last")));
    expect_equal(f, wanted);
}

TEST(Counters, HoursAreHalfOpen) {
    Fixture f({.tail_events = 2});
    ASSERT_TRUE(f.open());
    const std::int64_t hour = now_us / hour_us * hour_us;
    for (const std::int64_t at : {hour - 1, hour, hour + 5, hour + hour_us - 1, hour + hour_us}) {
        ASSERT_TRUE(f.append_one(event("n", "s", at)));
    }
    const auto one = f.store->hourly("n", hour, hour + hour_us);
    ASSERT_TRUE(one);
    ASSERT_EQ(one->size(), 1U);
    EXPECT_EQ((*one)[0].hour_us, hour);
    EXPECT_EQ((*one)[0].count, 3U);
    EXPECT_EQ(f.store->hourly("n", hour - hour_us, hour + 2 * hour_us)->size(), 3U);
    EXPECT_TRUE(f.store->hourly("m", 0, INT64_MAX)->empty());
    EXPECT_TRUE(f.store->hourly("n", hour + hour_us, hour)->empty());
    EXPECT_EQ(*f.store->total("m"), 0U);
}

// A reader sees each event once, in the tail or on disk, while checkpoints move them.
TEST(Counters, AreExactWhileCheckpointsAreMade) {
    Fixture f({.tail_events = 8});
    ASSERT_TRUE(f.open());
    std::uint64_t answered = 0;
    const std::uint64_t sent = 600;
    for (std::uint64_t i = 0; i < sent; ++i) {
        f.store->append({event("n")}, {}, [&answered](const Result<Receipt>& r) { answered += r ? 1U : 0U; });
        if (i % 7 == 0) {
            const auto before = f.store->last_index();
            const auto total = f.store->total("n");
            const auto after = f.store->last_index();
            ASSERT_TRUE(total) << total.error().detail();
            EXPECT_GE(*total, before);
            EXPECT_LE(*total, after);
        }
    }
    ASSERT_TRUE(f.io.run_until([&answered] { return answered == sent; }));
    EXPECT_EQ(*f.store->total("n"), sent);
}

} // namespace
} // namespace tocsin::storage::test
