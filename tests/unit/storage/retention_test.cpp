// SPDX-License-Identifier: Apache-2.0
// What must go goes, by age and for space, and nothing else: whoever reads, counts or verifies agrees with a plain list
// of what is left, wherever the work is cut off.
#include "core/ports.hpp"
#include "storage/counters.hpp"
#include "storage/inspect.hpp"
#include "storage/keys.hpp"
#include "storage/log_state.hpp"
#include "storage/schema.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>

namespace tocsin::storage::test {
namespace {

using ::testing::IsEmpty;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t day = 24 * 3600 * second;

Filter random_filter(std::mt19937_64& random) {
    const auto pick = [&random](std::uint64_t below) { return random() % below; };
    Filter filter;
    if (pick(2) == 0) {
        filter.event_name = {pick(3) == 0 ? NamePattern{"name-", true}
                                          : NamePattern{"name-" + std::to_string(pick(7)), false}};
    }
    if (pick(3) == 0) {
        filter.event_src = {"src-" + std::to_string(pick(4))};
    }
    if (pick(3) == 0) {
        filter.severity = {static_cast<Severity>(pick(4))};
    }
    if (pick(4) == 0) {
        filter.environment = {"env-1"};
    }
    if (pick(4) == 0) {
        filter.since_us = now_us + static_cast<std::int64_t>(pick(1'000'000));
    }
    if (pick(4) == 0) {
        filter.received_until_us = now_us + static_cast<std::int64_t>(pick(1'000'000));
    }
    if (pick(6) == 0) {
        filter.text = {"summary 1"};
    }
    filter.order = static_cast<Order>(pick(3));
    return filter;
}

std::vector<std::uint64_t> wanted(const std::vector<Event>& left, const Filter& filter) {
    std::vector<const Event*> found;
    for (const Event& e : left) {
        if (filter.matches(e)) {
            found.push_back(&e);
        }
    }
    std::ranges::stable_sort(found, [&filter](const Event* a, const Event* b) {
        const auto key = [](const Event* e) { return std::pair(e->event_time_us, e->unique_index); };
        return filter.order == Order::newest   ? key(a) > key(b)
               : filter.order == Order::oldest ? key(a) < key(b)
                                               : a->unique_index < b->unique_index;
    });
    std::vector<std::uint64_t> out;
    std::ranges::transform(found, std::back_inserter(out), &Event::unique_index);
    return out;
}

// The store has these events and no others, whoever asks.
void expect_left(Fixture& f, const std::vector<Event>& all, const std::vector<Event>& left, std::uint64_t seed) {
    std::map<std::uint64_t, const Event*> there;
    for (const Event& e : left) {
        there[e.unique_index] = &e;
    }
    for (const Event& e : all) {
        const auto got = f.get(e.unique_index);
        const bool alive = there.contains(e.unique_index);
        ASSERT_EQ(got.has_value(), alive) << e.unique_index << (got ? "" : got.error().detail());
        ASSERT_TRUE(!got || *got == *there[e.unique_index]) << e.unique_index;
        ASSERT_TRUE(got || got.error().code == Code::not_found) << got.error().detail();
    }
    EXPECT_EQ(f.store->health().event_count, left.size());
    EXPECT_EQ(f.store->first_index(), left.empty() ? 0 : left.front().unique_index);
    EXPECT_EQ(f.store->last_index(), all.back().unique_index);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 40; ++i) {
        const Filter filter = random_filter(random);
        const auto want = wanted(left, filter);
        std::vector<std::uint64_t> got;
        for (std::string cursor;;) {
            const auto page = f.query(filter, 1 + random() % 60, cursor);
            ASSERT_TRUE(page) << page.error().detail();
            std::ranges::transform(page->events, std::back_inserter(got), &Event::unique_index);
            cursor = page->next;
            if (cursor.empty()) {
                break;
            }
        }
        ASSERT_EQ(got, want) << i;
        const auto count = f.count(filter);
        ASSERT_TRUE(count);
        ASSERT_EQ(*count, want.size()) << i;
    }
}

Result<Totals> totals(Fixture& f, const Filter& filter, std::vector<GroupKey> by) {
    return f.wait<Totals>([&](Done<Totals> done) { f.store->totals(filter, by, std::move(done)); });
}

std::map<std::string, std::uint64_t> sums(const std::vector<Event>& events,
                                          const std::function<std::string(const Event&)>& key) {
    std::map<std::string, std::uint64_t> out;
    for (const Event& e : events) {
        out[key(e)] += e.count;
    }
    return out;
}

// One dimension counts all that there ever was.
void expect_counts(Fixture& f, const std::vector<Event>& all) {
    const std::vector<std::pair<GroupKey, std::function<std::string(const Event&)>>> keys = {
        {GroupKey::event_name, [](const Event& e) { return e.event_name; }},
        {GroupKey::event_src, [](const Event& e) { return e.event_src; }},
        {GroupKey::scid, [](const Event& e) { return std::to_string(e.scid); }},
        {GroupKey::severity, [](const Event& e) { return std::string(to_string(e.severity)); }},
        {GroupKey::environment, [](const Event& e) { return e.environment; }}};
    for (const auto& [by, key] : keys) {
        const auto got = totals(f, {}, {by});
        ASSERT_TRUE(got) << got.error().detail();
        std::map<std::string, std::uint64_t> seen;
        for (const TotalsRow& row : *got) {
            seen[row.values[0]] = row.count;
        }
        EXPECT_EQ(seen, sums(all, key)) << to_string(by);
    }
    const std::uint64_t named = sums(all, [](const Event& e) { return e.event_name; })["name-1"];
    if (named == 0) {
        return;
    }
    Filter one;
    one.event_name = {{"name-1", false}};
    const auto got = totals(f, one, {GroupKey::event_name});
    ASSERT_TRUE(got && got->size() == 1);
    EXPECT_EQ(got->front().count, named);
    EXPECT_EQ(*f.store->total("name-1"), got->front().count);
}

void expect_sound(Fixture& f, std::uint64_t stored, std::uint64_t expired) {
    f.close();
    const auto seen = inspect(f.directory.path());
    ASSERT_TRUE(seen) << seen.error().detail();
    EXPECT_THAT(seen->problems, IsEmpty());
    EXPECT_EQ(seen->count, stored);
    EXPECT_EQ(seen->expired, expired);
}

std::vector<Event> only(const std::vector<Event>& all, const std::function<bool(const Event&)>& stays) {
    std::vector<Event> out;
    std::ranges::copy_if(all, std::back_inserter(out), stays);
    return out;
}

Options small(std::size_t tail_events) {
    Options options;
    options.tail_events = tail_events;
    return options;
}

// Of a closed store whose events have all gone.
void expect_nothing_left_behind(const Fixture& f) {
    auto env = Env::open({.directory = f.directory.path()});
    ASSERT_TRUE(env);
    ASSERT_TRUE((*env)->open_trees());
    const auto txn = Txn::read(**env);
    ASSERT_TRUE(txn);
    for (const Tree tree : {Tree::log, Tree::blocks, Tree::records, Tree::sealed, Tree::idem, Tree::reports}) {
        Cursor cursor(*txn, tree);
        const auto found = cursor.first();
        EXPECT_EQ(*txn->entries(tree), 0U)
            << tree_name(tree) << " has " << (found && *found ? to_hex((*found)->key) : std::string());
    }
}

TEST(RetentionByAge, EachSeverityHasItsTime) {
    Fixture f(small(100));
    ASSERT_TRUE(f.open());
    const auto all = fill(f, 1, 950);
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    expect_left(f, all, all, 1);
    f.clock.now += 34 * day; // info has 30 days, and 3 more before one must look
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    auto left = only(all, [](const Event& e) { return e.severity != Severity::info; });
    expect_left(f, all, left, 2);
    expect_counts(f, all);
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    expect_left(f, all, left, 3);
    f.clock.now += 70 * day;
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    left = only(all, [](const Event& e) { return e.severity >= Severity::error; });
    expect_left(f, all, left, 4);
    expect_counts(f, all);
    expect_sound(f, left.size(), all.size() - left.size());
    ASSERT_TRUE(f.open());
    f.clock.now += 500 * day;
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    expect_left(f, all, {}, 5);
    expect_counts(f, all);
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    const auto next = f.append_one(event("next"));
    ASSERT_TRUE(next);
    EXPECT_EQ(next->indexes[0], all.size() + 1) << "an index was used again";
    EXPECT_EQ(f.store->first_index(), all.size() + 1);
    expect_sound(f, 1, all.size());
}

TEST(RetentionByAge, ReceivedTimeDecidesToTheEvent) {
    Fixture f(small(300));
    f.options.retention.age_us = {10 * second, day, day, day};
    ASSERT_TRUE(f.open());
    const auto all = fill(f, 2, 600); // a thousandth of a second apart
    f.clock.now = now_us + 10 * second + 450'000;
    ASSERT_NO_FATAL_FAILURE(f.reopen()); // looks at once
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    const auto slack = second; // a tenth of the time
    const std::int64_t now = f.clock.now;
    for (const Event& e : all) {
        const bool due = e.severity == Severity::info && e.received_time_us < now - 10 * second;
        const bool there = f.get(e.unique_index).has_value();
        ASSERT_TRUE(there || due) << e.unique_index << " went before its time";
    }
    f.clock.now += 2 * slack;
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    const auto left = only(all, [](const Event& e) { return e.severity != Severity::info; });
    expect_left(f, all, left, 6);
    expect_sound(f, left.size(), all.size() - left.size());
}

TEST(RetentionByAge, PinnedEventsAndThoseNotReadStay) {
    Fixture f(small(50));
    ASSERT_TRUE(f.open());
    const auto all = fill(f, 3, 300);
    StateChange change;
    for (const std::uint64_t index : {7U, 99U, 100U}) {
        change.rows.push_back({Table::pins, index_key(index), ""});
    }
    change.rows.push_back({Table::reports, report_key(12), encode_report(5, "http://x/")});
    change.rows.push_back({Table::reports, report_key(99), encode_report(6, "http://y/")});
    change.cursor_name = "jobs";
    change.cursor = 200;
    ASSERT_TRUE(f.commit(std::move(change)));
    f.clock.now += 600 * day;
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    const auto stays = [](const Event& e) {
        return e.unique_index == 7 || e.unique_index == 99 || e.unique_index == 100 ||
               (e.unique_index > 200 && !e.spark_script.empty());
    };
    auto left = only(all, stays);
    for (Event& e : left) {
        if (e.unique_index == 99) {
            e.spark_report_id = 6;
            e.spark_report_url = "http://y/";
        }
    }
    expect_left(f, all, left, 7);
    const auto reports =
        f.wait<std::vector<Row>>([&](auto done) { f.store->scan(Table::reports, {}, 10, false, std::move(done)); });
    ASSERT_TRUE(reports);
    EXPECT_EQ(reports->size(), 1U) << "a report outlived its event";
    expect_sound(f, left.size(), all.size() - left.size());
}

// The commit of that number and all after it fail, as they do for a process that is dead.
TEST(RetentionByAge, CutOffAnywhereLeavesAWholeStore) {
    for (int dead_after = 0; dead_after < 60; ++dead_after) {
        Fixture f(small(60));
        f.options.retention.age_us = {30 * day, 60 * day, 60 * day, 365 * day};
        ASSERT_TRUE(f.open());
        const auto all = fill(f, 4, 260);
        ASSERT_NO_FATAL_FAILURE(f.tidy_all());
        f.close();
        constexpr std::array<std::int64_t, 3> days = {40, 70, 600};
        f.clock.now += days[static_cast<std::size_t>(dead_after % 3)] * day;
        auto commits = std::make_shared<std::atomic<int>>(0);
        f.seams.before_commit = [commits, dead_after] { return ++*commits > dead_after ? EIO : 0; };
        ASSERT_TRUE(f.open());
        const auto end = std::chrono::steady_clock::now() + patience;
        while (f.store->health().stopped_writing.empty() && std::chrono::steady_clock::now() < end) {
            auto seen = std::make_shared<bool>(false);
            f.store->ping_writer([seen] { *seen = true; });
            ASSERT_TRUE(f.io.run_until([seen] { return *seen; }));
            if (!f.store->health().tidying && *commits <= dead_after) {
                break;
            }
        }
        expect_counts(f, all);
        std::uint64_t there = 0;
        for (const Event& e : all) {
            there += f.get(e.unique_index).has_value() ? 1U : 0U;
        }
        ASSERT_NO_FATAL_FAILURE(expect_sound(f, there, all.size() - there)) << dead_after;
        f.seams = {};
        ASSERT_TRUE(f.open());
        ASSERT_NO_FATAL_FAILURE(f.tidy_all()) << dead_after;
        const auto left = only(all, [dead_after](const Event& e) {
            return dead_after % 3 == 0   ? e.severity != Severity::info
                   : dead_after % 3 == 1 ? e.severity == Severity::critical
                                         : false;
        });
        ASSERT_NO_FATAL_FAILURE(expect_left(f, all, left, 8)) << dead_after;
        expect_counts(f, all);
        ASSERT_NO_FATAL_FAILURE(expect_sound(f, left.size(), all.size() - left.size())) << dead_after;
        if (left.empty()) {
            expect_nothing_left_behind(f);
        }
    }
}

TEST(RetentionByAge, TheArchiveForgetsToo) {
    Fixture f(small(100));
    f.options.retention.age_us = {day, day, day, day};
    f.options.retention.counters_us = 50 * day;
    ASSERT_TRUE(f.open());
    const auto all = fill(f, 5, 400);
    f.clock.now += 10 * day;
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    expect_left(f, all, {}, 9);
    expect_counts(f, all);
    const auto hours = [&f] { return f.store->hourly("name-1", now_us - 30 * day, now_us + 30 * day)->size(); };
    EXPECT_NE(hours(), 0U) << "counters went with their events";
    f.clock.now += 100 * day;
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    EXPECT_EQ(hours(), 0U);
    EXPECT_EQ(*f.store->total("name-1"), sums(all, [](const Event& e) { return e.event_name; })["name-1"])
        << "the total of a name is for ever";
    expect_sound(f, 0, all.size());
}

// One may be wanted for its age when another one was made just before.
TEST(RetentionByAge, AnEmptyTailMakesNoBlock) {
    const Directory directory;
    std::filesystem::create_directories(directory.path());
    auto env = Env::open({.directory = directory.path()});
    ASSERT_TRUE(env);
    const auto prepared = prepare(**env, now_us);
    ASSERT_TRUE(prepared);
    LogState log(prepared->meta, {.tail_events = 10, .window_us = day, .keys_max = 10});
    ASSERT_TRUE(log.load(**env, now_us));
    EXPECT_EQ(log.checkpoint(**env), 0);
    EXPECT_TRUE(log.blocks().empty());
    EXPECT_EQ(*Txn::read(**env)->entries(Tree::blocks), 0U);
}

// ---- for space ----

constexpr std::uint64_t max_bytes = 8ULL << 20;
constexpr std::size_t block_events = 250;
// The file exceeds the cap by what is written anew while a reader holds the old pages: a block at a time, and what
// replaces it, whatever the cap is.
constexpr std::uint64_t excess_bytes_max = std::uint64_t{block_events} * 2'000 * 5 / 2;

// Appends, again and again while older events go; the last answer.
Result<Receipt> insist(Fixture& f, const std::vector<Event>& batch) {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
        auto receipt = f.append(batch);
        if (receipt || receipt.error().code != Code::unavailable || std::chrono::steady_clock::now() > end) {
            return receipt;
        }
    }
}

