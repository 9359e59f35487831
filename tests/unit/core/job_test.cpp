// SPDX-License-Identifier: Apache-2.0
#include "core/job.hpp"

#include "core/json.hpp"
#include "core/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

namespace tocsin {
namespace {

using enum JobState;
constexpr std::array all_states{queued, running, waiting, succeeded, failed, timed_out, cancelled};

TEST(JobState, NamesComeBack) {
    for (const JobState state : all_states) {
        EXPECT_EQ(job_state_from(to_string(state)), state);
    }
    EXPECT_EQ(to_string(timed_out), "timed-out");
    EXPECT_EQ(job_state_from("timed_out"), std::nullopt);
    EXPECT_EQ(job_state_from(""), std::nullopt);
}

TEST(JobState, OnlyTheseTransitions) {
    const std::set<std::pair<JobState, JobState>> allowed{
        {queued, running},    {queued, failed},  {queued, cancelled},  {running, queued},    {running, waiting},
        {running, succeeded}, {running, failed}, {running, timed_out}, {running, cancelled}, {waiting, queued},
        {waiting, succeeded}, {waiting, failed}, {waiting, timed_out}, {waiting, cancelled},
    };
    for (const JobState from : all_states) {
        for (const JobState to : all_states) {
            const Result<void> result = check_transition(from, to);
            EXPECT_EQ(result.has_value(), allowed.contains({from, to})) << to_string(from) << " to " << to_string(to);
            if (!result) {
                EXPECT_EQ(result.error().code, Code::conflict);
            }
        }
        EXPECT_EQ(is_final(from), from != queued && from != running && from != waiting);
    }
}

TEST(JobState, EventsOfTheContract) {
    EXPECT_EQ(event_name(queued), "");
    EXPECT_EQ(event_name(waiting), "");
    EXPECT_EQ(event_name(running), "job.started");
    EXPECT_EQ(event_name(succeeded), "job.succeeded");
    EXPECT_EQ(event_name(failed), "job.failed");
    EXPECT_EQ(event_name(timed_out), "job.timed-out");
    EXPECT_EQ(event_name(cancelled), "job.cancelled");
}

TEST(Job, DescribesWhatHasAValue) {
    Job job;
    job.id = 5;
    job.unique_index = 17;
    job.script = "report";
    std::string text;
    json::append_object(text, job);
    EXPECT_EQ(text, R"({"id":5,"unique_index":17,"script":"report","state":"queued",)"
                    R"("attempt":0,"output_bytes":0,"truncated":false})");
}

TEST(Job, DescribesEverythingInOrder) {
    Job job;
    job.id = 5;
    job.unique_index = 17;
    job.script = "report";
    job.state = timed_out;
    job.attempt = 2;
    job.exit_status = 137;
    job.queued_us = 1'000'000;
    job.started_us = 2'000'000;
    job.ended_us = 3'000'000;
    job.report_id = 17;
    job.report_url = "https://r/17";
    job.reason = "ran longer than 10m";
    job.output_bytes = 812;
    job.truncated = true;
    std::string text;
    json::append_object(text, job);
    EXPECT_EQ(text, R"({"id":5,"unique_index":17,"script":"report","state":"timed-out","attempt":2,"exit_status":137,)"
                    R"("queued":"1970-01-01T00:00:01.000000Z","started":"1970-01-01T00:00:02.000000Z",)"
                    R"("ended":"1970-01-01T00:00:03.000000Z","report_id":17,"report_url":"https://r/17",)"
                    R"("reason":"ran longer than 10m","output_bytes":812,"truncated":true})");
}

TEST(ScriptName, IsANameNeverAPath) {
    for (const std::string good : {"report", "spark-http", "a.py", ".hidden", "räport"}) {
        EXPECT_EQ(script_name_problem(good), std::nullopt) << good;
    }
    for (const std::string& bad : {std::string(), std::string("/bin/sh"), std::string("a/b"), std::string(".."),
                                   std::string("."), std::string("a..b"), std::string("a\nb"), std::string("a\0b", 3),
                                   std::string("\xff"), std::string(256, 'a')}) {
        EXPECT_NE(script_name_problem(bad), std::nullopt) << bad;
    }
}

TEST(ReportLine, IdAndAddress) {
    const auto line = parse_report_line(R"({"spark_report_id": 17, "url": "https://example.org/17"})");
    ASSERT_TRUE(line) << line.error().detail();
    EXPECT_EQ(line->report_id, 17);
    EXPECT_EQ(line->url, "https://example.org/17");
    EXPECT_FALSE(line->pending);
}

TEST(ReportLine, AddressAloneAndPending) {
    EXPECT_EQ(parse_report_line(R"({"url":"x"})")->report_id, std::nullopt);
    EXPECT_TRUE(parse_report_line(R"({"pending":true})")->pending);
    EXPECT_TRUE(parse_report_line(R"({"pending":true,"spark_report_id":null})")->pending) << "null is absent";
}

TEST(ReportLine, MistakesNameTheField) {
    const std::vector<std::pair<std::string, std::string>> wrong{
        {R"({"spark_report_id":0})", "spark_report_id"},
        {R"({"spark_report_id":-1})", "spark_report_id"},
        {R"({"spark_report_id":"17"})", "spark_report_id"},
        {R"({"spark_report_id":1.5})", "spark_report_id"},
        {R"({"spark_report_id":18446744073709551615})", "spark_report_id"},
        {R"({"spark_report_id":1,"url":5})", "url"},
        {R"({"spark_report_id":1,"url":"a\nb"})", "url"},
        {R"({"spark_report_id":1,"url":")" + std::string(limits::path_bytes + 1, 'x') + "\"}", "url"},
        {R"({"pending":1})", "pending"},
        {R"({"pending":true,"spark_report_id":1})", "pending"},
        {R"({})", "spark_report_id"},
        {R"({"pending":false})", "spark_report_id"},
        {R"({"spark_reportid":1})", "spark_reportid"},
        {R"([1])", ""},
        {R"(17)", ""},
        {R"({"spark_report_id":1)", ""},
        {"", ""},
        {"{\"url\":\"" + std::string(limits::report_line_bytes, 'x') + "\"}", ""},
    };
    for (const auto& [text, object] : wrong) {
        const auto line = parse_report_line(text);
        ASSERT_FALSE(line) << text.substr(0, 80);
        EXPECT_EQ(line.error().object, object) << text.substr(0, 80);
        EXPECT_EQ(line.error().code, Code::invalid_argument);
    }
    EXPECT_THAT(parse_report_line(R"({"spark_reportid":1})").error().reason, testing::HasSubstr("\"spark_report_id\""));
}

} // namespace
} // namespace tocsin
