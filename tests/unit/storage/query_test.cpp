// SPDX-License-Identifier: Apache-2.0
// Queries against the slow obvious matcher, over random events that lie in blocks, in the tail, and across a reopen.
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace tocsin::storage::test {
namespace {

using ::testing::ElementsAre;

std::vector<Event> in_order(std::vector<Event> events, Order order) {
    std::ranges::sort(events, [order](const Event& a, const Event& b) {
        const auto left = std::pair(a.event_time_us, a.unique_index);
        const auto right = std::pair(b.event_time_us, b.unique_index);
        return order == Order::newest   ? left > right
               : order == Order::oldest ? left < right
                                        : a.unique_index < b.unique_index;
    });
    return events;
}

Filter random_filter(std::mt19937_64& random) {
    Filter filter;
    const auto pick = [&random](std::uint64_t below) { return random() % below; };
    const auto sometimes = [&pick] { return pick(5) == 0; };
    const auto text = [&pick](std::string_view stem, std::uint64_t below) {
        return std::string(stem) + std::to_string(pick(below));
    };
    const auto instant = [&pick] { return now_us + static_cast<std::int64_t>(pick(3'000'000)); };
    if (sometimes()) {
        filter.event_name.push_back(parse_name_pattern(pick(2) == 0 ? text("name-", 8) : "name-*"));
        filter.event_name.push_back(parse_name_pattern(text("name-", 8)));
    }
    if (sometimes()) {
        filter.event_src = {text("src-", 5), text("src-", 5)};
    }
    if (sometimes()) {
        filter.scid = {static_cast<std::int64_t>(pick(5)) - 2};
    }
    if (sometimes()) {
        filter.event_rule_id = {static_cast<std::int64_t>(pick(3)) - 1};
    }
    if (sometimes()) {
        filter.severity = {static_cast<Severity>(pick(4))};
    }
    if (sometimes()) {
        filter.min_severity = static_cast<Severity>(pick(4));
    }
    if (sometimes()) {
        filter.environment = {text("env-", 3)};
    }
    if (sometimes()) {
        filter.event_type = {pick(2) == 0 ? EventType::dataset : EventType::standard};
    }
    if (sometimes()) {
        filter.event_id = {text("set-", 4)};
    }
    if (sometimes()) {
        filter.host = {text("host-", 2)};
    }
    if (sometimes()) {
        filter.has_report = pick(2) == 0;
    }
    if (sometimes()) {
        filter.text = {text("summary ", 40), text("u", 9)};
    }
    if (sometimes()) {
        filter.since_us = instant();
    }
    if (sometimes()) {
        filter.until_us = instant();
    }
    if (sometimes()) {
        filter.received_since_us = instant();
    }
    if (sometimes()) {
        filter.received_until_us = instant();
    }
    filter.order = static_cast<Order>(pick(3));
    return filter;
}

// Fills a store with events in commits of random size; gives what a reader must see of each.
class RandomStore : public ::testing::Test {
protected:
    static constexpr std::uint64_t events = 3'000;

    void fill(Fixture& f, std::uint64_t seed) {
        std::mt19937_64 random(seed);
        ASSERT_TRUE(f.open());
        while (all.size() < events) {
            std::vector<Event> batch;
            for (std::uint64_t n = 1 + random() % 200; n > 0; --n) {
                batch.push_back(random_event(random, all.size() + batch.size()));
            }
            const auto receipt = f.append(batch);
            ASSERT_TRUE(receipt) << receipt.error().detail();
            for (std::size_t i = 0; i < batch.size(); ++i) {
                batch[i].unique_index = receipt->indexes[i];
                if (!batch[i].spark_script.empty()) {
                    batch[i].spark_report_id = -1;
                }
                all.push_back(batch[i]);
            }
        }
        StateChange reports;
        for (std::size_t i = 0; i < all.size(); i += 37) {
            all[i].spark_report_id = 5'000 + static_cast<std::int64_t>(i);
            all[i].spark_report_url = "https://reports/" + std::to_string(i);
            reports.rows.push_back({Table::reports, report_key(all[i].unique_index),
                                    encode_report(*all[i].spark_report_id, all[i].spark_report_url)});
        }
        ASSERT_TRUE(f.commit(std::move(reports)));
    }

    std::vector<Event> wanted(const Filter& filter) const {
        std::vector<Event> out;
        std::ranges::copy_if(all, std::back_inserter(out), [&filter](const Event& e) { return filter.matches(e); });
        return in_order(std::move(out), filter.order);
    }

    void compare(Fixture& f, std::uint64_t seed, int rounds) {
        std::mt19937_64 random(seed);
        for (int round = 0; round < rounds; ++round) {
            const Filter filter = random_filter(random);
            const auto want = wanted(filter);
            const std::size_t limit = 1 + random() % 300;
            std::vector<Event> got;
            std::string cursor;
            do {
                const auto page = f.query(filter, limit, cursor);
                ASSERT_TRUE(page) << page.error().detail();
                ASSERT_LE(page->events.size(), limit);
                ASSERT_TRUE(page->next.empty() || page->events.size() == limit);
                got.insert(got.end(), page->events.begin(), page->events.end());
                cursor = page->next;
            } while (!cursor.empty() && got.size() <= want.size());
            ASSERT_EQ(got.size(), want.size()) << "round " << round;
            ASSERT_TRUE(got == want) << "round " << round;
            const auto count = f.count(filter);
            ASSERT_TRUE(count);
            ASSERT_EQ(*count, want.size());
        }
    }

    std::vector<Event> all;
};

TEST_F(RandomStore, AgreesWithTheOracleInTheTail) {
    Fixture f;
    ASSERT_NO_FATAL_FAILURE(fill(f, 11));
    compare(f, 12, 150);
}

TEST_F(RandomStore, AgreesWithTheOracleAcrossBlocksAndReopen) {
    Fixture f({.tail_events = 350});
    ASSERT_NO_FATAL_FAILURE(fill(f, 21));
    compare(f, 22, 150); // while blocks are being sealed
    ASSERT_NO_FATAL_FAILURE(f.seal_all());
    compare(f, 24, 150);
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    compare(f, 23, 150);
}

TEST_F(RandomStore, FollowsByIndexWithoutAGap) {
    Fixture f({.tail_events = 500});
    ASSERT_NO_FATAL_FAILURE(fill(f, 31));
    Filter filter;
    filter.min_severity = Severity::error;
    filter.order = Order::index;
    const auto want = wanted(filter);
    std::vector<Event> got;
    std::uint64_t at = 0;
    while (at < all.size()) {
        const auto slice = f.read_after(at, filter, 70);
        ASSERT_TRUE(slice) << slice.error().detail();
        ASSERT_GT(slice->upto, at);
        EXPECT_EQ(slice->first_kept, 1U);
        got.insert(got.end(), slice->events.begin(), slice->events.end());
        at = slice->upto;
    }
    EXPECT_TRUE(got == want);
    const auto rest = f.read_after(at, {}, 10);
    ASSERT_TRUE(rest);
    EXPECT_TRUE(rest->events.empty());
    EXPECT_EQ(rest->upto, at);
}

TEST(Query, PagesStayWhileEventsArrive) {
    Fixture f({.tail_events = 64});
    ASSERT_TRUE(f.open());
    std::vector<Event> first;
    for (int i = 0; i < 500; ++i) {
        first.push_back(event("n", "s", now_us + i % 50)); // many share an instant
    }
    ASSERT_TRUE(f.append(first));
    for (const Order order : {Order::newest, Order::oldest, Order::index}) {
        const std::uint64_t before = f.store->last_index();
        Filter filter;
        filter.order = order;
        std::vector<std::uint64_t> seen;
        std::string cursor;
        do {
            const auto page = f.query(filter, 33, cursor);
            ASSERT_TRUE(page) << page.error().detail();
            for (const Event& e : page->events) {
                seen.push_back(e.unique_index);
            }
            cursor = page->next;
            ASSERT_TRUE(f.append({event("late", "s", now_us), event("new", "s", now_us + 1'000'000)}));
            if (seen.size() > 200 && seen.size() < 250) {
                ASSERT_NO_FATAL_FAILURE(f.reopen()); // cursors outlive the process
            }
        } while (!cursor.empty());
        EXPECT_EQ(seen.size(), before);
        std::ranges::sort(seen);
        EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end()) << "an event came twice";
        EXPECT_EQ(seen.back(), before) << "something that came after the first page got in";
    }
}

TEST(Query, APageEndsByBytes) {
    Fixture f;
    ASSERT_TRUE(f.open());
    std::vector<Event> events;
    for (int i = 0; i < 200; ++i) {
        events.push_back(event("big"));
        events.back().payload = R"({"t":")" + std::string(60'000, 'z') + "\"}";
    }
    ASSERT_TRUE(f.append(events));
    std::size_t seen = 0;
    std::size_t pages = 0;
    std::string cursor;
    do {
        const auto page = f.query({}, 200, cursor);
        ASSERT_TRUE(page);
        std::size_t bytes = 0;
        for (const Event& e : page->events) {
            bytes += size_of(e);
        }
        EXPECT_LE(bytes, limits::page_bytes);
        seen += page->events.size();
        ++pages;
        cursor = page->next;
    } while (!cursor.empty());
    EXPECT_EQ(seen, 200U);
    EXPECT_EQ(pages, 2U);
    const auto slice = f.read_after(0, {}, 200);
    ASSERT_TRUE(slice);
    EXPECT_LT(slice->events.size(), 200U);
    EXPECT_EQ(slice->upto, slice->events.size());
}