// Batches of 2 KB events of one user until `bytes` were sent; what was sent.
std::vector<Event> flood(Fixture& f, std::mt19937_64& random, std::uint64_t bytes, std::uint32_t uid,
                         const std::function<Severity(std::uint64_t)>& severity) {
    std::vector<Event> all;
    for (std::uint64_t sent = 0; sent < bytes;) {
        std::vector<Event> batch;
        for (int n = 0; n < 40; ++n) {
            Event e = event("flood", "u" + std::to_string(uid), f.clock.now);
            e.received_time_us = ++f.clock.now;
            e.severity = severity(all.size() + batch.size());
            e.description = noise(random, 2'000);
            e.origin.uid = uid;
            sent += 2'000;
            batch.push_back(std::move(e));
        }
        const auto receipt = insist(f, batch);
        EXPECT_TRUE(receipt) << receipt.error().detail();
        for (std::size_t i = 0; receipt && i < batch.size(); ++i) {
            batch[i].unique_index = receipt->indexes[i];
            all.push_back(std::move(batch[i]));
        }
    }
    return all;
}

std::uint64_t alive(Fixture& f, const std::vector<Event>& events) {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(events, [&f](const Event& e) { return f.get(e.unique_index).has_value(); }));
}

Fixture capped() {
    Options options = small(block_events);
    options.max_bytes = max_bytes;
    return Fixture(std::move(options));
}

