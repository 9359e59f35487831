// SPDX-License-Identifier: Apache-2.0
// The two that stand between the service and the store: order, batches, refusals; following the log without a gap.
#include "site.hpp"

#include "jobs/committer.hpp"
#include "jobs/follower.hpp"

namespace tocsin::jobs::test {
namespace {

class CommitterTest : public ::testing::Test {
protected:
    void commit(const std::string& key, Persistence persistence = Persistence::until_kept) {
        StateChange change;
        change.rows.push_back({Table::jobs, key, "value"});
        committer_->commit(std::move(change), persistence,
                           [this, key](const Result<void>& result) { answers_ += key + (result ? "+" : "-"); });
    }
    bool answered(const std::string& wanted) {
        return run_until(io_, [this, &wanted] { return answers_.size() >= wanted.size(); }) && answers_ == wanted;
    }

    boost::asio::io_context io_{};
    FakeLog log_{io_};
    std::shared_ptr<Committer> committer_ = std::make_shared<Committer>(io_, log_);
    std::string answers_{};
};

TEST_F(CommitterTest, WhatComesMeanwhileGoesTogether) {
    for (const char* key : {"a", "b", "c", "d"}) {
        commit(key);
    }
    EXPECT_TRUE(answered("a+b+c+d+")) << answers_;
    EXPECT_EQ(log_.commits(), 2U) << "the first alone, the rest together";
}

TEST_F(CommitterTest, AFullStoreKeepsTheOrderAndTellsRequests) {
    log_.fail_commits(Code::storage_full, 2);
    commit("a");
    commit("r", Persistence::once);
    commit("b");
    EXPECT_EQ(committer_->requests(), 1U);
    EXPECT_TRUE(answered("r-a+b+")) << answers_;
    EXPECT_EQ(committer_->requests(), 0U);
    EXPECT_EQ(log_.rows(Table::jobs).count("r"), 0U);
    commit("s", Persistence::once);
    EXPECT_TRUE(answered("r-a+b+s+")) << answers_;
}

TEST_F(CommitterTest, WhatIsRefusedForItselfSpoilsNoOther) {
    log_.hold_commits(true);
    commit("a");
    commit("b");
    commit("c");
    log_.hold_commits(false);
    log_.fail_commits(Code::invalid_argument, 2); // "b" and "c" together, then "b" alone
    EXPECT_TRUE(answered("a+b-c+")) << answers_;
}

TEST_F(CommitterTest, ABatchIsBounded) {
    log_.hold_commits(true);
    std::string wanted = "k0+";
    commit("k0");
    for (int i = 1; i <= 600; ++i) {
        const std::string key = "k" + std::to_string(i);
        wanted += key + "+";
        commit(key);
    }
    log_.hold_commits(false);
    EXPECT_TRUE(answered(wanted));
    EXPECT_EQ(log_.commits(), 4U) << "one, then 256 at most together";
}

TEST_F(CommitterTest, TheCursorOfABatchIsItsLast) {
    log_.hold_commits(true);
    for (const std::uint64_t cursor : {5U, 7U, 9U}) {
        StateChange change;
        change.cursor_name = "c";
        change.cursor = cursor;
        committer_->commit(std::move(change), Persistence::until_kept,
                           [this](const Result<void>&) { answers_ += "."; });
    }
    commit("a"); // moves no cursor
    log_.hold_commits(false);
    EXPECT_TRUE(answered("...a+"));
    EXPECT_EQ(log_.cursor("c"), 9U);
}

TEST_F(CommitterTest, AbandonedItAnswersNobody) {
    log_.hold_commits(true);
    commit("a");
    commit("b");
    committer_->abandon();
    log_.hold_commits(false);
    io_.run();
    EXPECT_EQ(answers_, "");
    EXPECT_EQ(log_.rows(Table::jobs).size(), 1U) << "what was handed over is kept, nothing after it";
}

class FollowerTest : public ::testing::Test {
protected:
    void follow(std::uint64_t cursor) {
        follower_ = std::make_shared<Follower>(
            io_, log_, [this](const auto& events, std::uint64_t upto, Follower::Taken taken) {
                const std::size_t count = std::min(events.size(), at_most_);
                for (std::size_t i = 0; i < count; ++i) {
                    taken_.push_back(events[i]->unique_index);
                }
                const std::uint64_t end = count == events.size() ? upto : count == 0 ? 0 : taken_.back();
                cursors_.push_back(end);
                hold_ ? static_cast<void>(held_ = [taken = std::move(taken), end]() mutable { taken(end); })
                      : taken(end);
            });
        follower_->start(log_, cursor);
    }
    static Event event(const std::string& script, const std::string& source = "s") {
        Event event;
        event.event_name = "e";
        event.event_src = source;
        event.spark_script = script;
        return event;
    }
    bool considered(std::uint64_t index) {
        return run_until(io_, [this, index] { return follower_->considered() == index; });
    }

