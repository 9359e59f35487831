// SPDX-License-Identifier: Apache-2.0
// Events that join a queued job: one run, and every one of them gets its report.
#include "site.hpp"

#include "core/limits.hpp"

namespace tocsin::jobs::test {
namespace {

class Coalesce : public Site {
protected:
    void SetUp() override {
        script("s", "echo $TOCSIN_EVENT_INDEX >> NOTES/runs; echo '{\"spark_report_id\": 7, \"url\": \"u\"}' >&3");
        script("fails", "exit 3");
        script("later", R"(echo '{"pending": true}' >&3)");
        for (const char* name : {"s", "fails", "later"}) {
            settings_.scripts[name].coalesce = true;
        }
        settings_.parallel = 0; // until a test lets them run
    }
    void let_run(unsigned parallel = 2) {
        settings_.parallel = parallel;
        service_->reconfigure(settings_);
    }
    void settle() {
        EXPECT_TRUE(run_until(io_, [this] { return service_->lag() == 0; }));
    }
    std::size_t queued() { return service_->counts()[JobState::queued]; }
    static Event other(std::int64_t scid) {
        Event made = event("s");
        made.scid = scid;
        return made;
    }
};

TEST_F(Coalesce, OneRunForAllThatWaited) {
    start();
    const auto first = log_.submit_all(std::vector<Event>(3, event("s")));
    settle();
    const auto second = log_.submit_all(std::vector<Event>(2, event("s")));
    settle();
    EXPECT_EQ(queued(), 1U);
    let_run();
    const Job job = await_end(first[0]);
    EXPECT_EQ(job.joined.size(), 4U);
    EXPECT_EQ(read_file(notes("runs")), std::to_string(first[0]) + "\n");
    EXPECT_EQ(log_.names_caused_by(first[0]), (std::vector<std::string>{"job.started", "job.succeeded"}));
    for (const auto index : {first[1], first[2], second[0], second[1]}) {
        EXPECT_EQ(report_on(index), (std::pair<std::int64_t, std::string>{7, "u"})) << index;
        EXPECT_EQ(log_.names_caused_by(index), std::vector<std::string>{"job.succeeded"}) << index;
        EXPECT_EQ(job_of(index)->id, job.id) << "found by any of its events";
    }
    EXPECT_NE(log_.events_named("job.started")[0].payload.find("\"joined\":4"), std::string::npos);
}

TEST_F(Coalesce, OnlyWhatIsTheSame) {
    settings_.scripts["plain"] = {};
    script("plain", "exit 0");
    start();
    Event name = event("s");
    name.event_name = "other";
    log_.submit_all(
        {event("s"), other(8), name, event("s", "elsewhere"), event("later"), event("plain"), event("plain")});
    settle();
    EXPECT_EQ(queued(), 7U);
}

TEST_F(Coalesce, WhatRunsIsNotJoined) {
    script("s", "echo x >> NOTES/started; while [ ! -e NOTES/go ]; do :; done");
    start();
    const auto first = submit("s");
    let_run(1);
    ASSERT_TRUE(run_until(io_, [this] { return !read_file(notes("started")).empty(); }));
    const auto second = submit("s");
    const auto third = submit("s");
    settle();
    EXPECT_NE(job_of(second)->id, job_of(first)->id) << "it may be about what came after it began";
    EXPECT_EQ(job_of(third)->id, job_of(second)->id);
    std::ofstream(notes("go")) << "go";
    EXPECT_EQ(await_end(third).state, JobState::succeeded);
}

TEST_F(Coalesce, ARestartLosesNoneOfThem) {
    start();
    const auto before = log_.submit_all(std::vector<Event>(3, event("s")));
    settle();
    crash_and_start();
    const auto after = log_.submit_all(std::vector<Event>(3, event("s")));
    settle();
    EXPECT_EQ(queued(), 2U) << "a job of before the restart is not joined";
    let_run();
    await_end(before[0]);
    await_end(after[0]);
    for (const auto index : {before[0], before[1], before[2], after[0], after[1], after[2]}) {
        EXPECT_TRUE(report_on(index)) << index;
    }
}

TEST_F(Coalesce, AFullOneIsFollowedByTheNext) {
    start();
    const std::size_t one = limits::job_joined_max + 1;
    const auto indexes = log_.submit_all(std::vector<Event>(one + 1, event("s")));
    settle();
    EXPECT_EQ(queued(), 2U);
    submit("s");
    settle();
    EXPECT_EQ(queued(), 2U);
    let_run();
    await_end(indexes.back());
    await_end(indexes.front());
    EXPECT_EQ(log_.rows(Table::reports).size(), one + 2);
}

TEST_F(Coalesce, EachIsToldOfAFailureAndARerunIsForAll) {
    start();
    const auto indexes = log_.submit_all(std::vector<Event>(2, event("fails")));
    settle();
    let_run();
    const Job job = await_end(indexes[1]);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_EQ(log_.names_caused_by(indexes[1]), std::vector<std::string>{"job.failed"});
    script("fails", "exit 0");
    ASSERT_TRUE(ask<Job>([this, &job](auto done) { service_->rerun(job.id, std::move(done)); }));
    ASSERT_TRUE(run_until(io_, [this, &indexes] { return report_on(indexes[1]).has_value(); }));
    EXPECT_EQ(report_on(indexes[0]), report_on(indexes[1]));
}

TEST_F(Coalesce, AReportForAnyOfThemIsForAll) {
    start();
    const auto indexes = log_.submit_all(std::vector<Event>(3, event("later")));
    settle();
    let_run();
    await(indexes[0], JobState::waiting);
    EXPECT_TRUE(set_report(indexes[2], 12));
    EXPECT_EQ(await_end(indexes[0]).report_id, 12);
    EXPECT_EQ(report_on(indexes[1])->first, 12);
}

TEST_F(Coalesce, ACancelWhileOneJoinsWaits) {
    start();
    const auto first = submit("s");
    settle();
    const auto id = job_of(first)->id;
    log_.hold_commits(true);
    const auto second = submit("s");
    ASSERT_TRUE(run_until(io_, [this] { return log_.held() == 1; }));
    std::optional<Result<Job>> answer;
    service_->cancel(id, [&answer](Result<Job> job) { answer = std::move(job); });
    let_run();
    EXPECT_FALSE(answer);
    log_.hold_commits(false);
    ASSERT_TRUE(run_until(io_, [&answer] { return answer.has_value(); }));
    ASSERT_TRUE(*answer) << answer->error().detail();
    EXPECT_EQ(log_.names_caused_by(second), std::vector<std::string>{"job.cancelled"});
    EXPECT_EQ(await_end(submit("s")).state, JobState::succeeded) << "nobody joins a job that has ended";
}

TEST_F(Coalesce, AQueueThatIsFullStillLetsThemJoin) {
    settings_.queue = 2;
    start();
    log_.submit_all({other(1), other(2)});
    settle();
    log_.submit_all({other(1), other(2), other(1)});
    settle();
    EXPECT_EQ(queued(), 2U);
    EXPECT_FALSE(service_->queue_full());
}

} // namespace
} // namespace tocsin::jobs::test