TEST(RetentionForSpace, InfoGoesFirstAndTheStoreStaysBelowItsCap) {
    Fixture f = capped();
    ASSERT_TRUE(f.open());
    std::mt19937_64 random(1);
    std::uint64_t most = 0;
    std::vector<Event> all;
    for (int turn = 0; turn < 8; ++turn) {
        const auto more = flood(f, random, max_bytes / 2, 7, [](std::uint64_t n) {
            return n % 20 == 0 ? Severity::critical : n % 4 == 0 ? Severity::warning : Severity::info;
        });
        all.insert(all.end(), more.begin(), more.end());
        most = std::max(most, f.store->health().store_bytes);
    }
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    EXPECT_LE(most, max_bytes + excess_bytes_max);
    const auto by = [&all](Severity severity) {
        return only(all, [severity](const Event& e) { return e.severity == severity; });
    };
    const auto critical = by(Severity::critical);
    EXPECT_EQ(alive(f, critical), critical.size()) << "a critical event went before all others";
    const auto info = by(Severity::info);
    const std::uint64_t infos = alive(f, info);
    EXPECT_LT(infos, info.size() / 3);
    for (std::uint64_t i = 1; i < info.size(); ++i) { // the oldest go first
        const bool newer = f.get(info[i].unique_index).has_value();
        ASSERT_TRUE(newer || !f.get(info[i - 1].unique_index)) << i;
    }
    const std::uint64_t left = alive(f, all);
    expect_counts(f, all);
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    EXPECT_EQ(alive(f, all), left);
    expect_sound(f, left, all.size() - left);
}

