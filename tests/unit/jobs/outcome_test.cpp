// SPDX-License-Identifier: Apache-2.0
// The pure parts: what became of a run, what a change writes, how a row is stored, what a list asks for.
#include "jobs/job_change.hpp"
#include "jobs/job_codec.hpp"
#include "jobs/outcome.hpp"
#include "jobs/records.hpp"

#include "core/event.hpp"
#include "core/limits.hpp"

#include <gtest/gtest.h>

#include <charconv>

namespace tocsin::jobs {
namespace {

using protocol::Cause;
using protocol::Ended;
using protocol::Outcome;

Job running_job() {
    Job job;
    job.id = 5;
    job.unique_index = 17;
    job.script = "report";
    job.state = JobState::running;
    job.attempt = 1;
    job.queued_us = 1;
    job.started_us = 2;
    return job;
}

Job concluded(const Ended& ended, std::optional<std::string> report = {}, Policy policy = {}) {
    policy.timeout_us = 60'000'000;
    return conclude(running_job(), {ended, std::move(report), "out"}, policy, 9);
}

constexpr auto exit_zero = [] { return Ended{.outcome = Outcome::exited}; };

TEST(Outcome, EveryEndHasItsStateAndReason) {
    struct Case {
        Ended ended;
        JobState state;
        std::optional<std::int32_t> status;
        std::string reason;
    };
    const std::vector<Case> cases{
        {{.outcome = Outcome::exited}, JobState::succeeded, 0, ""},
        {{.outcome = Outcome::exited, .code = 3}, JobState::failed, 3, "exit status 3"},
        {{.outcome = Outcome::signalled, .code = 11}, JobState::failed, 139, "ended by SIGSEGV"},
        {{.outcome = Outcome::signalled, .code = 40}, JobState::failed, 168, "ended by signal 40"},
        {{.outcome = Outcome::signalled, .code = 9, .cause = Cause::timeout},
         JobState::timed_out,
         137,
         "ran longer than 1m"},
        {{.outcome = Outcome::exited, .code = 0, .cause = Cause::timeout},
         JobState::timed_out,
         0,
         "ran longer than 1m"},
        {{.outcome = Outcome::signalled, .code = 15, .cause = Cause::stopped},
         JobState::failed,
         143,
         "its supervisor was told to stop"},
        {{.outcome = Outcome::not_started, .reason = "no"}, JobState::failed, std::nullopt, "no"},
    };
    for (const Case& one : cases) {
        const Job job = concluded(one.ended);
        EXPECT_EQ(job.state, one.state) << one.reason;
        EXPECT_EQ(job.exit_status, one.status) << one.reason;
        EXPECT_EQ(job.reason, one.reason);
        EXPECT_EQ(job.ended_us, 9);
        EXPECT_EQ(job.output, "out");
    }
}

TEST(Outcome, TheReportLineDecides) {
    EXPECT_EQ(concluded(exit_zero()).report_id, 5) << "silence is the job's id";
    EXPECT_EQ(concluded(exit_zero(), " \n\n").report_id, 5);
    const Job given = concluded(exit_zero(), "{\"spark_report_id\":17,\"url\":\"u\"}\r\n");
    EXPECT_EQ(given.report_id, 17);
    EXPECT_EQ(given.report_url, "u");
    const Job address = concluded(exit_zero(), R"({"url":"u"})");
    EXPECT_EQ(address.report_id, 5);
    EXPECT_EQ(address.report_url, "u");
    const Job pending = concluded(exit_zero(), R"({"pending":true})");
    EXPECT_EQ(pending.state, JobState::waiting);
    EXPECT_EQ(pending.ended_us, 0) << "the job has not ended";
    EXPECT_EQ(concluded(exit_zero(), "no").state, JobState::failed);
    EXPECT_EQ(concluded(exit_zero(), "{\"pending\":true}\n{}").reason, "descriptor 3: more than one line");
    EXPECT_EQ(concluded({.outcome = Outcome::exited, .code = 1}, R"({"spark_report_id":17})").state, JobState::failed);
}

TEST(Outcome, AReportThatCameBeforeIsKept) {
    Job job = running_job();
    job.report_id = 12;
    job.report_url = "early";
    const auto end = [&job](std::optional<std::string> line) {
        return conclude(job, {Ended{.outcome = Outcome::exited}, std::move(line), ""}, {}, 9);
    };
    EXPECT_EQ(end({}).report_id, 12);
    EXPECT_EQ(end(R"({"pending":true})").state, JobState::succeeded);
    EXPECT_EQ(end(R"({"spark_report_id":13})").report_id, 13);
    EXPECT_EQ(end(R"({"spark_report_id":13})").report_url, "early");
}

TEST(Outcome, RetriesAreForWhatWentWrong) {
    const Ended failed{.outcome = Outcome::exited, .code = 1};
    EXPECT_EQ(concluded(failed, {}, {.retries = 1}).state, JobState::queued);
    EXPECT_EQ(concluded(failed, {}, {.retries = 1}).reason, "attempt 1: exit status 1");
    EXPECT_EQ(concluded(failed, {}, {.retries = 0}).state, JobState::failed);
    EXPECT_EQ(concluded(failed, {}, {.retries = 1, .cancelled = true}).state, JobState::cancelled);
    EXPECT_EQ(concluded(exit_zero(), {}, {.retries = 1}).state, JobState::succeeded);
    Job second = running_job();
    second.attempt = 2;
    EXPECT_EQ(conclude(second, {failed, {}, ""}, {.retries = 1}, 9).state, JobState::failed);
    EXPECT_EQ(conclude(second, {}, {.retries = 2}, 9).state, JobState::queued) << "a helper that went away counts";
}

TEST(Outcome, WhatWasNotKeptIsSaidWithEveryEnd) {
    RunResult result{.ended = exit_zero()};
    result.products_dropped = 2;
    result.dropped_reason = "\"pipe\": is not a regular file";
    const Job job = conclude(running_job(), result, {}, 9);
    EXPECT_EQ(job.state, JobState::succeeded);
    EXPECT_EQ(job.reason, "2 of what it left was not kept: \"pipe\": is not a regular file");
    result.ended->code = 3;
    EXPECT_TRUE(conclude(running_job(), result, {}, 9).reason.starts_with("exit status 3; 2 of what it left"));
    EXPECT_EQ(conclude(running_job(), result, {.cancelled = true}, 9).reason, "cancelled while it ran");
}

TEST(Outcome, WhatWentWrongWithTheHelperIsSaid) {
    RunResult result;
    result.problem = "another version";
    const Job job = conclude(running_job(), result, {}, 9);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_EQ(job.reason, "its supervisor, tocsin-spark, failed: another version");
}

TEST(Outcome, ReasonsAreBoundedText) {
    const Job job = concluded({.outcome = Outcome::not_started, .reason = "\xff\xfe" + std::string(5'000, 'x')});
    EXPECT_EQ(job.reason.size(), protocol::reason_bytes);
    EXPECT_TRUE(valid_utf8(job.reason));
}

TEST(Outcome, DelaysGrowToTheirBound) {
    EXPECT_EQ(retry_delay_us(1), 1'000'000);
    EXPECT_EQ(retry_delay_us(2), 2'000'000);
    EXPECT_EQ(retry_delay_us(9), 256'000'000);
    EXPECT_EQ(retry_delay_us(10), 300'000'000);
    EXPECT_EQ(retry_delay_us(4'000'000'000), 300'000'000);
}

// ---- rows ----

StoredJob full_job() {
    StoredJob stored{running_job(), 99};
    stored.job.state = JobState::timed_out;
    stored.job.cause_depth = 3;
    stored.job.exit_status = -7;
    stored.job.ended_us = 3;
    stored.job.report_id = 12;
    stored.job.report_url = "http://x";
    stored.job.reason = "why";
    stored.job.output_bytes = 1U << 20;
    stored.job.truncated = true;
    stored.job.joined = {{18, 0}, {21, 4}};
    stored.job.callback_secret = std::string(64, 'a');
    return stored;
}

TEST(JobCodec, RowsComeBack) {
    for (const auto& stored : {full_job(), StoredJob{running_job(), 0}, StoredJob{}}) {
        const auto back = decode_job(stored.job.id, encode_job(stored));
        ASSERT_TRUE(back);
        EXPECT_EQ(back->job, stored.job);
        EXPECT_EQ(back->due_us, stored.due_us);
    }
}

TEST(JobCodec, DamageIsSeen) {
    const std::string value = encode_job(full_job());
    for (std::size_t size = 0; size < value.size(); ++size) {
        EXPECT_FALSE(decode_job(5, std::string_view(value).substr(0, size))) << size;
    }
    std::string other = value;
    other[0] = 3;
    EXPECT_NE(decode_job(5, other).error().detail().find("newer version"), std::string::npos);
    other = value;
    other[2] = 7;
    EXPECT_FALSE(decode_job(5, other)) << "a state that is none";
    EXPECT_FALSE(decode_counter("x"));
    EXPECT_EQ(decode_counter(encode_counter(1ULL << 40)), 1ULL << 40);
}

TEST(JobCodec, RowsOfTheVersionBeforeAreRead) {
    constexpr std::string_view old = // as the first version wrote it
        "0107031100000000000000020000000300000005000000e803000000000000d007000000000000b80b000000000000630000"
        "00000000007011010000000000a00f000000000000060000007265706f727408000000687474703a2f2f7203000000776879";
    std::string value;
    for (std::size_t i = 0; i < old.size(); i += 2) {
        unsigned byte = 0;
        std::from_chars(old.data() + i, old.data() + i + 2, byte, 16);
        value += static_cast<char>(byte);
    }
    const auto stored = decode_job(9, value);
    ASSERT_TRUE(stored) << stored.error().detail();
    const Job wanted{.id = 9,
                     .unique_index = 17,
                     .cause_depth = 2,
                     .script = "report",
                     .state = JobState::succeeded,
                     .attempt = 3,
                     .exit_status = 5,
                     .queued_us = 1'000,
                     .started_us = 2'000,
                     .ended_us = 3'000,
                     .report_id = 99,
                     .report_url = "http://r",
                     .reason = "why",
                     .output_bytes = 70'000,
                     .truncated = true};
    EXPECT_EQ(stored->job, wanted);
    EXPECT_EQ(stored->due_us, 4'000);
    EXPECT_EQ(encode_job(*stored)[0], '\2') << "and written again as the present one";
    EXPECT_FALSE(decode_job(9, value + "x"));
}

TEST(JobCodec, NoMoreEventsJoinThanAreKept) {
    StoredJob stored{running_job(), 0};
    stored.job.joined.resize(limits::job_joined_max);
    EXPECT_TRUE(decode_job(5, encode_job(stored)));
    stored.job.joined.emplace_back();
    EXPECT_FALSE(decode_job(5, encode_job(stored)));
}

TEST(JobCodec, KeysSortAndTellThemselvesApart) {
    EXPECT_LT(counter_key(), job_key(0));
    EXPECT_LT(job_key(255), job_key(256));
    EXPECT_LT(job_key(1ULL << 40), output_key(1));
    EXPECT_EQ(id_of_key(job_key(77)), 77U);
    EXPECT_FALSE(id_of_key(output_key(77)));
    EXPECT_FALSE(id_of_key(counter_key()));
}

// ---- changes ----

StateChange change_of(const Job& job) {
    StateChange change;
    append_change(change, {job, 0}, 1'000);
    return change;
}

TEST(JobChange, EachStateWritesWhatBelongsToIt) {
    Job job = running_job();
    auto change = change_of(job);
    ASSERT_EQ(change.rows.size(), 1U);
    ASSERT_EQ(change.events.size(), 1U);
    EXPECT_EQ(change.events[0].event_name, "job.started");
    EXPECT_EQ(change.events[0].event_src, daemon_source);
    EXPECT_EQ(change.events[0].payload, R"({"job":5,"unique_index":17,"script":"report","attempt":1})");
    EXPECT_EQ(change.events[0].cause, 17U);
    EXPECT_EQ(change.events[0].cause_depth, 1U);
    job.state = JobState::succeeded;
    job.report_id = 8;
    job.output = "said";
    change = change_of(job);
    ASSERT_EQ(change.rows.size(), 3U);
    EXPECT_EQ(change.rows[1].key, output_key(5));
    EXPECT_EQ(change.rows[2].table, Table::reports);
    EXPECT_EQ(change.rows[2].key, report_key(17));
    EXPECT_EQ(decode_report(*change.rows[2].value)->first, 8);
    job.state = JobState::failed;
    EXPECT_EQ(change_of(job).events[0].severity, Severity::error);
    EXPECT_EQ(change_of(job).rows.size(), 2U) << "no report of a job that failed";
    job.state = JobState::cancelled;
    EXPECT_EQ(change_of(job).events[0].severity, Severity::warning);
    for (const auto silent : {JobState::queued, JobState::waiting}) {
        job.state = silent;
        EXPECT_TRUE(change_of(job).events.empty());
    }
}

TEST(JobChange, ASecondAttemptForgetsTheOutputOfTheFirst) {
    Job job = running_job();
    job.attempt = 2;
    const auto change = change_of(job);
    ASSERT_EQ(change.rows.size(), 2U);
    EXPECT_EQ(change.rows[1].key, output_key(5));
    EXPECT_FALSE(change.rows[1].value);
}

TEST(JobChange, AChainIsCutOnce) {
    Job job = running_job();
    job.cause_depth = limits::cause_depth_max - 1;
    const auto started = change_of(job);
    ASSERT_EQ(started.events.size(), 1U);
    EXPECT_EQ(started.events[0].event_name, "chain.cut");
    EXPECT_EQ(started.events[0].cause_depth, limits::cause_depth_max);
    EXPECT_NE(started.events[0].payload.find(R"("event_name":"job.started"})"), std::string::npos);
    job.state = JobState::failed;
    EXPECT_TRUE(change_of(job).events.empty());
    job.attempt = 0; // it never started, so this is the first that would be told
    EXPECT_EQ(change_of(job).events.size(), 1U);
    job.cause_depth = limits::cause_depth_max - 2;
    EXPECT_EQ(change_of(job).events[0].event_name, "job.failed");
}

// ---- bookkeeping ----

Job job_in(std::uint64_t id, JobState state, std::uint64_t index = 1) {
    Job job;
    job.id = id;
    job.state = state;
    job.unique_index = index;
    return job;
}

TEST(Records, TheQueueIsOrderedByTimeThenId) {
    Records records;
    records.keep(job_in(2, JobState::queued), 100);
    records.keep(job_in(1, JobState::queued), 100);
    records.keep(job_in(3, JobState::queued), 50);
    EXPECT_FALSE(records.next_queued(49));
    EXPECT_EQ(records.next_queued(50), 3U);
    records.unwatch(3);
    EXPECT_FALSE(records.next_queued(99));
    EXPECT_EQ(records.next_queued(100), 1U);
    EXPECT_EQ(records.queue_due_boot_us(), 100);
    records.requeue(3, 200);
    records.keep(job_in(1, JobState::running), 0);
    records.keep(job_in(2, JobState::succeeded), 0);
    EXPECT_EQ(records.next_queued(200), 3U);
    EXPECT_EQ(records.find(2), nullptr);
    EXPECT_EQ(records.counts()[JobState::queued], 1U);
    EXPECT_EQ(records.counts()[JobState::running], 1U);
    EXPECT_EQ(records.counts()[JobState::succeeded], 1U);
}

TEST(Records, WaitingJobsExpireAndEventsFindTheirs) {
    Records records;
    records.keep(job_in(1, JobState::waiting, 7), 100);
    records.keep(job_in(2, JobState::running, 7), 0);
    records.keep(job_in(3, JobState::queued, 8), 0);
    EXPECT_FALSE(records.next_expired(99));
    EXPECT_EQ(records.next_expired(100), 1U);
    EXPECT_EQ(records.of_event(7), (std::vector<std::uint64_t>{1, 2}));
    records.keep(job_in(1, JobState::failed, 7), 0);
    EXPECT_FALSE(records.next_expired(1'000));
    EXPECT_EQ(records.of_event(7), std::vector<std::uint64_t>{2});
    EXPECT_TRUE(records.of_event(9).empty());
}

TEST(Records, IdsGoOnFromWhatWasStored) {
    Records records;
    records.expect_next_id(9);
    records.restore(job_in(20, JobState::failed), 0);
    EXPECT_EQ(records.allocate(), 21U);
    EXPECT_EQ(records.next_id(), 22U);
    EXPECT_EQ(records.counts()[JobState::failed], 0U) << "it did not end under our eyes";
}

TEST(Records, OnlyTheNewestEndedAreRemembered) {
    Records records;
    for (std::uint64_t id = 1; id <= 1'500; ++id) {
        records.keep(job_in(id, JobState::failed), 0);
    }
    const auto recent = records.recent(10'000);
    ASSERT_EQ(recent.size(), 1'000U);
    EXPECT_EQ(recent.front().id, 1'500U);
    EXPECT_EQ(records.counts()[JobState::failed], 1'500U);
}

} // namespace
} // namespace tocsin::jobs