    boost::asio::io_context io_{};
    FakeLog log_{io_};
    std::shared_ptr<Follower> follower_{};
    std::vector<std::uint64_t> taken_{};
    std::vector<std::uint64_t> cursors_{};
    bool hold_ = false;
    std::size_t at_most_ = 10'000; // of a slice
    std::move_only_function<void()> held_{};
};

TEST_F(FollowerTest, LiveItReadsNothing) {
    follow(0);
    log_.submit_all({event(""), event("x"), event("x", "tocsin"), event("x")});
    EXPECT_TRUE(considered(4));
    log_.submit(event("x"));
    EXPECT_TRUE(considered(5));
    EXPECT_EQ(taken_, (std::vector<std::uint64_t>{2, 4, 5}));
    EXPECT_EQ(log_.reads(), 0U);
}

TEST_F(FollowerTest, FromItsCursorItCatchesUpInSlices) {
    log_.submit_all(std::vector<Event>(2'500, event("x")));
    follow(100);
    EXPECT_TRUE(considered(2'500));
    EXPECT_EQ(taken_.size(), 2'400U);
    EXPECT_EQ(taken_.front(), 101U);
    EXPECT_EQ(cursors_, (std::vector<std::uint64_t>{1'100, 2'100, 2'500}));
}

TEST_F(FollowerTest, WhileASliceIsKeptNothingPilesUp) {
    follow(0);
    hold_ = true;
    log_.submit(event("x"));
    EXPECT_TRUE(run_until(io_, [this] { return held_ != nullptr; }));
    for (int i = 0; i < 50; ++i) {
        log_.submit(event("x"));
    }
    io_.restart();
    io_.poll();
    EXPECT_EQ(taken_.size(), 1U);
    EXPECT_EQ(follower_->considered(), 0U) << "not before it is kept";
    hold_ = false;
    held_();
    EXPECT_TRUE(considered(51));
    EXPECT_EQ(taken_.size(), 51U);
    EXPECT_EQ(log_.reads(), 1U);
}

TEST_F(FollowerTest, ALargeCommitIsTakenInSlices) {
    follow(0);
    log_.submit_all(std::vector<Event>(1'500, event("x")));
    EXPECT_TRUE(considered(1'500));
    EXPECT_EQ(taken_.size(), 1'500U);
    EXPECT_EQ(cursors_.front(), 1'000U);
}

TEST_F(FollowerTest, WhatWasNotTakenIsReadAgain) {
    follow(0);
    at_most_ = 2;
    log_.submit_all({event("x"), event(""), event("x"), event("x"), event("x"), event("x")});
    EXPECT_TRUE(considered(6));
    EXPECT_EQ(taken_, (std::vector<std::uint64_t>{1, 3, 4, 5, 6}));
    EXPECT_EQ(cursors_, (std::vector<std::uint64_t>{3, 5, 6}));
    at_most_ = 0;
    hold_ = true;
    log_.submit_all({event("x"), event("x")});
    ASSERT_TRUE(run_until(io_, [this] { return held_ != nullptr; }));
    EXPECT_EQ(follower_->considered(), 6U);
    at_most_ = 2;
    hold_ = false;
    std::exchange(held_, nullptr)(); // now there is room
    EXPECT_TRUE(considered(8));
    EXPECT_EQ(taken_.size(), 7U);
}

TEST_F(FollowerTest, WithoutScriptsTheCursorIsMovedNowAndThen) {
    follow(0);
    for (int i = 0; i < 3; ++i) {
        log_.submit_all(std::vector<Event>(4'096, event("")));
    }
    EXPECT_TRUE(considered(3 * 4'096));
    EXPECT_EQ(cursors_, std::vector<std::uint64_t>{8'192});
    EXPECT_TRUE(taken_.empty());
}

TEST_F(FollowerTest, WhatExpiredIsPassedOver) {
    log_.submit_all(std::vector<Event>(10, event("x")));
    log_.drop_events_upto(6);
    follow(2);
    EXPECT_TRUE(considered(10));
    EXPECT_EQ(taken_.front(), 7U);
}

TEST_F(FollowerTest, AReadThatFailsIsTriedAgain) {
    log_.submit_all({event(""), event("x"), event("")});
    log_.fail_reads(2);
    follow(0);
    EXPECT_TRUE(considered(3));
    EXPECT_EQ(taken_, std::vector<std::uint64_t>{2});
    EXPECT_EQ(log_.reads(), 3U);
}

TEST_F(FollowerTest, StoppedItTakesNothing) {
    follow(0);
    follower_->stop();
    log_.submit(event("x"));
    io_.run();
    EXPECT_TRUE(taken_.empty());
}

} // namespace
} // namespace tocsin::jobs::test
