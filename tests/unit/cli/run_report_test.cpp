// SPDX-License-Identifier: Apache-2.0
#include "cli/run_report.hpp"

#include "cli/value.hpp"
#include "tests/unit/cli/fake.hpp"

#include <gtest/gtest.h>

#include <latch>

namespace tocsin::cli::test {
namespace {

const RunBeats beats{.source = "ba/ck", .parameters = {{"run", "r1"}, {"interval", "1d"}}};

TEST(RunReport, TellsStartAndEnd) {
    FakeDaemon daemon;
    daemon.say(200, "{}");
    daemon.say(200, "{}");
    RunReport report(daemon, beats, true);
    report.end({.state = "finish", .status = "exit code 0: say \"hi\"\n"});
    EXPECT_EQ(report.wait(), std::nullopt);
    ASSERT_EQ(daemon.requests.size(), 2U);
    const Request& start = daemon.requests[0];
    EXPECT_EQ(start.method, "POST");
    EXPECT_EQ(start.target, "/v1/heartbeats/ba%2Fck/start?run=r1&interval=1d");
    EXPECT_EQ(start.body, "");
    EXPECT_EQ(start.deadline, start_deadline);
    const Request& end = daemon.requests[1];
    EXPECT_EQ(end.target, "/v1/heartbeats/ba%2Fck/finish?run=r1&interval=1d") << "sets the watch if the start was lost";
    EXPECT_EQ(end.content_type, "application/json");
    EXPECT_EQ((*Value::parse(end.body))["status"].text(), "exit code 0: say \"hi\"\n");
    EXPECT_EQ(end.deadline, end_deadline);
}

TEST(RunReport, WhatNeverBeganHasNoStart) {
    FakeDaemon daemon;
    daemon.say(200, "{}");
    RunReport report(daemon, beats, false);
    report.end({.state = "fail"});
    EXPECT_EQ(report.wait(), std::nullopt);
    ASSERT_EQ(daemon.requests.size(), 1U);
    EXPECT_EQ(daemon.last().target, "/v1/heartbeats/ba%2Fck/fail?run=r1&interval=1d");
}

TEST(RunReport, SaysOnceWhatWasNotHeard) {
    FakeDaemon daemon;
    daemon.fail(context_connect);
    daemon.fail(context_connect);
    RunReport report(daemon, beats, true);
    report.end({.state = "finish"});
    EXPECT_EQ(report.wait(), "the daemon did not hear of this run: /x.sock: no daemon listens there");
}

TEST(RunReport, ALostStartIsSaidToo) {
    FakeDaemon daemon;
    daemon.refuse(503, "Unavailable", "is stopping");
    daemon.say(200, "{}");
    RunReport report(daemon, beats, true);
    report.end({.state = "finish"});
    EXPECT_EQ(report.wait(), "the daemon did not hear of its start: is stopping");
}

TEST(RunReport, ARunThatNobodyEndsIsNotEnded) {
    FakeDaemon daemon;
    daemon.say(200, "{}");
    {
        const RunReport report(daemon, beats, true);
    }
    EXPECT_EQ(daemon.requests.size(), 1U);
}

// Answers when it is let.
class Hanging final : public Client {
public:
    Result<Response> send(const Request&) override {
        let.wait();
        return Response{.status = 200, .body = "{}"};
    }
    Result<Response> stream(const Request& request, const PieceHandler&) override { return send(request); }
    std::latch let{1};
};

TEST(RunReport, ADaemonThatHangsHoldsNobodyUp) {
    Hanging daemon;
    RunReport report(daemon, beats, true);
    report.end({.state = "finish"}); // returns
    daemon.let.count_down();
    EXPECT_EQ(report.wait(), std::nullopt);
}

} // namespace
} // namespace tocsin::cli::test
