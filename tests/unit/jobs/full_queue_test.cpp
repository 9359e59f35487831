// SPDX-License-Identifier: Apache-2.0
// More jobs than fit, more runs than a script may have: nobody is lost, nobody is held up for another.
#include "site.hpp"

#include "core/limits.hpp"

#include <set>

namespace tocsin::jobs::test {
namespace {

class FullQueue : public Site {
protected:
    void SetUp() override {
        script("s", "exit 0");
        script("slow", "echo x >> NOTES/started; while [ ! -e NOTES/go ]; do :; done");
    }
    void let_run(unsigned parallel) {
        settings_.parallel = parallel;
        service_->reconfigure(settings_);
    }
    std::size_t started() {
        const std::string text = read_file(notes("started"));
        return static_cast<std::size_t>(std::ranges::count(text, '\n'));
    }
};

TEST_F(FullQueue, EventsWaitInTheLog) {
    settings_.parallel = 0;
    settings_.queue = 10;
    start();
    std::vector<bool> told;
    service_->on_queue_full([&told](bool full) { told.push_back(full); });
    const auto indexes = log_.submit_all(std::vector<Event>(45, event("s")));
    ASSERT_TRUE(run_until(io_, [this] { return service_->queue_full(); }));
    EXPECT_EQ(service_->counts()[JobState::queued], 10U);
    EXPECT_EQ(service_->lag(), 35U);
    EXPECT_EQ(log_.cursor("jobs"), indexes[9]);
    EXPECT_EQ(run(indexes[0], "s").error().code, Code::limit_exceeded) << "a caller is told at once";
    crash_and_start();
    ASSERT_TRUE(run_until(io_, [this] { return service_->queue_full(); }));
    EXPECT_EQ(service_->counts()[JobState::queued], 10U);
    service_->on_queue_full([&told](bool full) { told.push_back(full); });
    let_run(3);
    for (const auto index : indexes) {
        EXPECT_EQ(await_end(index).state, JobState::succeeded) << index;
    }
    EXPECT_EQ(log_.events_named("job.succeeded").size(), indexes.size());
    EXPECT_FALSE(service_->queue_full());
    EXPECT_EQ(told.front(), true);
    EXPECT_EQ(told.back(), false);
}

TEST_F(FullQueue, ALargerQueueGoesOnAtOnce) {
    settings_.parallel = 0;
    settings_.queue = 2;
    start();
    log_.submit_all(std::vector<Event>(5, event("s")));
    ASSERT_TRUE(run_until(io_, [this] { return service_->queue_full(); }));
    settings_.queue = 100;
    service_->reconfigure(settings_);
    ASSERT_TRUE(run_until(io_, [this] { return service_->counts()[JobState::queued] == 5; }));
    EXPECT_TRUE(run_until(io_, [this] { return service_->lag() == 0; }));
}

TEST_F(FullQueue, WhatCannotRunTakesNoPlace) {
    settings_.parallel = 0;
    settings_.queue = 1;
    start();
    const auto first = submit("s");
    const auto missing = log_.submit_all(std::vector<Event>(3, event("missing")));
    EXPECT_EQ(await_end(missing.back()).state, JobState::failed);
    EXPECT_EQ(job_of(first)->state, JobState::queued);
    EXPECT_FALSE(service_->queue_full());
}

TEST_F(FullQueue, AScriptAtItsLimitHoldsUpNoOther) {
    settings_.parallel = 4;
    settings_.scripts["slow"].parallel = 1;
    start();
    const auto slow = log_.submit_all(std::vector<Event>(3, event("slow")));
    const auto quick = log_.submit_all(std::vector<Event>(5, event("s")));
    for (const auto index : quick) {
        EXPECT_EQ(await_end(index).state, JobState::succeeded);
    }
    ASSERT_TRUE(run_until(io_, [this] { return started() == 1; }));
    EXPECT_EQ(job_of(slow[1])->state, JobState::queued);
    settings_.scripts["slow"].parallel = 2;
    service_->reconfigure(settings_);
    ASSERT_TRUE(run_until(io_, [this] { return started() == 2; })) << "a reload changes the limit";
    EXPECT_EQ(job_of(slow[2])->state, JobState::queued);
    std::ofstream(notes("go")) << "go";
    EXPECT_EQ(await_end(slow[2]).state, JobState::succeeded);
}

TEST_F(FullQueue, WaitingForAReportIsOutsideTheLimit) {
    script("later", R"(echo '{"pending": true}' >&3)");
    settings_.scripts["later"].parallel = 1;
    start();
    const auto indexes = log_.submit_all(std::vector<Event>(3, event("later")));
    for (const auto index : indexes) {
        await(index, JobState::waiting);
    }
}

TEST_F(FullQueue, RetriesOfAllAndOfOneScriptCountThroughARestart) {
    script("bad", "echo $TOCSIN_ATTEMPT >> NOTES/bad; exit 1");
    script("good", "echo $TOCSIN_ATTEMPT >> NOTES/good; exit 1");
    settings_.retries = 1;
    settings_.scripts["good"].retries = 0;
    start();
    const auto bad = submit("bad");
    EXPECT_EQ(await_end(submit("good")).attempt, 1U);
    await(bad, JobState::queued);
    ASSERT_TRUE(run_until(io_, [this] { return read_file(notes("bad")) == "1\n"; }));
    crash_and_start();
    const Job job = await_end(bad);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_EQ(job.attempt, 2U);
    EXPECT_EQ(read_file(notes("bad")), "1\n2\n");
    EXPECT_EQ(read_file(notes("good")), "1\n");
}

TEST_F(FullQueue, OutputIsToldWhenARunEnds) {
    script("s", "echo one; echo two >&2");
    start();
    std::vector<std::string> told;
    service_->on_output([&told](const Job& job, std::string_view output) {
        told.push_back(job.script + " " + std::to_string(job.attempt) + ": " + std::string(output));
    });
    await_end(submit("s"));
    EXPECT_EQ(told, std::vector<std::string>{"s 1: one\ntwo\n"});
}

TEST_F(FullQueue, APreviewStartsNothing) {
    script("s", "echo x >> NOTES/started");
    settings_.scripts["s"].callback = true;
    settings_.callback_base = "http://h";
    start();
    const auto index = submit("");
    const auto preview = ask<JobPreview>([this, index](auto done) { service_->preview(index, "s", std::move(done)); });
    ASSERT_TRUE(preview) << preview.error().detail();
    EXPECT_TRUE(preview->script.ready());
    EXPECT_EQ(preview->script.path, (root_.path() / "spark.d/s").string());
    EXPECT_NE(preview->event_json.find("test.event"), std::string::npos);
    const std::map<std::string, std::string> environment(preview->environment.begin(), preview->environment.end());
    EXPECT_EQ(environment.size(), 14U);
    EXPECT_EQ(environment.at("TOCSIN_EVENT_NAME"), "test.event");
    EXPECT_EQ(environment.at("TOCSIN_CALLBACK"), "http://h/v1/callbacks/1-SECRET");
    EXPECT_EQ(service_->scripts("none").front().path, "");
    EXPECT_FALSE(service_->scripts("none").front().ready());
    EXPECT_EQ(service_->scripts("").size(), 2U);
    EXPECT_EQ(ask<JobPreview>([this](auto done) { service_->preview(99, "s", std::move(done)); }).error().code,
              Code::not_found);
    EXPECT_EQ(ask<JobPreview>([this](auto done) { service_->preview(1, "../s", std::move(done)); }).error().code,
              Code::invalid_argument);
    EXPECT_EQ(started(), 0U);
    EXPECT_TRUE(list({})->items.empty());
}

} // namespace
} // namespace tocsin::jobs::test
