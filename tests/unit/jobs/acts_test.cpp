// SPDX-License-Identifier: Apache-2.0
// What callers ask of jobs: run, report, cancel, run again, list, look.
#include "site.hpp"

#include <set>

namespace tocsin::jobs::test {
namespace {

class Acts : public Site {
protected:
    void SetUp() override {
        script("good", "exit 0");
        script("later", R"(echo '{"pending": true}' >&3)");
        script("slow", "echo run >> NOTES/started; while [ ! -e NOTES/go ]; do :; done; [ ! -e NOTES/bad ]");
        script("deaf", "trap '' TERM; echo run >> NOTES/started; while :; do :; done");
    }
    void go() { std::ofstream(notes("go")) << "go"; }
    bool script_runs() {
        return run_until(io_, [this] { return !read_file(notes("started")).empty(); });
    }
    Result<Job> rerun(std::uint64_t id) {
        return ask<Job>([this, id](auto done) { service_->rerun(id, std::move(done)); });
    }
    Result<Job> find(std::uint64_t id) {
        return ask<Job>([this, id](auto done) { service_->find(id, std::move(done)); });
    }
};

TEST_F(Acts, RunNeedsAnEventAndAName) {
    start();
    const auto index = submit("");
    EXPECT_EQ(run(77'777, "good").error().code, Code::not_found);
    for (const char* name : {"", "../good", "/bin/sh", "a\nb"}) {
        EXPECT_EQ(run(index, name).error().code, Code::invalid_argument) << name;
    }
    const auto job = run(index, "good");
    ASSERT_TRUE(job);
    EXPECT_EQ(job->state, JobState::queued);
    EXPECT_EQ(job->unique_index, index);
    EXPECT_EQ(await_end(index).state, JobState::succeeded);
    const auto failed = run(index, "not-there");
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->state, JobState::failed);
    EXPECT_EQ(log_.names_caused_by(index).back(), "job.failed");
}

TEST_F(Acts, PendingWaitsForItsReport) {
    settings_.parallel = 1;
    start();
    const auto index = submit("later");
    await(index, JobState::waiting);
    EXPECT_FALSE(report_on(index));
    EXPECT_EQ(await_end(submit("good")).state, JobState::succeeded) << "who waits holds no place";
    crash_and_start();
    EXPECT_EQ(job_of(index)->state, JobState::waiting);
    EXPECT_TRUE(set_report(index, 5, "http://x/5"));
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::succeeded);
    EXPECT_EQ(job.report_id, 5);
    EXPECT_EQ(report_on(index), (std::pair<std::int64_t, std::string>{5, "http://x/5"}));
    EXPECT_EQ(log_.names_caused_by(index), (std::vector<std::string>{"job.started", "job.succeeded"}));
}

TEST_F(Acts, AReportThatNeverComesIsAFailure) {
    settings_.callback_timeout_us = 200'000;
    start();
    const auto index = submit("later");
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_EQ(job.reason, "no report came within 200ms");
    // Late, it still lands on the event.
    EXPECT_TRUE(set_report(index, 9));
    EXPECT_EQ(report_on(index)->first, 9);
    EXPECT_EQ(job_of(index)->state, JobState::failed);
    EXPECT_EQ(log_.names_caused_by(index), (std::vector<std::string>{"job.started", "job.failed", "job.succeeded"}));
}

TEST_F(Acts, ReportsAreChecked) {
    start();
    const auto index = submit("");
    EXPECT_EQ(set_report(index, 0).error().object, "report_id");
    EXPECT_EQ(set_report(index, -1).error().code, Code::invalid_argument);
    EXPECT_EQ(set_report(index, 1, std::string(limits::path_bytes + 1, 'x')).error().object, "url");
    EXPECT_EQ(set_report(77'777, 1).error().code, Code::not_found);
    EXPECT_FALSE(report_on(index));
    EXPECT_TRUE(set_report(index, 3, "http://x"));
    EXPECT_EQ(report_on(index), (std::pair<std::int64_t, std::string>{3, "http://x"}));
    const auto told = log_.events_named("job.succeeded");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].cause, index);
    EXPECT_EQ(told[0].cause_depth, 1U);
    EXPECT_EQ(told[0].payload,
              "{\"unique_index\":" + std::to_string(index) + R"(,"report_id":3,"report_url":"http://x"})");
}

TEST_F(Acts, AReportDuringTheRunIsKept) {
    start();
    const auto index = submit("slow");
    ASSERT_TRUE(script_runs());
    EXPECT_TRUE(set_report(index, 12, "http://early"));
    EXPECT_EQ(report_on(index)->first, 12);
    EXPECT_EQ(job_of(index)->state, JobState::running);
    go();
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::succeeded);
    EXPECT_EQ(job.report_id, 12);
    EXPECT_EQ(report_on(index), (std::pair<std::int64_t, std::string>{12, "http://early"}));
}

TEST_F(Acts, AReportWhileTheEndIsBeingKeptWaitsForIt) {
    start();
    const auto watch = service_->on_change([this](const Job& job) {
        if (job.state == JobState::running && job.pid != 0) {
            log_.hold_commits(true); // the next is "waiting"
        }
    });
    const auto index = submit("later");
    ASSERT_TRUE(run_until(io_, [this] { return log_.held() == 1; }));
    std::optional<Result<void>> answer;
    service_->set_report(index, 4, "", [&answer](Result<void> result) { answer = std::move(result); });
    io_.restart();
    io_.poll();
    EXPECT_FALSE(answer) << "it cannot know yet whose report it is";
    log_.hold_commits(false);
    EXPECT_EQ(await_end(index).report_id, 4);
    EXPECT_TRUE(answer && *answer);
    EXPECT_EQ(log_.names_caused_by(index), (std::vector<std::string>{"job.started", "job.succeeded"}));
}

TEST_F(Acts, OneReportEndsOneJob) {
    start();
    const auto index = submit("later");
    const Job first = await(index, JobState::waiting);
    const auto second = run(index, "later");
    ASSERT_TRUE(second);
    EXPECT_TRUE(run_until(io_, [this, &second] { return find(second->id)->state == JobState::waiting; }));
    EXPECT_TRUE(set_report(index, 1));
    EXPECT_EQ(find(first.id)->state, JobState::succeeded) << "the one that waits longest";
    EXPECT_EQ(find(second->id)->state, JobState::waiting);
    EXPECT_TRUE(set_report(index, 2));
    EXPECT_EQ(find(second->id)->report_id, 2);
    EXPECT_EQ(report_on(index)->first, 2);
}

TEST_F(Acts, ARefusedReportChangesNothing) {
    start();
    const auto index = submit("later");
    await(index, JobState::waiting);
    log_.fail_commits(Code::storage_full, 1);
    EXPECT_EQ(set_report(index, 5).error().code, Code::storage_full);
    EXPECT_EQ(job_of(index)->state, JobState::waiting);
    EXPECT_FALSE(report_on(index));
    EXPECT_TRUE(set_report(index, 5));
    EXPECT_EQ(await_end(index).report_id, 5);
}

TEST_F(Acts, CancelWhatRuns) {
    start();
    const auto index = submit("deaf");
    ASSERT_TRUE(script_runs());
    const auto job = cancel(job_of(index)->id);
    ASSERT_TRUE(job) << job.error().detail();
    EXPECT_EQ(job->state, JobState::cancelled);
    EXPECT_EQ(job->exit_status, 128 + 9);
    EXPECT_TRUE(processes_with(marker()).empty());
    EXPECT_EQ(log_.names_caused_by(index), (std::vector<std::string>{"job.started", "job.cancelled"}));
    EXPECT_EQ(cancel(job->id).error().code, Code::conflict);
    EXPECT_EQ(cancel(77'777).error().code, Code::not_found);
}

TEST_F(Acts, CancelWhatWaits) {
    settings_.parallel = 1;
    start();
    const auto waiting = submit("later");
    await(waiting, JobState::waiting);
    submit("slow");
    const auto queued = submit("good");
    await(queued, JobState::queued);
    for (const auto index : {waiting, queued}) {
        const auto job = cancel(job_of(index)->id);
        ASSERT_TRUE(job);
        EXPECT_EQ(job->state, JobState::cancelled);
        EXPECT_EQ(log_.names_caused_by(index).back(), "job.cancelled");
    }
    go();
    EXPECT_TRUE(run_until(io_, [this] { return service_->counts()[JobState::succeeded] == 1; }));
    EXPECT_EQ(job_of(queued)->state, JobState::cancelled);
}

TEST_F(Acts, CancelBetweenTheSteps) {
    start();
    // While "running" is being committed: it is not started, or ended at once.
    const auto watch = service_->on_change([this](const Job& job) {
        if (job.state == JobState::queued) {
            log_.hold_commits(true);
        }
    });
    const auto index = submit("deaf");
    ASSERT_TRUE(run_until(io_, [this] { return log_.held() == 1; }));
    std::optional<Result<Job>> answer;
    service_->cancel(job_of(index)->id, [&answer](Result<Job> job) { answer = std::move(job); });
    log_.hold_commits(false);
    ASSERT_TRUE(run_until(io_, [&answer] { return answer.has_value(); }));
    EXPECT_EQ((*answer)->state, JobState::cancelled);
    EXPECT_TRUE(processes_with(marker()).empty());
}

TEST_F(Acts, ARefusedCancelChangesNothing) {
    settings_.parallel = 0;
    start();
    const auto index = submit("good");
    await(index, JobState::queued);
    log_.fail_commits(Code::storage_full, 1);
    EXPECT_EQ(cancel(job_of(index)->id).error().code, Code::storage_full);
    EXPECT_EQ(job_of(index)->state, JobState::queued);
    settings_.parallel = 1;
    service_->reconfigure(settings_);
    EXPECT_EQ(await_end(index).state, JobState::succeeded);
}

TEST_F(Acts, RerunIsANewJob) {
    start();
    const auto index = submit("good");
    const Job first = await_end(index);
    const auto again = rerun(first.id);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->id, first.id + 1);
    EXPECT_EQ(again->script, "good");
    EXPECT_TRUE(run_until(io_, [this, &again] { return find(again->id)->state == JobState::succeeded; }));
    EXPECT_EQ(find(first.id)->report_id, static_cast<std::int64_t>(first.id));
    EXPECT_EQ(rerun(77'777).error().code, Code::not_found);
    const auto slow = submit("slow");
    ASSERT_TRUE(script_runs());
    EXPECT_EQ(rerun(job_of(slow)->id).error().code, Code::conflict);
    go();
    await_end(slow);
}

TEST_F(Acts, OutputOfWhatIsNotThere) {
    start();
    const auto output = ask<std::string>([this](auto done) { service_->output(77'777, std::move(done)); });
    EXPECT_EQ(output.error().code, Code::not_found);
    EXPECT_NE(output.error().detail().find("77777"), std::string::npos);
    EXPECT_EQ(output_of(await_end(submit("good"))), "") << "it wrote nothing";
}

TEST_F(Acts, ListsArePagedNewestFirst) {
    settings_.parallel = 4;
    start();
    std::vector<Event> batch(700, event("not-installed"));
    for (std::size_t i = 0; i < batch.size(); i += 7) {
        batch[i].spark_script = "also-not";
    }
    log_.submit_all(batch);
    const auto waiting = submit("later");
    await(waiting, JobState::waiting);
    std::vector<std::uint64_t> seen;
    std::string cursor;
    do {
        const auto page = list({{"script", {"also-not", "later"}}, {"state", {"failed", "waiting"}}}, 30, cursor);
        ASSERT_TRUE(page);
        EXPECT_LE(page->items.size(), 30U);
        for (const Job& job : page->items) {
            EXPECT_NE(job.script, "not-installed");
            seen.push_back(job.id);
        }
        cursor = page->next;
    } while (!cursor.empty());
    EXPECT_EQ(seen.size(), 101U);
    EXPECT_TRUE(std::ranges::is_sorted(seen, std::greater<>()));
    EXPECT_EQ(list({{"state", {"waiting"}}})->items.size(), 1U);
    EXPECT_EQ(list({}, 701)->next, "");
    EXPECT_NE(list({}, 700)->next, "");
    EXPECT_EQ(list({})->items.size(), limits::page_default);
}

TEST_F(Acts, ListsRefuseWhatTheyDoNotKnow) {
    start();
    log_.submit_all(std::vector<Event>(5, event("not-installed")));
    ASSERT_TRUE(run_until(io_, [this] { return service_->lag() == 0; }));
    EXPECT_EQ(list({{"colour", {"red"}}}).error().object, "colour");
    EXPECT_EQ(list({{"state", {"odd"}}}).error().object, "state");
    EXPECT_EQ(list({{"unique_index", {"x1"}}}).error().object, "unique_index");
    const auto page = list({{"state", {"failed"}}}, 2);
    ASSERT_FALSE(page->next.empty());
    EXPECT_EQ(list({}, 2, page->next).error().object, "cursor");
    EXPECT_EQ(list({}, 2, "nonsense").error().code, Code::invalid_argument);
    EXPECT_EQ(list({{"state", {"failed"}}}, 2, page->next)->items.size(), 2U);
}

TEST_F(Acts, ChangesAreTold) {
    start();
    std::vector<JobState> told;
    auto watch = service_->on_change([&told](const Job& job) { told.push_back(job.state); });
    await_end(submit("good"));
    EXPECT_EQ(told, (std::vector{JobState::queued, JobState::running, JobState::running, JobState::succeeded}))
        << "running twice: once it has a pid";
    watch.reset();
    await_end(submit("good"));
    EXPECT_EQ(told.size(), 4U);
}

TEST_F(Acts, AHandlerMayEndItself) {
    start();
    std::unique_ptr<Subscription> watch;
    int calls = 0;
    watch = service_->on_change([&watch, &calls](const Job&) {
        ++calls;
        watch.reset();
    });
    await_end(submit("good"));
    EXPECT_EQ(calls, 1);
    watch = service_->on_change([](const Job&) {});
    service_.reset(); // a subscription may outlive what it is about
    watch.reset();
}

TEST_F(Acts, RecentAndCounts) {
    start();
    for (int i = 0; i < 3; ++i) {
        await_end(submit("good"));
    }
    await_end(submit("not-installed"));
    const auto waiting = submit("later");
    await(waiting, JobState::waiting);
    await_end(submit("good"));
    const auto recent = service_->recent(3);
    ASSERT_EQ(recent.size(), 3U);
    EXPECT_EQ(recent[0].unique_index, waiting) << "unfinished first";
    EXPECT_EQ(recent[1].id, 6U);
    EXPECT_EQ(recent[2].id, 4U);
    const auto counts = service_->counts();
    EXPECT_EQ(counts.at(JobState::succeeded), 4U);
    EXPECT_EQ(counts.at(JobState::failed), 1U);
    EXPECT_EQ(counts.at(JobState::waiting), 1U);
    EXPECT_EQ(counts.at(JobState::queued), 0U);
    crash_and_start();
    EXPECT_EQ(service_->counts().at(JobState::succeeded), 0U) << "since the start";
    EXPECT_EQ(service_->recent(10).size(), 6U);
}

} // namespace
} // namespace tocsin::jobs::test