TEST(RetentionForSpace, WhoHoldsMoreThanHalfGivesWay) {
    Fixture f = capped();
    ASSERT_TRUE(f.open());
    std::mt19937_64 random(2);
    const auto info = [](std::uint64_t) { return Severity::info; };
    const auto critical = [](std::uint64_t) { return Severity::critical; };
    const auto modest = flood(f, random, max_bytes / 8, 1, info);
    const auto greedy = flood(f, random, max_bytes * 3, 2, critical);
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    EXPECT_EQ(alive(f, modest), modest.size()) << "another user's events made way for a greedy one's";
    EXPECT_LT(alive(f, greedy), greedy.size() / 2);
    const auto third = flood(f, random, max_bytes / 4, 3, info);
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    EXPECT_EQ(alive(f, third), third.size());
}

TEST(RetentionForSpace, KeepFreeLimitsGrowth) {
    constexpr std::uint64_t own = 64ULL << 20; // no disk is too full for so much
    Fixture f(small(500));
    ASSERT_TRUE(f.open());
    EXPECT_EQ(f.store->health().limit_bytes, f.options.max_bytes);
    f.options.retention.keep_free_share = 1;
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    EXPECT_EQ(f.store->health().limit_bytes, own);
    f.options.retention = {};
    f.options.retention.keep_free_bytes = 1ULL << 60;
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    EXPECT_EQ(f.store->health().limit_bytes, own);
}

TEST(RetentionForSpace, NothingThatMustStayGoes) {
    Fixture f = capped();
    ASSERT_TRUE(f.open());
    std::mt19937_64 random(3);
    std::uint64_t taken = 0;
    std::optional<Error> refused;
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!refused && std::chrono::steady_clock::now() < end) {
        Event e = event("pinned");
        e.description = noise(random, 10'000);
        const std::uint64_t index = taken + 1;
        const auto receipt = f.wait<Receipt>([&f, &e, index](Done<Receipt> done) {
            std::vector<Event> events;
            events.push_back(e);
            f.store->append(std::move(events), {{Table::pins, index_key(index), ""}}, std::move(done));
        });
        if (receipt) {
            ++taken;
        } else if (receipt.error().code == Code::storage_full) {
            refused = receipt.error();
        }
    }
    ASSERT_TRUE(refused);
    EXPECT_THAT(refused->reason, ::testing::HasSubstr("store.max_bytes"));
    ASSERT_NO_FATAL_FAILURE(f.tidy_all());
    for (std::uint64_t index = 1; index <= taken; ++index) {
        ASSERT_TRUE(f.get(index)) << index;
    }
    expect_sound(f, taken, 0);
}

} // namespace
} // namespace tocsin::storage::test