TEST(Query, RefusesACursorOfAnotherFilter) {
    Fixture f;
    ASSERT_TRUE(f.open());
    ASSERT_TRUE(f.append({event("a"), event("b")}));
    const auto page = f.query({}, 1);
    ASSERT_TRUE(page);
    ASSERT_FALSE(page->next.empty());
    Filter other;
    other.event_name.push_back(parse_name_pattern("a"));
    EXPECT_EQ(f.query(other, 1, page->next).error().code, Code::invalid_argument);
    EXPECT_EQ(f.query({}, 1, "nonsense").error().code, Code::invalid_argument);
}

TEST(Query, GivesUpBeyondItsTime) {
    Fixture f({.query_us_max = 0});
    ASSERT_TRUE(f.open());
    std::vector<Event> events;
    for (int i = 0; i < 40'000; ++i) {
        events.push_back(event("n"));
        events.back().payload = R"({"t":")" + std::string(200, 'z') + "\"}";
    }
    ASSERT_TRUE(f.append(events));
    Filter filter;
    filter.text = {"not there"};
    filter.order = Order::oldest; // all of them are in the first thing that is looked at: no page is further than that
    const auto page = f.query(filter);
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code, Code::limit_exceeded);
    EXPECT_NE(page.error().reason.find("narrow"), std::string::npos);
    EXPECT_EQ(f.count(filter).error().code, Code::limit_exceeded);
    EXPECT_TRUE(f.get(1)) << "others go on";
}

