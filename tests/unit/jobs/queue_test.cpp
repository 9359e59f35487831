// SPDX-License-Identifier: Apache-2.0
// From the log to the queue and through it: following, order, limits, restarts, a store that refuses.
#include "site.hpp"

#include "core/limits.hpp"
#include "jobs/job_codec.hpp"

#include <csignal>
#include <map>
#include <set>

namespace tocsin::jobs::test {
namespace {

class Queue : public Site {
protected:
    // Runs until NOTES/go is there.
    void script_that_waits(const std::string& name) {
        script(name, "echo $TOCSIN_JOB_ID >> NOTES/started; while [ ! -e NOTES/go ]; do :; done");
    }
    void go() { std::ofstream(notes("go")) << "go"; }
    bool started() { return !read_file(notes("started")).empty(); }
    std::size_t job_rows() {
        const auto& rows = log_.rows(Table::jobs);
        return static_cast<std::size_t>(
            std::ranges::count_if(rows, [](const auto& row) { return row.first.size() == 8; }));
    }
};

TEST_F(Queue, OnlyEventsThatNameAScriptMakeJobs) {
    script("s", "exit 0");
    start();
    submit("");
    log_.submit(event("s", "tocsin"));
    const auto index = submit("s");
    await_end(index);
    EXPECT_EQ(job_rows(), 1U);
    EXPECT_TRUE(run_until(io_, [this] { return service_->lag() == 0; }));
}

TEST_F(Queue, EachEventOnceAcrossRestarts) {
    script("s", "exit 0");
    start();
    const auto first = submit("s");
    await_end(first);
    service_.reset();
    const auto second = submit("s"); // nobody is there
    submit("");
    start();
    EXPECT_EQ(await_end(second).id, 2U);
    crash_and_start();
    EXPECT_TRUE(run_until(io_, [this] { return service_->lag() == 0; }));
    EXPECT_EQ(job_rows(), 2U);
    EXPECT_EQ(job_of(first)->id, 1U);
}

TEST_F(Queue, ManyAtOnceInOrder) {
    script("s", "echo $TOCSIN_EVENT_INDEX >> NOTES/order");
    settings_.parallel = 1;
    start();
    std::vector<Event> batch(30, event("s"));
    const auto indexes = log_.submit_all(batch);
    await_end(indexes.back());
    std::string wanted;
    for (const auto index : indexes) {
        wanted += std::to_string(index) + "\n";
    }
    EXPECT_EQ(read_file(notes("order")), wanted);
}

TEST_F(Queue, ParallelIsTheLimit) {
    script("s", "echo x; cat > /dev/null");
    settings_.parallel = 3;
    start();
    std::set<std::uint64_t> running;
    std::size_t most = 0;
    const auto watch = service_->on_change([&running, &most](const Job& job) {
        job.state == JobState::running ? static_cast<void>(running.insert(job.id))
                                       : static_cast<void>(running.erase(job.id));
        most = std::max(most, running.size());
    });
    const auto indexes = log_.submit_all(std::vector<Event>(40, event("s")));
    EXPECT_TRUE(run_until(io_, [this] { return service_->counts()[JobState::succeeded] == 40; }));
    EXPECT_EQ(most, 3U);
    EXPECT_EQ(await_end(indexes.back()).state, JobState::succeeded);
}

TEST_F(Queue, RunsBeginAtTheirPace) {
    script("s", "exit 0");
    settings_.parallel = 5;
    settings_.pace = {.gap_us = 3'600'000'000, .burst = 2};
    start();
    const auto indexes = log_.submit_all(std::vector<Event>(5, event("s")));
    await_end(indexes[1]);
    EXPECT_TRUE(run_until(io_, [this] { return service_->counts()[JobState::succeeded] == 2; }));
    EXPECT_EQ(service_->counts()[JobState::queued], 3U) << "places were free, the pace was not";
    settings_.pace = {};
    service_->reconfigure(settings_);
    EXPECT_EQ(await_end(indexes.back()).state, JobState::succeeded);
}

TEST_F(Queue, NoChildBeforeItsRowIsKept) {
    script("s", "echo started > NOTES/started");
    start();
    const auto watch = service_->on_change([this](const Job& job) {
        if (job.state == JobState::queued) {
            log_.hold_commits(true);
        }
    });
    const auto index = submit("s");
    EXPECT_TRUE(run_until(io_, [this] { return log_.held() == 1; }));
    EXPECT_EQ(job_of(index)->state, JobState::queued);
    EXPECT_TRUE(processes_with(marker()).empty());
    EXPECT_FALSE(started());
    log_.hold_commits(false);
    EXPECT_EQ(await_end(index).state, JobState::succeeded);
    EXPECT_TRUE(started());
}

TEST_F(Queue, AFullDiskDelaysAndLosesNothing) {
    script("s", "echo run >> NOTES/runs");
    start();
    log_.fail_commits(Code::storage_full, 3);
    const auto index = submit("s");
    EXPECT_EQ(await_end(index).state, JobState::succeeded);
    // Now between the end of the run and its row.
    const auto watch = service_->on_change([this](const Job& job) {
        if (job.state == JobState::running) {
            log_.fail_commits(Code::storage_full, 2);
        }
    });
    const auto second = submit("s");
    EXPECT_EQ(await_end(second).state, JobState::succeeded);
    EXPECT_EQ(read_file(notes("runs")), "run\nrun\n");
    EXPECT_EQ(log_.names_caused_by(second), (std::vector<std::string>{"job.started", "job.succeeded"}));
}

TEST_F(Queue, ACallerIsToldOfAFullDiskAtOnce) {
    script("s", "exit 0");
    start();
    const auto index = submit("");
    run_until(io_, [this] { return service_->lag() == 0; });
    log_.fail_commits(Code::storage_full, 1);
    EXPECT_EQ(run(index, "s").error().code, Code::storage_full);
    EXPECT_FALSE(job_of(index));
    const auto job = run(index, "s");
    ASSERT_TRUE(job);
    EXPECT_EQ(job->id, 2U) << "an id is never used again";
    await_end(index);
}

TEST_F(Queue, SomeScriptsAreNotForSubmitters) {
    script("kept", "exit 0");
    settings_.scripts["kept"].submit = false;
    start();
    const auto index = submit("kept");
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_NE(job.reason.find("submit = false"), std::string::npos) << job.reason;
    ASSERT_TRUE(run(index, "kept"));
    EXPECT_TRUE(run_until(io_, [this, index] { return job_of(index)->state == JobState::succeeded; }));
}

TEST_F(Queue, AScriptMayVanishBeforeItsTurn) {
    script_that_waits("slow");
    script("gone", "exit 0");
    settings_.parallel = 1;
    start();
    submit("slow");
    const auto index = submit("gone");
    await(index, JobState::queued);
    std::error_code error;
    fs::remove(root_.path() / "spark.d/gone", error);
    go();
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_NE(job.reason.find("not installed"), std::string::npos) << job.reason;
    EXPECT_EQ(job.attempt, 0U);
}

TEST_F(Queue, AnEventMayBeGoneBeforeItsTurn) {
    script("s", "exit 0");
    settings_.parallel = 0;
    start();
    const auto index = submit("s");
    await(index, JobState::queued);
    log_.drop_events_upto(index);
    settings_.parallel = 1;
    service_->reconfigure(settings_);
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_NE(job.reason.find("no longer in the log"), std::string::npos) << job.reason;
}

TEST_F(Queue, ALogThatCannotBeReadNowIsReadLater) {
    script("s", "exit 0");
    start();
    log_.fail_reads(1);
    const auto index = submit("s");
    EXPECT_EQ(await_end(index).state, JobState::succeeded);
    EXPECT_EQ(log_.names_caused_by(index), (std::vector<std::string>{"job.started", "job.succeeded"}));
}

TEST_F(Queue, TheFirstDirectoryWins) {
    const fs::path other = root_.path() / "other.d";
    ::mkdir(other.c_str(), 0755);
    settings_.directories.insert(settings_.directories.begin(), other);
    script("both", "echo second");
    script("one", "echo second");
    std::ofstream(other / "both") << "#!/bin/sh\necho first\n";
    ::chmod((other / "both").c_str(), 0755);
    start();
    EXPECT_EQ(output_of(await_end(submit("both"))), "first\n");
    EXPECT_EQ(output_of(await_end(submit("one"))), "second\n");
    ::chmod((other / "both").c_str(), 0777);
    const Job job = await_end(submit("both"));
    EXPECT_EQ(job.state, JobState::failed) << "an unsafe one is not passed over for the next";
}

TEST_F(Queue, ScriptsHaveTheirOwnLimits) {
    script("short", "trap '' TERM; while :; do :; done");
    script("long", "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done");
    settings_.timeout_us = 20'000'000;
    settings_.kill_after_us = 20'000'000;
    settings_.scripts["short"].timeout_us = 50'000;
    settings_.scripts["short"].kill_after_us = 50'000;
    start();
    const auto quick = submit("long");
    const Job job = await_end(submit("short"));
    EXPECT_EQ(job.state, JobState::timed_out);
    EXPECT_EQ(job.reason, "ran longer than 50ms");
    EXPECT_EQ(await_end(quick).state, JobState::succeeded);
}

TEST_F(Queue, OldRowsMakeRoom) {
    Job old;
    old.state = JobState::succeeded;
    for (old.id = 1; old.id <= 3; ++old.id) {
        log_.commit(
            {.rows = {{Table::jobs, job_key(old.id), encode_job({old, 0})}, {Table::jobs, output_key(old.id), "x"}}},
            [](const auto&) {});
    }
    log_.commit({.rows = {{Table::jobs, counter_key(), encode_counter(100'002)}}}, [](const auto&) {});
    script("s", "exit 0");
    start();
    EXPECT_EQ(await_end(submit("s")).id, 100'002U);
    EXPECT_EQ(log_.rows(Table::jobs).count(job_key(1)), 1U);
    EXPECT_EQ(log_.rows(Table::jobs).count(job_key(2)), 0U) << "100,000 are kept";
    EXPECT_EQ(log_.rows(Table::jobs).count(output_key(2)), 0U);
    EXPECT_EQ(log_.rows(Table::jobs).count(job_key(3)), 1U);
}

TEST_F(Queue, RetriesUntilItWorks) {
    script("s", "echo run $TOCSIN_ATTEMPT; ls; touch left$TOCSIN_ATTEMPT; [ $TOCSIN_ATTEMPT = 2 ]");
    settings_.scripts["s"].retries = 3;
    start();
    const auto index = submit("s");
    EXPECT_TRUE(run_until(io_, [this, index] {
        const auto job = job_of(index);
        return job && job->state == JobState::queued && job->attempt == 1;
    }));
    EXPECT_EQ(job_of(index)->reason, "attempt 1: exit status 1");
    crash_and_start(); // it still waits for its second attempt
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::succeeded) << job.reason;
    EXPECT_EQ(job.attempt, 2U);
    EXPECT_EQ(output_of(job), "run 2\n") << "its directory was not empty";
    EXPECT_EQ(log_.names_caused_by(index), (std::vector<std::string>{"job.started", "job.started", "job.succeeded"}));
}

TEST_F(Queue, ChainsOfCausesEnd) {
    script("s", "exit 0");
    start();
    Event deep = event("s");
    deep.cause_depth = limits::cause_depth_max - 1;
    const auto index = log_.submit(deep);
    EXPECT_EQ(await_end(index).state, JobState::succeeded);
    EXPECT_EQ(log_.names_caused_by(index), std::vector<std::string>{"chain.cut"});
    deep.cause_depth = 2;
    const auto other = log_.submit(deep);
    await_end(other);
    EXPECT_EQ(log_.events_named("job.started").back().cause_depth, 3U);
}

// ---- the daemon dies, or stops ----

TEST_F(Queue, ARunThatADeadDaemonLeftIsEndedAndRunAgain) {
    script("deaf",
           "trap '' TERM; echo $TOCSIN_ATTEMPT >> NOTES/started; [ $TOCSIN_ATTEMPT = 2 ] || while :; do :; done");
    start();
    const auto index = submit("deaf");
    ASSERT_TRUE(run_until(io_, [this] { return started(); }));
    const auto left = processes_with(marker());
    ASSERT_EQ(left.size(), 1U);
    crash_and_start();
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::succeeded) << job.reason;
    EXPECT_EQ(job.attempt, 2U);
    EXPECT_EQ(job.id, 1U);
    EXPECT_EQ(read_file(notes("started")), "1\n2\n");
    EXPECT_NE(::kill(left.front(), 0), 0) << "the first run was not ended before the second began";
}

TEST_F(Queue, SomeScriptsAreNotRunAgain) {
    script_that_waits("once");
    settings_.scripts["once"].rerun = false;
    start();
    const auto index = submit("once");
    ASSERT_TRUE(run_until(io_, [this] { return started(); }));
    crash_and_start();
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_EQ(job.reason, "the daemon stopped during the run");
    EXPECT_EQ(log_.names_caused_by(index), (std::vector<std::string>{"job.started", "job.failed"}));
}

TEST_F(Queue, AJobThatIsCutShortAgainAndAgainIsGivenUp) {
    script("s", "echo $TOCSIN_ATTEMPT >> NOTES/started; while :; do :; done");
    start();
    const auto index = submit("s");
    std::string wanted;
    for (int attempt = 1; attempt <= 5; ++attempt) {
        wanted += std::to_string(attempt) + "\n";
        ASSERT_TRUE(run_until(io_, [this, &wanted] { return read_file(notes("started")) == wanted; }));
        crash_and_start();
    }
    EXPECT_EQ(await_end(index).state, JobState::failed);
    EXPECT_EQ(job_of(index)->attempt, 5U);
}

TEST_F(Queue, StopEndsTheChildrenAndKeepsTheirJobs) {
    script("deaf", "trap '' TERM; echo $TOCSIN_ATTEMPT >> NOTES/started; while [ ! -e NOTES/go ]; do :; done");
    start();
    const auto first = submit("deaf");
    const auto second = submit("deaf");
    const auto third = submit("deaf");
    ASSERT_TRUE(run_until(io_, [this] { return read_file(notes("started")) == "1\n1\n"; }));
    std::vector<pid_t> helpers;
    for (const Job& job : service_->recent(10)) {
        if (job.pid != 0) {
            helpers.push_back(static_cast<pid_t>(job.pid));
        }
    }
    ASSERT_EQ(helpers.size(), 2U);
    bool stopped = false;
    service_->stop([&stopped] { stopped = true; });
    ASSERT_TRUE(run_until(io_, [&stopped] { return stopped; }));
    EXPECT_TRUE(processes_with(marker()).empty());
    for (const pid_t helper : helpers) {
        EXPECT_EQ(::waitpid(helper, nullptr, WNOHANG), -1) << "a helper was not reaped";
    }
    EXPECT_EQ(job_of(first)->state, JobState::running);
    EXPECT_EQ(run(first, "deaf").error().code, Code::unavailable);
    EXPECT_EQ(job_of(third)->state, JobState::queued);
    go();
    crash_and_start();
    EXPECT_EQ(await_end(first).attempt, 2U);
    EXPECT_EQ(await_end(second).attempt, 2U);
    EXPECT_EQ(await_end(third).attempt, 1U);
    EXPECT_EQ(log_.events_named("job.failed").size(), 0U);
}

TEST_F(Queue, AHelperThatHangsDoesNotHoldUpTheStop) {
    script_that_waits("s");
    start();
    submit("s");
    ASSERT_TRUE(run_until(io_, [this] { return started(); }));
    const auto helper = static_cast<pid_t>(service_->recent(1).front().pid);
    ASSERT_GT(helper, 1);
    ::kill(helper, SIGSTOP);
    bool stopped = false;
    service_->stop([&stopped] { stopped = true; });
    EXPECT_TRUE(run_until(io_, [&stopped] { return stopped; }));
    EXPECT_TRUE(run_until(io_, [this] { return processes_with(marker()).empty(); }))
        << "the script died with its helper";
}

TEST_F(Queue, AStopBetweenTheStepsStartsNothing) {
    script("s", "echo $TOCSIN_ATTEMPT >> NOTES/started");
    start();
    const auto watch = service_->on_change([this](const Job& job) {
        if (job.state == JobState::queued) {
            log_.hold_commits(true);
        }
    });
    const auto index = submit("s");
    ASSERT_TRUE(run_until(io_, [this] { return log_.held() == 1; }));
    bool stopped = false;
    service_->stop([&stopped] { stopped = true; });
    EXPECT_TRUE(run_until(io_, [&stopped] { return stopped; })) << "there is no child to wait for";
    log_.hold_commits(false);
    EXPECT_TRUE(run_until(io_, [this, index] { return job_of(index)->state == JobState::running; }));
    EXPECT_TRUE(processes_with(marker()).empty());
    crash_and_start();
    EXPECT_EQ(await_end(index).attempt, 2U) << "it counts as begun";
    EXPECT_EQ(read_file(notes("started")), "2\n");
}

TEST_F(Queue, FewerPlacesWaitUntilTheRunsEnd) {
    script_that_waits("s");
    settings_.parallel = 3;
    start();
    const auto indexes = log_.submit_all(std::vector<Event>(5, event("s")));
    const auto has_helper = [](const Job& job) { return job.pid != 0; };
    ASSERT_TRUE(run_until(io_, [this, &has_helper] {
        const auto jobs = service_->recent(5);
        return std::ranges::count_if(jobs, has_helper) == 3;
    }));
    settings_.parallel = 1;
    service_->reconfigure(settings_);
    EXPECT_EQ(service_->counts()[JobState::running], 3U);
    std::size_t most = 0;
    const auto watch = service_->on_change([this, &most](const Job& job) {
        most =
            job.state == JobState::running ? std::max<std::size_t>(most, service_->counts()[JobState::running]) : most;
    });
    go();
    await_end(indexes.back());
    EXPECT_EQ(most, 1U);
}

TEST_F(Queue, StopWithoutJobsIsAtOnce) {
    start();
    bool stopped = false;
    service_->stop([&stopped] { stopped = true; });
    EXPECT_FALSE(stopped) << "never from within the call";
    EXPECT_TRUE(run_until(io_, [&stopped] { return stopped; }));
}

TEST_F(Queue, ADeadHelperIsAFailure) {
    script_that_waits("s");
    start();
    const auto index = submit("s");
    ASSERT_TRUE(run_until(io_, [this] { return started(); }));
    const auto helper = static_cast<pid_t>(job_of(index)->pid);
    ASSERT_GT(helper, 1);
    ::kill(helper, SIGKILL);
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_NE(job.reason.find("without a word"), std::string::npos) << job.reason;
    EXPECT_TRUE(run_until(io_, [this] { return processes_with(marker()).empty(); }));
}

TEST_F(Queue, AHelperThatIsToldToStopEndsItsTree) {
    script_that_waits("s");
    start();
    const auto index = submit("s");
    ASSERT_TRUE(run_until(io_, [this] { return started(); }));
    ::kill(static_cast<pid_t>(job_of(index)->pid), SIGTERM);
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_EQ(job.exit_status, 128 + SIGTERM);
    EXPECT_TRUE(processes_with(marker()).empty());
}

TEST_F(Queue, ADamagedRowIsSaid) {
    log_.commit({.rows = {{Table::jobs, std::string("\0\0\0\0\0\0\0\1", 8), "damaged"}}}, [](const auto&) {});
    service_ = std::make_unique<JobService>(io_, log_, log_, log_, clock_, settings_);
    const auto started = service_->start();
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().detail().find("job 1"), std::string::npos) << started.error().detail();
}

} // namespace
} // namespace tocsin::jobs::test
