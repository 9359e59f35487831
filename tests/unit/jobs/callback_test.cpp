// SPDX-License-Identifier: Apache-2.0
// A report that comes by the secret of a run: when it is good, for how long, and who gets to see it.
#include "site.hpp"

#include "jobs/job_codec.hpp"

#include <map>

namespace tocsin::jobs::test {
namespace {

class Callback : public Site {
protected:
    void SetUp() override {
        script("later", R"(echo "$TOCSIN_CALLBACK" > NOTES/address; echo '{"pending": true}' >&3)");
        script("slow",
               R"(echo "$TOCSIN_CALLBACK" > NOTES/address; while [ ! -e NOTES/go ]; do :; done; exit $(cat NOTES/go))");
        settings_.scripts["later"].callback = true;
        settings_.scripts["slow"].callback = true;
    }
    void go(const std::string& code = "0") { std::ofstream(notes("go")) << code; }
    std::string address() {
        EXPECT_TRUE(run_until(io_, [this] { return read_file(notes("address")).ends_with("\n"); }));
        std::string text = read_file(notes("address"));
        text.pop_back();
        return text;
    }
    std::string secret() {
        const std::string text = address();
        return text.substr(text.rfind('/') + 1);
    }
    Result<Job> call(const std::string& token, std::int64_t report = 41, const std::string& url = "http://r") {
        return ask<Job>(
            [this, &token, report, &url](auto done) { service_->call_back(token, report, url, std::move(done)); });
    }
    // Every byte that is stored or told anywhere.
    bool is_stored(const std::string& text) {
        return std::ranges::any_of(log_.rows(Table::jobs), [&text](const auto& row) {
            return row.second.find(text.substr(text.find('-') + 1)) != std::string::npos;
        });
    }
};

TEST_F(Callback, EndsTheWaitingJobOnce) {
    start();
    const auto index = submit("later");
    await(index, JobState::waiting);
    const std::string token = secret();
    EXPECT_EQ(address(), "/v1/callbacks/" + token);
    const auto job = call(token);
    ASSERT_TRUE(job) << job.error().detail();
    EXPECT_EQ(job->state, JobState::succeeded);
    EXPECT_EQ(job->report_id, 41);
    EXPECT_EQ(job->callback_secret, "");
    EXPECT_EQ(report_on(index), (std::pair<std::int64_t, std::string>{41, "http://r"}));
    EXPECT_EQ(call(token).error().code, Code::not_found) << "one use";
    EXPECT_FALSE(is_stored(token)) << "a job that has ended has none";
    EXPECT_EQ(log_.names_caused_by(index), (std::vector<std::string>{"job.started", "job.succeeded"}));
}

TEST_F(Callback, StandsBehindTheBase) {
    settings_.callback_base = "https://tocsin.example.org/a";
    start();
    submit("later");
    EXPECT_TRUE(address().starts_with("https://tocsin.example.org/a/v1/callbacks/1-")) << address();
}

TEST_F(Callback, OnlyScriptsThatMayGetOne) {
    settings_.scripts["later"].callback = false;
    script("all", "env");
    start();
    await(submit("later"), JobState::waiting);
    EXPECT_EQ(address(), "");
    const std::string environment = *output_of(await_end(submit("all")));
    EXPECT_EQ(environment.find("TOCSIN_CALLBACK"), std::string::npos);
    EXPECT_EQ(std::ranges::count(environment, '\n'), 14) << "the documented ones and what sh adds itself (PWD):\n"
                                                         << environment;
}

TEST_F(Callback, SurvivesARestart) {
    start();
    const auto index = submit("later");
    await(index, JobState::waiting);
    const std::string token = secret();
    EXPECT_TRUE(is_stored(token));
    crash_and_start();
    EXPECT_EQ(job_of(index)->state, JobState::waiting);
    ASSERT_TRUE(call(token));
    EXPECT_EQ(await_end(index).report_id, 41);
}

TEST_F(Callback, DuringTheRunItIsKept) {
    start();
    const auto index = submit("slow");
    const std::string token = secret();
    const auto job = call(token);
    ASSERT_TRUE(job) << job.error().detail();
    EXPECT_EQ(job->state, JobState::running);
    EXPECT_EQ(report_on(index)->first, 41);
    EXPECT_EQ(call(token).error().code, Code::not_found);
    go();
    EXPECT_EQ(await_end(index).report_id, 41);
    EXPECT_EQ(log_.names_caused_by(index), (std::vector<std::string>{"job.started", "job.succeeded"}));
}

TEST_F(Callback, EachRunHasItsOwn) {
    settings_.scripts["slow"].retries = 1;
    start();
    const auto index = submit("slow");
    const std::string first = secret();
    go("1");
    await(index, JobState::queued);
    EXPECT_FALSE(is_stored(first));
    EXPECT_EQ(call(first).error().code, Code::not_found) << "between two runs there is none";
    std::error_code error;
    fs::remove(notes("address"), error);
    fs::remove(notes("go"), error);
    const std::string second = secret();
    EXPECT_NE(first, second);
    EXPECT_EQ(call(first).error().code, Code::not_found);
    ASSERT_TRUE(call(second));
    go();
    EXPECT_EQ(await_end(index).state, JobState::succeeded);
}

TEST_F(Callback, ARefusedOneMayComeAgain) {
    start();
    const auto index = submit("later");
    await(index, JobState::waiting);
    const std::string token = secret();
    log_.fail_commits(Code::storage_full, 1);
    EXPECT_EQ(call(token).error().code, Code::storage_full);
    EXPECT_EQ(call(token, 0).error().code, Code::invalid_argument);
    EXPECT_EQ(call(token, 1, std::string(limits::path_bytes + 1, 'x')).error().object, "url");
    EXPECT_TRUE(call(token)) << "the one use is a success";
    EXPECT_EQ(await_end(index).state, JobState::succeeded);
}

TEST_F(Callback, WhateverIsWrongTheAnswerIsTheSame) {
    settings_.callback_timeout_us = 1'000'000;
    start();
    const auto index = submit("later");
    await(index, JobState::waiting);
    const std::string token = secret();
    std::string other = token;
    other.back() = other.back() == '0' ? '1' : '0';
    const std::string wrong = call(other).error().detail();
    EXPECT_EQ(await_end(index).reason, "no report came within 1s");
    for (const std::string& text : {std::string(), std::string("x"), "2-" + std::string(64, '0'), token}) {
        const auto answer = call(text);
        ASSERT_FALSE(answer) << text;
        EXPECT_EQ(answer.error().code, Code::not_found);
        EXPECT_EQ(answer.error().detail(), wrong) << text;
    }
    EXPECT_FALSE(is_stored(token));
}

TEST_F(Callback, TwoAtOnceAreOne) {
    start();
    const auto index = submit("later");
    await(index, JobState::waiting);
    const std::string token = secret();
    std::map<std::int64_t, Result<Job>> answers;
    log_.hold_commits(true);
    for (const std::int64_t report : {41, 42}) {
        service_->call_back(token, report, "",
                            [&answers, report](Result<Job> answer) { answers.emplace(report, std::move(answer)); });
    }
    log_.hold_commits(false);
    ASSERT_TRUE(run_until(io_, [&answers] { return answers.size() == 2; }));
    EXPECT_TRUE(answers.at(41));
    ASSERT_FALSE(answers.at(42));
    EXPECT_EQ(answers.at(42).error().code, Code::not_found);
    EXPECT_EQ(await_end(index).report_id, 41);
}

TEST_F(Callback, NobodyIsShownTheSecret) {
    start();
    std::vector<Job> told;
    const auto watch = service_->on_change([&told](const Job& job) { told.push_back(job); });
    const auto index = submit("later");
    const Job waiting = await(index, JobState::waiting);
    for (const Job& job : service_->recent(10)) {
        told.push_back(job);
    }
    told.push_back(waiting);
    told.push_back(*ask<Job>([this, &waiting](auto done) { service_->find(waiting.id, std::move(done)); }));
    told.push_back(*cancel(waiting.id));
    for (const Job& job : told) {
        EXPECT_EQ(job.callback_secret, "") << to_string(job.state);
    }
    EXPECT_FALSE(is_stored(secret()));
}

} // namespace
} // namespace tocsin::jobs::test
