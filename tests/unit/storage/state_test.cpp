// SPDX-License-Identifier: Apache-2.0
// Rows, cursors and reports beside the log; notices of commits; stopping.
#include "storage/inspect.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/reader_pool.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <latch>
#include <memory>
#include <stdexcept>

namespace tocsin::storage::test {
namespace {

using ::testing::ElementsAre;

class State : public ::testing::Test {
protected:
    Fixture f;
    void SetUp() override { ASSERT_TRUE(f.open()); }

    std::optional<std::string> load(Table table, std::string key) {
        auto row = f.wait<std::optional<std::string>>(
            [this, table, &key](auto done) { f.store->load(table, key, std::move(done)); });
        EXPECT_TRUE(row);
        return row ? *row : std::nullopt;
    }
    std::vector<std::string> keys(Table table, std::string after, std::size_t limit, bool descending) {
        const auto rows = f.wait<std::vector<Row>>([this, table, &after, limit, descending](auto done) {
            f.store->scan(table, after, limit, descending, std::move(done));
        });
        EXPECT_TRUE(rows);
        std::vector<std::string> out;
        for (const Row& row : rows.value_or(std::vector<Row>{})) {
            out.push_back(row.key);
        }
        return out;
    }
};

TEST_F(State, AnEffectCommitsRowsEventsAndCursorTogether) {
    ASSERT_TRUE(f.append_one(event("cause")));
    StateChange change{
        .rows = {{Table::jobs, "j1", "running"}, {Table::watches, "w", "up"}}, .cursor_name = "jobs", .cursor = 1};
    change.events.push_back(event("job.started", "tocsin"));
    const auto indexes = f.commit(change);
    ASSERT_TRUE(indexes) << indexes.error().detail();
    EXPECT_THAT(*indexes, ElementsAre(2U));
    EXPECT_EQ(f.store->cursor("jobs"), 1U);
    EXPECT_EQ(f.store->cursor("others"), 0U);
    EXPECT_EQ(load(Table::jobs, "j1"), "running");
    f.reopen();
    EXPECT_EQ(f.store->cursor("jobs"), 1U);
    EXPECT_EQ(load(Table::watches, "w"), "up");
    EXPECT_EQ(load(Table::jobs, "w"), std::nullopt) << "tables are apart";
    ASSERT_TRUE(f.commit({.rows = {{Table::jobs, "j1", std::nullopt}, {Table::jobs, "never", std::nullopt}}}));
    EXPECT_EQ(load(Table::jobs, "j1"), std::nullopt);
}

TEST_F(State, RowsComeWithTheEventsOfABatch) {
    ASSERT_TRUE(f.append({event("a")}, {{Table::watches, "beat", "now"}}));
    EXPECT_EQ(load(Table::watches, "beat"), "now");
    ASSERT_TRUE(f.append({}, {{Table::watches, "beat", "later"}}));
    EXPECT_EQ(load(Table::watches, "beat"), "later");
    EXPECT_EQ(f.store->last_index(), 1U);
}

TEST_F(State, ScansBothWays) {
    StateChange change;
    for (const char* key : {"a", "c", "e", "g"}) {
        change.rows.push_back({Table::jobs, key, std::string("v")});
    }
    ASSERT_TRUE(f.commit(std::move(change)));
    EXPECT_THAT(keys(Table::jobs, "", 2, false), ElementsAre("a", "c"));
    EXPECT_THAT(keys(Table::jobs, "c", 9, false), ElementsAre("e", "g"));
    EXPECT_THAT(keys(Table::jobs, "d", 9, false), ElementsAre("e", "g"));
    EXPECT_THAT(keys(Table::jobs, "", 3, true), ElementsAre("g", "e", "c"));
    EXPECT_THAT(keys(Table::jobs, "e", 9, true), ElementsAre("c", "a"));
    EXPECT_THAT(keys(Table::jobs, "d", 1, true), ElementsAre("c"));
    EXPECT_THAT(keys(Table::jobs, "zz", 1, true), ElementsAre("g"));
    EXPECT_THAT(keys(Table::jobs, "a", 9, true), ElementsAre());
    EXPECT_THAT(keys(Table::reports, "", 9, false), ElementsAre());
    std::vector<std::string> all;
    ASSERT_TRUE(f.store->for_each(Table::jobs, [&all](const Row& row) { all.push_back(row.key + row.value); }));
    EXPECT_THAT(all, ElementsAre("av", "cv", "ev", "gv"));
}

TEST_F(State, RefusesRowsThatCannotBeStored) {
    EXPECT_EQ(f.commit({.rows = {{Table::jobs, "", "v"}}}).error().code, Code::invalid_argument);
    EXPECT_EQ(f.commit({.rows = {{Table::jobs, std::string(501, 'k'), "v"}}}).error().code, Code::invalid_argument);
    EXPECT_EQ(f.append({event("a")}, {{Table::jobs, "", "v"}}).error().code, Code::invalid_argument);
    EXPECT_EQ(f.store->last_index(), 0U);
    EXPECT_TRUE(f.commit({.rows = {{Table::jobs, std::string(500, 'k'), "v"}}}));
}

TEST_F(State, RefusesACountThatItCouldNotKeep) {
    Event e = event("a");
    e.count = limits::count_max + 1;
    const auto refused = f.append({event("good"), e});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid_event);
    ASSERT_EQ(refused.error().fields.size(), 1U);
    EXPECT_EQ(refused.error().fields[0].index, 1U);
}

TEST_F(State, ReportsAreJoinedWhenRead) {
    Event asked = event("asked");
    asked.spark_script = "report";
    ASSERT_TRUE(f.append({asked, event("plain")}));
    EXPECT_EQ(f.get(1)->spark_report_id, -1);
    EXPECT_EQ(f.get(2)->spark_report_id, std::nullopt);
    ASSERT_TRUE(f.commit({.rows = {{Table::reports, report_key(1), encode_report(77, "https://r/77")},
                                   {Table::reports, report_key(2), encode_report(78, "")}}}));
    EXPECT_EQ(f.get(1)->spark_report_id, 77);
    EXPECT_EQ(f.get(1)->spark_report_url, "https://r/77");
    EXPECT_EQ(f.get(2)->spark_report_id, 78) << "an event without a job can have one, too";
    EXPECT_EQ(f.query({})->events[1].spark_report_id, 77);
    EXPECT_EQ(f.read_after(0)->events[0].spark_report_id, 77);
}

TEST_F(State, TellsEveryCommitInOrderAndBeforeTheNext) {
    std::vector<std::string> told;
    std::uint64_t next = 1;
    auto subscription = f.store->on_commit([&told, &next](const CommitNotice& notice) {
        EXPECT_EQ(notice.first, next);
        EXPECT_EQ(notice.last - notice.first + 1, notice.events->size());
        for (const Event& e : *notice.events) {
            EXPECT_EQ(e.unique_index, next++);
            told.push_back(e.event_name);
        }
    });
    std::size_t answers = 0;
    for (int i = 0; i < 200; ++i) {
        std::vector<Event> events{event("e" + std::to_string(i)), keyed("k" + std::to_string(i / 2), 1)};
        f.store->append(std::move(events), {},
                        [&answers](const Result<Receipt>& receipt) { answers += receipt ? 1U : 0U; });
    }
    ASSERT_TRUE(f.io.run_until([&answers, &told] { return answers == 200 && told.size() == 300; }));
    EXPECT_EQ(f.store->last_index(), 300U);
    EXPECT_LT(f.store->health().commits, 200U) << "nothing was grouped";
    subscription.reset();
    ASSERT_TRUE(f.append_one(event("unheard")));
    f.io.drain();
    EXPECT_EQ(told.size(), 300U);
}

TEST_F(State, AHandlerMayRemoveItself) {
    int calls = 0;
    std::unique_ptr<Subscription> once;
    once = f.store->on_commit([&calls, &once](const CommitNotice&) {
        ++calls;
        once.reset();
    });
    ASSERT_TRUE(f.append_one(event("a")));
    ASSERT_TRUE(f.append_one(event("b")));
    f.io.drain();
    EXPECT_EQ(calls, 1);
}

TEST_F(State, StoppingCommitsAndAnswersWhatWaits) {
    std::size_t answers = 0;
    for (int i = 0; i < 100; ++i) {
        f.store->append(std::vector<Event>(20, event("e")), {},
                        [&answers](const Result<Receipt>& r) { answers += r ? 1U : 0U; });
    }
    f.store->stop();
    f.io.drain();
    EXPECT_EQ(answers, 100U);
    EXPECT_EQ(f.append_one(event("late")).error().code, Code::unavailable);
    EXPECT_EQ(f.get(1).error().code, Code::unavailable);
    f.store->stop();
    f.reopen();
    EXPECT_EQ(f.store->last_index(), 2'000U);
}

TEST_F(State, PingsProveThatThreadsLive) {
    int writer = 0;
    int readers = 0;
    for (int i = 0; i < 3; ++i) {
        f.store->ping_writer([&writer] { ++writer; });
        f.store->ping_readers([&readers] { ++readers; });
    }
    EXPECT_TRUE(f.io.run_until([&writer, &readers] { return writer == 3 && readers == 3; }));
}

// Stands still until it is let go.
class StuckTask final : public Task {
public:
    explicit StuckTask(std::latch& begun, std::latch& may_end) : begun_(begun), may_end_(may_end) {}
    bool step(ReadContext&) override {
        begun_.count_down();
        may_end_.wait();
        return true;
    }
    void answer_error(Error) override {}

private:
    std::latch& begun_;
    std::latch& may_end_;
};

TEST(Readers, WhoWaitsForWorkLivesAndWhoIsStuckDoesNotSaySo) {
    const Directory directory;
    std::filesystem::create_directories(directory.path());
    const auto env = Env::open({.directory = directory.path()});
    ASSERT_TRUE(env && (*env)->open_trees());
    const Publisher publisher;
    Io io;
    const Post post = io.post();
    ReaderPool pool(**env, publisher, post);
    pool.start(2);
    int answers = 0;
    pool.ping([&answers] { ++answers; });
    EXPECT_TRUE(io.run_until([&answers] { return answers == 1; }));
    std::latch begun(1);
    std::latch may_end(1);
    pool.submit(std::make_unique<StuckTask>(begun, may_end));
    begun.wait();
    pool.ping([&answers] { ++answers; });
    bool passed = false;
    post([&passed] { passed = true; });
    EXPECT_TRUE(io.run_until([&passed] { return passed; }));
    EXPECT_EQ(answers, 1) << "one of two is stuck";
    may_end.count_down();
    EXPECT_TRUE(io.run_until([&answers] { return answers == 2; }));
    pool.stop();
}

TEST(Writer, AnErrorThatNobodyForesawIsAnsweredAndEndsWriting) {
    auto armed = std::make_shared<std::atomic<bool>>(false);
    Fixture f({}, {.map_bytes = 0, .before_commit = [armed]() -> int {
                       if (armed->load()) {
                           throw std::runtime_error("out of the blue");
                       }
                       return 0;
                   }});
    ASSERT_TRUE(f.open());
    ASSERT_TRUE(f.append_one(event("kept")));
    armed->store(true);
    const auto failed = f.append_one(event("lost"));
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().reason.find("out of the blue"), std::string::npos);
    EXPECT_EQ(f.append_one(event("late")).error().code, Code::unavailable);
    EXPECT_EQ(f.query({})->events.size(), 1U);
    armed->store(false);
    f.reopen();
    EXPECT_EQ(f.append_one(event("again"))->indexes.at(0), 2U);
}

TEST_F(State, HealthCounts) {
    Event e = event("a");
    e.severity = Severity::critical;
    e.count = 40;
    ASSERT_TRUE(f.append({e, event("b")}));
    const Health health = f.store->health();
    EXPECT_EQ(health.event_count, 2U);
    EXPECT_EQ(health.first_index, 1U);
    EXPECT_EQ(health.last_index, 2U);
    EXPECT_THAT(health.events_by_severity, ElementsAre(1U, 0U, 0U, 40U));
    EXPECT_EQ(health.commits, 1U);
    EXPECT_GT(health.commit_seconds, 0.0);
    std::uint64_t buckets = 0;
    for (const std::uint64_t n : health.commit_buckets) {
        buckets += n;
    }
    EXPECT_EQ(buckets, 1U);
    EXPECT_GT(health.store_bytes, 8'192U);
    EXPECT_EQ(health.limit_bytes, f.options.max_bytes);
    EXPECT_FALSE(health.full);
}

} // namespace
} // namespace tocsin::storage::test
