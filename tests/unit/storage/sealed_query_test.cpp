// SPDX-License-Identifier: Apache-2.0
// The indexes against the slow obvious matcher: seeded random events that are late, repeated, hostile and of many
// values, asked by random filters of what is there, while blocks are sealed, after it, and across reopenings.
#include "storage/keys.hpp"
#include "tests/unit/storage/support.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace tocsin::storage::test {
namespace {

class Generator {
public:
    explicit Generator(std::uint64_t seed) : random_(seed), wide_(seed % 3 == 0), late_(seed % 2 == 0) {}

    Event event(std::uint64_t number) {
        Event e = random_event(random_, number);
        e.event_name = name();
        e.event_src = wide_ ? "s" + std::to_string(pick(5'000)) : e.event_src;
        e.scid = wide_ && pick(2) == 0 ? static_cast<std::int64_t>(random_()) : e.scid;
        e.environment = pick(4) == 0 ? hostile() : e.environment;
        e.event_time_us = now_us + static_cast<std::int64_t>(number) * 100'000;
        if (late_ && pick(40) == 0) {
            const std::int64_t off = static_cast<std::int64_t>(pick(60 * 24)) * hour_us;
            e.event_time_us += pick(4) == 0 ? off : -off;
        }
        e.event_time_us = pick(500) == 0 ? static_cast<std::int64_t>(random_()) : e.event_time_us;
        e.received_time_us = now_us + static_cast<std::int64_t>(number) * 100'000 - (pick(90) == 0 ? hour_us : 0);
        return e;
    }

    // Asks for values of this event, mostly.
    Filter filter(const Event& like) {
        Filter f;
        const auto sometimes = [this] { return pick(4) == 0; };
        if (sometimes()) {
            const std::size_t length = pick(like.event_name.size() + 1);
            f.event_name.push_back(
                {like.event_name.substr(0, pick(2) == 0 ? length : std::string::npos), pick(2) == 0});
            f.event_name.push_back({name(), pick(3) == 0});
        }
        if (sometimes()) {
            f.event_src = {like.event_src, "src-" + std::to_string(pick(5)), like.event_src};
        }
        if (sometimes()) {
            f.scid = {like.scid, static_cast<std::int64_t>(pick(3))};
        }
        if (pick(6) == 0) {
            f.event_rule_id = {like.event_rule_id.value_or(0)};
        }
        if (sometimes()) {
            f.severity = {like.severity};
        }
        if (pick(6) == 0) {
            f.min_severity = static_cast<Severity>(pick(4));
        }
        if (pick(6) == 0) {
            f.environment = {like.environment, hostile()};
        }
        if (pick(8) == 0) {
            f.event_type = {like.event_type};
        }
        if (pick(8) == 0) {
            f.event_id = {like.event_id};
        }
        if (pick(8) == 0) {
            f.host = {like.host};
        }
        if (pick(12) == 0) {
            f.has_report = pick(2) == 0;
        }
        if (pick(12) == 0) {
            f.text = {"u" + std::to_string(pick(9))};
        }
        bounds(f, like);
        f.order = static_cast<Order>(pick(3));
        return f;
    }

    std::uint64_t pick(std::uint64_t below) { return random_() % below; }

private:
    void bounds(Filter& f, const Event& like) {
        const auto near = [this](std::int64_t time) {
            const auto off = static_cast<std::int64_t>(pick(600'000'000)) - 300'000'000;
            return static_cast<std::int64_t>(static_cast<std::uint64_t>(time) + static_cast<std::uint64_t>(off));
        };
        if (pick(4) == 0) {
            f.since_us = pick(3) == 0 ? like.event_time_us : near(like.event_time_us);
        }
        if (pick(4) == 0) {
            f.until_us = pick(3) == 0 ? like.event_time_us : near(like.event_time_us);
        }
        if (pick(7) == 0) {
            f.received_since_us = near(like.received_time_us);
        }
        if (pick(7) == 0) {
            f.received_until_us = near(like.received_time_us);
        }
    }

    std::string name() {
        const std::uint64_t kind = pick(10);
        return kind == 0   ? hostile() + "x"
               : kind == 1 ? std::string(255 - pick(2), 'n')
               : wide_     ? "name-" + std::to_string(pick(3'000))
                           : "name-" + std::to_string(pick(12));
    }
    std::string hostile() {
        std::string text(pick(6), '\0');
        for (char& byte : text) {
            byte = static_cast<char>(pick(3) == 0 ? 0xff : pick(256));
        }
        return text;
    }

    std::mt19937_64 random_;
    bool wide_;
    bool late_;
};

class Differential : public ::testing::TestWithParam<std::uint64_t> {
protected:
    void fill(Fixture& f, Generator& make, std::uint64_t until) {
        while (all.size() < until) {
            std::vector<Event> batch;
            for (std::uint64_t n = 1 + make.pick(150); n > 0; --n) {
                batch.push_back(make.pick(20) == 0 && !all.empty() ? all[make.pick(all.size())]
                                                                   : make.event(all.size() + batch.size()));
                batch.back().spark_report_id.reset();
            }
            const auto receipt = f.append(batch);
            ASSERT_TRUE(receipt) << receipt.error().detail();
            for (std::size_t i = 0; i < batch.size(); ++i) {
                batch[i].unique_index = receipt->indexes[i];
                if (!batch[i].spark_script.empty()) {
                    batch[i].spark_report_id = -1;
                }
                all.push_back(std::move(batch[i]));
            }
        }
    }

    std::vector<Event> wanted(const Filter& filter) const {
        std::vector<Event> out;
        std::ranges::copy_if(all, std::back_inserter(out), [&filter](const Event& e) { return filter.matches(e); });
        if (filter.order != Order::index) {
            std::ranges::sort(out, {}, [](const Event& e) { return std::pair(e.event_time_us, e.unique_index); });
        }
        if (filter.order == Order::newest) {
            std::ranges::reverse(out);
        }
        return out;
    }

    void compare(Fixture& f, Generator& make, int rounds) {
        for (int round = 0; round < rounds; ++round) {
            const Filter filter = make.filter(all[make.pick(all.size())]);
            const auto want = wanted(filter);
            const auto count = f.count(filter);
            ASSERT_TRUE(count) << count.error().detail();
            ASSERT_EQ(*count, want.size()) << "round " << round;
            const std::size_t limit = 1 + make.pick(400);
            std::vector<Event> got;
            std::string cursor;
            do {
                const auto page = f.query(filter, limit, cursor);
                ASSERT_TRUE(page) << page.error().detail();
                got.insert(got.end(), page->events.begin(), page->events.end());
                cursor = page->next;
            } while (!cursor.empty() && got.size() < want.size());
            ASSERT_TRUE(got == want) << "round " << round << ": " << got.size() << " of " << want.size();
            ASSERT_TRUE(cursor.empty());
            ASSERT_NO_FATAL_FAILURE(compare_totals(f, make, filter, want)) << "round " << round;
            if (round % 4 == 0) {
                ASSERT_NO_FATAL_FAILURE(compare_hours(f, filter, want)) << "round " << round;
            }
        }
    }

    static void compare_totals(Fixture& f, Generator& make, const Filter& filter, const std::vector<Event>& want) {
        std::vector<GroupKey> by;
        for (std::uint64_t keys = 1 + make.pick(3); by.size() < keys;) {
            const auto key = static_cast<GroupKey>(make.pick(9));
            if (std::ranges::find(by, key) == by.end()) {
                by.push_back(key);
            }
        }
        std::map<std::vector<std::string>, std::uint64_t> sums;
        for (const Event& e : want) {
            std::vector<std::string> key;
            std::ranges::transform(by, std::back_inserter(key), [&e](GroupKey k) { return text_of(e, k); });
            sums[key] += e.count;
        }
        const auto got =
            f.wait<Totals>([&f, &filter, &by](Done<Totals> done) { f.store->totals(filter, by, std::move(done)); });
        ASSERT_TRUE(got) << got.error().detail();
        ASSERT_EQ(got->size(), sums.size());
        ASSERT_TRUE(std::ranges::is_sorted(*got, std::ranges::greater{}, &TotalsRow::count));
        for (const TotalsRow& row : *got) {
            ASSERT_EQ(row.count, sums[row.values]);
        }
    }

    static void compare_hours(Fixture& f, const Filter& filter, const std::vector<Event>& want) {
        std::map<std::pair<std::int64_t, std::string>, std::uint64_t> sums;
        for (const Event& e : want) {
            sums[{static_cast<std::int64_t>(hour_of(e.event_time_us)) * hour_us, e.event_name}] += e.count;
        }
        std::vector<HourRow> got;
        std::string cursor;
        do {
            const auto page = f.wait<HourPage>(
                [&f, &filter, &cursor](Done<HourPage> done) { f.store->hourly(filter, 300, cursor, std::move(done)); });
            ASSERT_TRUE(page) << page.error().detail();
            got.insert(got.end(), page->rows.begin(), page->rows.end());
            cursor = page->next;
        } while (!cursor.empty() && got.size() < sums.size());
        ASSERT_TRUE(cursor.empty());
        ASSERT_EQ(got.size(), sums.size());
        auto row = got.begin();
        for (const auto& [key, sum] : sums) {
            ASSERT_EQ(*row, (HourRow{key.first, key.second, sum}));
            ++row;
        }
    }

    std::vector<Event> all;
};

TEST_P(Differential, AgreesWithTheOracle) {
    Generator make(GetParam());
    Fixture f({.tail_events = 100 + make.pick(1'500)});
    ASSERT_TRUE(f.open());
    ASSERT_NO_FATAL_FAILURE(fill(f, make, 2'000));
    ASSERT_NO_FATAL_FAILURE(compare(f, make, 25)); // while blocks are sealed
    ASSERT_NO_FATAL_FAILURE(f.seal_all());
    ASSERT_NO_FATAL_FAILURE(compare(f, make, 50));
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    ASSERT_NO_FATAL_FAILURE(compare(f, make, 10));
    f.options.tail_events = 64 + make.pick(200);
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    ASSERT_NO_FATAL_FAILURE(fill(f, make, 3'000));
    ASSERT_NO_FATAL_FAILURE(f.seal_all());
    ASSERT_NO_FATAL_FAILURE(compare(f, make, 50));
}

std::vector<std::uint64_t> seeds() {
    std::uint64_t count = 8;
    if (const char* more = std::getenv("TOCSIN_ROUNDS"); more != nullptr) {
        count = std::max<std::uint64_t>(1, std::strtoull(more, nullptr, 10));
    }
    std::vector<std::uint64_t> out(static_cast<std::size_t>(count));
    std::generate(out.begin(), out.end(), [next = std::uint64_t{100}]() mutable { return next++; });
    return out;
}

INSTANTIATE_TEST_SUITE_P(Seeds, Differential, ::testing::ValuesIn(seeds()));

} // namespace
} // namespace tocsin::storage::test