// What cannot be answered in the time of a page is answered in several, each of which comes further; events that came
// late are on the page of their time.
TEST(Query, ALongSearchComesFurtherWithEachPage) {
    Fixture f({.tail_events = 1'000, .page_us_max = 0});
    ASSERT_TRUE(f.open());
    std::mt19937_64 random(11);
    std::vector<Event> all;
    for (std::int64_t n = 0; n < 20'000; ++n) {
        const auto late_us = random() % 30 == 0 ? static_cast<std::int64_t>(random() % 3'000'000) : 0;
        all.push_back(event("n", "unit", now_us + n * 1'000 - late_us));
        all.back().summary = random() % 500 == 0 ? "a needle" : "straw";
    }
    for (std::size_t at = 0; at < all.size(); at += 200) {
        const auto from = all.begin() + static_cast<std::ptrdiff_t>(at);
        const auto receipt = f.append({from, from + 200});
        ASSERT_TRUE(receipt);
        for (std::size_t i = 0; i < 200; ++i) {
            all[at + i].unique_index = receipt->indexes[i];
        }
    }
    f.seal_all();
    for (const Order order : {Order::newest, Order::oldest, Order::index}) {
        Filter filter;
        filter.text = {"needle"};
        filter.order = order;
        std::vector<std::pair<std::int64_t, std::uint64_t>> want;
        for (const Event& e : all) {
            if (filter.matches(e)) {
                want.emplace_back(order == Order::index ? 0 : e.event_time_us, e.unique_index);
            }
        }
        order == Order::newest ? std::ranges::sort(want, std::ranges::greater{}) : std::ranges::sort(want);
        std::vector<std::uint64_t> wanted;
        std::ranges::transform(want, std::back_inserter(wanted), [](const auto& one) { return one.second; });
        std::vector<std::uint64_t> got;
        std::size_t pages = 0;
        for (std::string cursor; pages == 0 || !cursor.empty(); ++pages) {
            ASSERT_LT(pages, all.size()) << "each comes further";
            const auto page = f.query(filter, 100, cursor);
            ASSERT_TRUE(page) << page.error().detail();
            std::ranges::transform(page->events, std::back_inserter(got), &Event::unique_index);
            cursor = page->next;
        }
        EXPECT_EQ(got, wanted) << to_string(order);
        EXPECT_GT(pages, 1U) << "no page ended early";
    }
}

TEST(Query, OfAnEmptyLogIsEmpty) {
    Fixture f;
    ASSERT_TRUE(f.open());
    EXPECT_TRUE(f.query({})->events.empty());
    EXPECT_EQ(*f.count({}), 0U);
    EXPECT_EQ(f.store->first_index(), 0U);
    EXPECT_EQ(f.store->last_index(), 0U);
    EXPECT_EQ(f.read_after(0)->upto, 0U);
}

} // namespace
} // namespace tocsin::storage::test
