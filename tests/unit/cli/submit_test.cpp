// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/fake.hpp"

#include "cli/value.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <pthread.h>
#include <unistd.h>

namespace tocsin::cli::test {
namespace {

std::string receipt(unsigned count, unsigned first, unsigned duplicates = 0) {
    return "{\"count\":" + std::to_string(count) + ",\"first\":" + std::to_string(first) +
           ",\"last\":" + std::to_string(first + count - 1) + ",\"duplicates\":" + std::to_string(duplicates) + "}";
}

std::string lines(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += "{\"event_name\":\"n\",\"event_src\":\"s\",\"scid\":" + std::to_string(i) + "}\n";
    }
    return text;
}

// ---- one event ----

TEST(Submit, MakesAnEventOfFlags) {
    FakeDaemon daemon;
    daemon.say(201, R"({"unique_index":17})");
    const Ran ran = run(daemon, {"submit",
                                 "--name",
                                 "n",
                                 "--src",
                                 "s",
                                 "--severity",
                                 "warning",
                                 "--scid",
                                 "-4",
                                 "--time",
                                 "-1h",
                                 "--payload",
                                 R"({ "a": [1, 2] })",
                                 "--count",
                                 "3",
                                 "--env",
                                 "aws",
                                 "--script",
                                 "r",
                                 "--key",
                                 "k",
                                 "--description",
                                 "d",
                                 "--summary",
                                 "u",
                                 "--rule",
                                 "x > 1",
                                 "--rule-id",
                                 "7",
                                 "--type",
                                 "dataset",
                                 "--event-id",
                                 "e",
                                 "--gem",
                                 "/g"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "17\n");
    const Request& request = daemon.last();
    EXPECT_EQ(request.method + " " + request.target, "POST /v1/events");
    EXPECT_EQ(request.content_type, "application/json");
    const auto event = Value::parse(request.body);
    ASSERT_TRUE(event.has_value()) << request.body;
    const std::vector<std::pair<std::string_view, std::string_view>> wanted{
        {"event_name", "n"},
        {"event_src", "s"},
        {"severity", "warning"},
        {"scid", "-4"},
        {"count", "3"},
        {"environment", "aws"},
        {"spark_script", "r"},
        {"idempotency_key", "k"},
        {"description", "d"},
        {"summary", "u"},
        {"event_rule", "x > 1"},
        {"event_rule_id", "7"},
        {"event_type", "dataset"},
        {"event_id", "e"},
        {"gem_full_path", "/g"},
        {"payload", R"({"a":[1,2]})"},
        {"event_time", "2026-01-02T02:00:04.000000Z"}};
    for (const auto& [key, value] : wanted) {
        EXPECT_EQ((*event)[key].text(), value) << key;
    }
    EXPECT_EQ(event->members().size(), wanted.size());
}

TEST(Submit, TakesTheLongNamesToo) {
    FakeDaemon daemon;
    daemon.say(201, R"({"unique_index":1})");
    EXPECT_EQ(run(daemon, {"submit", "--event-name=n", "--event_src", "s", "--spark-script", "r"}).code, 0);
    EXPECT_EQ(daemon.last().body, R"({"event_name":"n","event_src":"s","spark_script":"r"})");
}

TEST(Submit, TextGoesAsText) {
    FakeDaemon daemon;
    daemon.say(201, R"({"unique_index":1})");
    EXPECT_EQ(run(daemon, {"submit", "-n", "5", "-s", "true", "--summary", "a \"b\"\n"}).code, 0);
    EXPECT_EQ(daemon.last().body, R"({"event_name":"5","event_src":"true","summary":"a \"b\"\n"})");
}

TEST(Submit, JsonGoesAsItIs) {
    FakeDaemon daemon;
    daemon.say(201, R"({"count":2,"unique_indexes":[4,5]})");
    const std::string text = R"( [{"event_name":"a"},{"event_name":"b"}])";
    const Ran ran = run(daemon, {"submit", text});
    EXPECT_EQ(ran.out, "4\n5\n");
    EXPECT_EQ(daemon.last().body, text);
}

TEST(Submit, ReadsStandardInput) {
    FakeDaemon daemon;
    daemon.say(200, R"({"unique_index":4,"duplicate":true})");
    const Input input(R"({"event_name":"a","event_src":"b"})");
    const Ran ran = run(daemon, {"submit", "-"}, {.input_fd = input.fd()});
    EXPECT_EQ(ran.out, "4\n");
    EXPECT_NE(ran.err.find("known by its key"), std::string::npos);
    EXPECT_EQ(daemon.last().body, R"({"event_name":"a","event_src":"b"})");
}

TEST(Submit, StandardInputIsBounded) {
    FakeDaemon daemon;
    const Input input(std::string(17 * 1024 * 1024, ' '));
    const Ran ran = run(daemon, {"submit", "-"}, {.input_fd = input.fd()});
    EXPECT_EQ(ran.code, 6);
    EXPECT_NE(ran.err.find("--ndjson"), std::string::npos);
    EXPECT_TRUE(daemon.requests.empty());
}

TEST(Submit, LinesWithoutNdjsonAreNoticed) {
    FakeDaemon daemon;
    daemon.refuse(400, "InvalidArgument", "not one JSON value");
    const Input input(lines(2));
    const Ran ran = run(daemon, {"submit", "-"}, {.input_fd = input.fd()});
    EXPECT_EQ(ran.code, 2);
    EXPECT_NE(ran.err.find("add --ndjson"), std::string::npos);
}

TEST(Submit, FieldsMakeThePayload) {
    FakeDaemon daemon;
    daemon.say(201, R"({"unique_index":1})");
    const Ran ran = run(daemon, {"submit", "-n", "unit.failed", "-s", R"(a\x2db.service)", "--field",
                                 R"(unit=a\x2db.service)", "--field", "result=", "--field", "say=\"x=y\""});
    EXPECT_EQ(ran.code, 0) << ran.err;
    const auto event = Value::parse(daemon.last().body);
    ASSERT_TRUE(event) << daemon.last().body;
    EXPECT_EQ((*event)["event_src"].text(), R"(a\x2db.service)");
    const Value& payload = (*event)["payload"];
    EXPECT_EQ(payload["unit"].text(), R"(a\x2db.service)");
    EXPECT_EQ(payload["say"].text(), "\"x=y\"");
    EXPECT_EQ(payload.members().size(), 2U) << "what is empty is left out";
    daemon.say(201, R"({"unique_index":2})");
    run(daemon, {"submit", "-n", "a", "-s", "b", "--field", "result=", "--key", ""});
    EXPECT_EQ(daemon.last().body, R"({"event_name":"a","event_src":"b"})");
}

TEST(Submit, RetriesWhileNoDaemonTakesIt) {
    FakeDaemon daemon;
    daemon.fail(context_connect);
    daemon.refuse(503, "Unavailable", "is stopping");
    daemon.say(201, R"({"unique_index":7})");
    const Ran ran = run(daemon, {"submit", "-n", "a", "-s", "b", "--retry", "1h"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "7\n");
    ASSERT_EQ(daemon.requests.size(), 3U);
    EXPECT_EQ(daemon.requests[0].body, daemon.requests[2].body);
}

TEST(Submit, RetriedItHasAKeyOfItsOwn) {
    FakeDaemon daemon;
    daemon.fail(context_answer);
    daemon.say(200, R"({"unique_index":7,"duplicate":true})");
    EXPECT_EQ(run(daemon, {"submit", "-n", "a", "-s", "b", "--retry", "1h"}).code, 0);
    ASSERT_EQ(daemon.requests.size(), 2U);
    EXPECT_EQ(daemon.requests[0].body, daemon.requests[1].body);
    const std::string key = Value::parse(daemon.last().body)->operator[]("idempotency_key").text();
    EXPECT_EQ(key.size(), 64);
    daemon.say(201, R"({"unique_index":8})");
    EXPECT_EQ(run(daemon, {"submit", "-n", "a", "-s", "b", "--retry", "1h"}).code, 0);
    EXPECT_EQ(daemon.last().body.find(key), std::string::npos) << "each event has another one";
}

TEST(Submit, WhatMayHaveBeenKeptNeedsAKeyToBeSentAgain) {
    FakeDaemon daemon;
    daemon.fail(context_answer);
    EXPECT_EQ(run(daemon, {"submit", "-n", "a", "-s", "b", "--retry", "1h", "--key", ""}).code, 5);
    EXPECT_EQ(daemon.requests.size(), 1U);
    daemon.fail(context_answer);
    daemon.say(200, R"({"unique_index":7,"duplicate":true})");
    EXPECT_EQ(run(daemon, {"submit", "-n", "a", "-s", "b", "--retry", "1h", "--key", "k"}).code, 0);
    EXPECT_GT(daemon.last().deadline.count(), 0) << "a daemon that hangs is asked again";
}

TEST(Submit, RetryingEndsWithItsTimeOrARefusal) {
    FakeDaemon daemon;
    daemon.fail(context_connect);
    EXPECT_EQ(run(daemon, {"submit", "-n", "a", "-s", "b", "--retry", "1ms"}).code, 5);
    EXPECT_EQ(daemon.requests.size(), 1U);
    daemon.refuse(422, "InvalidEvent", "event_name: is too long");
    EXPECT_EQ(run(daemon, {"submit", "-n", "a", "-s", "b", "--retry", "1h"}).code, 1);
    EXPECT_EQ(daemon.requests.size(), 2U);
}

TEST(Submit, WrongFieldsAndRetriesAreUsage) {
    FakeDaemon daemon;
    EXPECT_EQ(run(daemon, {"submit", "-n", "a", "-s", "b", "--field", "x"}).code, 2);
    EXPECT_EQ(run(daemon, {"submit", "-n", "a", "-s", "b", "--field", "=x"}).code, 2);
    EXPECT_EQ(run(daemon, {"submit", "-n", "a", "-s", "b", "--field", "x=1", "--payload", "{}"}).code, 2);
    EXPECT_EQ(run(daemon, {"submit", "-n", "a", "-s", "b", "--retry", "soon"}).code, 2);
    EXPECT_EQ(run(daemon, {"submit", "-n", "a", "-s", "b", "--retry", "2d"}).code, 2);
    EXPECT_EQ(run(daemon, {"submit", "{}", "--retry", "1s"}).code, 2);
    EXPECT_EQ(run(daemon, {"submit", "--ndjson", "--retry", "1s"}).code, 2);
    EXPECT_TRUE(daemon.requests.empty());
}

TEST(Submit, ARefusedEventExitsWithOne) {
    FakeDaemon daemon;
    daemon.refuse(422, "InvalidEvent", "severity: no", R"(,"errors":[{"index":0,"field":"severity","reason":"no"}])");
    const Ran ran = run(daemon, {"submit", "-n", "a", "-s", "b", "-p", "loud"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.err, "tocsinctl: submit: severity: no\n  correct it and send it again; \"tocsinctl submit --help\" "
                       "shows what there is\n");
}

// ---- NDJSON ----

TEST(Ndjson, SendsPiecesAndCounts) {
    FakeDaemon daemon;
    daemon.say(201, receipt(10'000, 17));
    daemon.say(201, receipt(10'000, 10'020, 3));
    daemon.say(201, receipt(500, 20'030));
    const Input input(lines(20'500));
    const Ran ran = run(daemon, {"submit", "--ndjson"}, {.input_fd = input.fd()});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "20500 events kept, index 17 to 20529; 3 of them known before by their idempotency keys\n");
    ASSERT_EQ(daemon.requests.size(), 3U);
    std::string all;
    for (const Request& request : daemon.requests) {
        EXPECT_EQ(request.content_type, "application/x-ndjson");
        EXPECT_LE(std::ranges::count(request.body, '\n'), 10'000);
        all += request.body;
    }
    EXPECT_EQ(all, lines(20'500));
}

TEST(Ndjson, GivesProgramsTheReceipt) {
    FakeDaemon daemon;
    daemon.say(201, receipt(2, 5));
    const Input input(lines(2));
    EXPECT_EQ(run(daemon, {"submit", "--ndjson", "-", "--json"}, {.input_fd = input.fd()}).out,
              "{\"count\":2,\"first\":5,\"last\":6,\"duplicates\":0}\n");
}

TEST(Ndjson, NoLinesAreNoEvents) {
    FakeDaemon daemon;
    const Input input("");
    const Ran ran = run(daemon, {"submit", "--ndjson"}, {.input_fd = input.fd()});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out, "0 events kept\n");
    EXPECT_TRUE(daemon.requests.empty());
}

TEST(Ndjson, SaysFromWhichLineToSendAgain) {
    FakeDaemon daemon;
    daemon.say(201, receipt(10'000, 1));
    daemon.refuse(422, "InvalidEvent", "count: too small",
                  R"(,"errors":[{"index":200,"field":"count","reason":"too small"}],"accepted":0)");
    const Input input(lines(10'500));
    const Ran ran = run(daemon, {"submit", "--ndjson"}, {.input_fd = input.fd()});
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.err, "tocsinctl: submit: line 10201: count: too small\n  correct it and send it again; \"tocsinctl "
                       "submit --help\" shows what there is\n"
                       "  10000 lines were kept (10000 events); send again from line 10001:\n"
                       "    tail -n +10001 FILE | tocsinctl submit --ndjson\n");
}

TEST(Ndjson, TellsProgramsHowFarItCame) {
    FakeDaemon daemon;
    daemon.say(201, receipt(10'000, 1));
    daemon.refuse(422, "InvalidEvent", "count: no",
                  R"(,"errors":[{"index":1,"field":"count","reason":"no"}],"accepted":0)");
    const Input input(lines(10'002));
    const Ran ran = run(daemon, {"submit", "--ndjson", "--json"}, {.input_fd = input.fd()});
    const auto document = Value::parse(ran.err);
    ASSERT_TRUE(document.has_value()) << ran.err;
    EXPECT_EQ((*document)["accepted"].number(), 10'000U);
    EXPECT_EQ((*document)["last"].number(), 10'000U);
    EXPECT_EQ((*document)["errors"].items().front()["index"].number(), 10'001U);
}

TEST(Ndjson, NothingKeptIsSaid) {
    FakeDaemon daemon;
    daemon.refuse(422, "InvalidEvent", "event_name: is required",
                  R"(,"errors":[{"index":0,"field":"event_name","reason":"is required"}],"accepted":0)");
    const Input input(lines(1));
    const Ran ran = run(daemon, {"submit", "--ndjson"}, {.input_fd = input.fd()});
    EXPECT_EQ(ran.err, "tocsinctl: submit: line 1: event_name: is required\n  correct it and send it again; "
                       "\"tocsinctl submit --help\" shows what there is\n  nothing was kept\n");
}

TEST(Ndjson, WaitsWhileTheDaemonIsBusyOrAway) {
    FakeDaemon daemon;
    Response busy{
        .status = 503, .body = R"({"code":"Unavailable","detail":"inbox full","accepted":0})", .retry_after_s = 0};
    daemon.answers.emplace_back(busy);
    daemon.say(201, receipt(10'000, 1));
    daemon.answers.emplace_back(busy);
    Error away{Code::unavailable, std::string(context_connect), "/x", "gone"};
    away.retry_after_s = 0;
    daemon.answers.emplace_back(std::unexpected(away));
    daemon.say(201, receipt(1, 10'001));
    const Input input(lines(10'001));
    const Ran ran = run(daemon, {"submit", "--ndjson"}, {.input_fd = input.fd()});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.err.find("inbox full"), std::string::npos);
    EXPECT_NE(ran.err.find("trying again"), std::string::npos);
    EXPECT_EQ(daemon.requests[1].body, daemon.requests[0].body);
    EXPECT_EQ(daemon.requests[4].body, daemon.requests[2].body);
}

TEST(Ndjson, NoDaemonAtFirstIsToldAtOnce) {
    FakeDaemon daemon;
    daemon.fail(context_connect);
    const Input input(lines(1));
    const Ran ran = run(daemon, {"submit", "--ndjson"}, {.input_fd = input.fd()});
    EXPECT_EQ(ran.code, 5);
    EXPECT_EQ(daemon.requests.size(), 1U);
    EXPECT_NE(ran.err.find("systemctl start"), std::string::npos);
}

TEST(Ndjson, WhatWasNotAnsweredIsInDoubtAndNotSentAgain) {
    FakeDaemon daemon;
    daemon.say(201, receipt(10'000, 1));
    daemon.fail(context_answer);
    const Input input(lines(10'005));
    const Ran ran = run(daemon, {"submit", "--ndjson"}, {.input_fd = input.fd()});
    EXPECT_EQ(ran.code, 5);
    EXPECT_EQ(daemon.requests.size(), 2U);
    EXPECT_NE(ran.err.find("10000 lines were kept"), std::string::npos);
    EXPECT_NE(ran.err.find("lines 10001 to 10005 were sent but not answered"), std::string::npos);
}

TEST(Ndjson, AnEndlessLineIsRefusedHere) {
    FakeDaemon daemon;
    const Input input(std::string(9 * 1024 * 1024, 'x'));
    const Ran ran = run(daemon, {"submit", "--ndjson"}, {.input_fd = input.fd()});
    EXPECT_EQ(ran.code, 6);
    EXPECT_NE(ran.err.find("line 1: is longer"), std::string::npos);
    EXPECT_TRUE(daemon.requests.empty());
}

TEST(Ndjson, AFileThatIsNotThereIsNotFound) {
    FakeDaemon daemon;
    const Ran ran = run(daemon, {"submit", "--ndjson", "/nonexistent/events"});
    EXPECT_EQ(ran.code, 3);
    EXPECT_NE(ran.err.find("/nonexistent/events"), std::string::npos);
}

TEST(Ndjson, LinesOfAProgramThatPausesAreSentAtOnce) {
    FakeDaemon daemon;
    daemon.say(201, receipt(1, 1));
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const std::string text = lines(1) + "{\"half";
    ASSERT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    // The writer never closes: a signal ends it, and by then the whole line was sent and the half one was not.
    struct Stopping final : public FakeDaemon {
        Result<Response> send(const Request& request) override {
            ::kill(::getpid(), SIGTERM); // blocked while the upload runs: it arrives there
            return FakeDaemon::send(request);
        }
    } stopping;
    stopping.say(201, receipt(1, 1));
    const Ran ran = run(stopping, {"submit", "--ndjson"}, {.input_fd = ends[0]});
    EXPECT_EQ(ran.code, 5);
    ASSERT_EQ(stopping.requests.size(), 1U);
    EXPECT_EQ(stopping.requests[0].body, lines(1));
    EXPECT_NE(ran.err.find("stopped by a signal"), std::string::npos);
    EXPECT_NE(ran.err.find("1 lines were kept"), std::string::npos);
    ::close(ends[0]);
    ::close(ends[1]);
}

} // namespace
} // namespace tocsin::cli::test
