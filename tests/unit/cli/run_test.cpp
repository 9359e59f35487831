// SPDX-License-Identifier: Apache-2.0
// tocsinctl run as a program, against prepared answers.
#include "tests/unit/cli/fake.hpp"

#include "cli/run_report.hpp"
#include "cli/value.hpp"
#include "core/event.hpp"
#include "core/limits.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

namespace tocsin::cli::test {
namespace {

// Runs with what the command prints going to /dev/null.
class Run : public ::testing::Test {
protected:
    Ran go(std::vector<std::string_view> words, bool takes = true) {
        words.insert(words.begin(), "run");
        if (takes) {
            daemon.say(200, "{}");
            daemon.say(200, "{}");
        }
        MemoryOutput out;
        MemoryOutput err;
        const auto connect = [this](const ClientOptions&) { return std::make_unique<Borrowed>(daemon); };
        const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        const Surroundings around{
            .is_root = true, .now_us = now_us, .input_fd = nothing, .output_fd = nothing, .error_fd = nothing};
        Ran ran{.code = run_program(words, around, out, err, connect)};
        ::close(nothing);
        out.flush();
        err.flush();
        ran.out = out.text;
        ran.err = err.text;
        return ran;
    }
    std::string status() const { return (*Value::parse(daemon.last().body))["status"].text(); }
    static std::string parameters(const Request& request) { // behind the run's id
        const std::size_t end = request.target.find('&');
        return request.target.substr(end);
    }

    FakeDaemon daemon{};
};

TEST_F(Run, TellsTheStartAndTheEnd) {
    const Ran ran = go({"backup", "--", "echo", "42 GB"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.err, "");
    ASSERT_EQ(daemon.requests.size(), 2U);
    EXPECT_TRUE(daemon.requests[0].target.starts_with("/v1/heartbeats/backup/start?run=")) << daemon.requests[0].target;
    EXPECT_TRUE(daemon.requests[1].target.starts_with("/v1/heartbeats/backup/finish?run="));
    EXPECT_EQ(status(), "exit code 0: 42 GB");
    const auto run_of = [](const Request& request) { return request.target.substr(request.target.find("run="), 36); };
    EXPECT_EQ(run_of(daemon.requests[0]), run_of(daemon.requests[1])) << "one run";
    go({"backup", "--", "true"});
    EXPECT_NE(run_of(daemon.requests[0]), run_of(daemon.requests[2])) << "another run";
    EXPECT_EQ(status(), "exit code 0");
}

TEST_F(Run, TheWatchIsADayWithAnHourOfGraceByDefault) {
    go({"a", "--", "true"});
    EXPECT_EQ(parameters(daemon.requests[0]), "&interval=1d&grace=1h");
    EXPECT_EQ(parameters(daemon.requests[1]), "&interval=1d&grace=1h");
}

TEST_F(Run, TheWatchIsAsTheOptionsSay) {
    go({"a", "--interval", "5m", "--", "true"});
    EXPECT_EQ(parameters(daemon.last()), "&interval=5m&grace=5m");
    go({"a", "--interval", "5m", "--grace", "10s", "--scid", "7", "--", "true"});
    EXPECT_EQ(parameters(daemon.last()), "&interval=5m&grace=10s&scid=7");
    go({"a", "--schedule", "0 3 * * *", "--zone", "Europe/Berlin", "--", "true"});
    EXPECT_EQ(parameters(daemon.last()), "&grace=1h&schedule=0%203%20%2A%20%2A%20%2A&zone=Europe%2FBerlin");
}

TEST_F(Run, GivesTheCommandsCode) {
    const Ran ran = go({"a", "--", "sh", "-c", "echo disk full >&2; exit 3"});
    EXPECT_EQ(ran.code, 3);
    EXPECT_TRUE(daemon.last().target.starts_with("/v1/heartbeats/a/fail?run="));
    EXPECT_EQ(status(), "exit code 3: disk full");
    EXPECT_EQ(go({"a", "--", "sh", "-c", "kill -9 $$"}).code, 137);
    EXPECT_EQ(status(), "ended by signal 9 (Killed)");
}

TEST_F(Run, WhatCannotStartFails) {
    const Ran missing = go({"a", "--", "/nowhere/at-all"});
    EXPECT_EQ(missing.code, 127);
    EXPECT_EQ(missing.err, "tocsinctl: run: /nowhere/at-all: No such file or directory\n");
    ASSERT_EQ(daemon.requests.size(), 1U) << "it never started";
    EXPECT_TRUE(daemon.last().target.starts_with("/v1/heartbeats/a/fail?run="));
    EXPECT_EQ(status(), "cannot be started: No such file or directory");
    EXPECT_EQ(go({"a", "--", "/etc/hostname"}).code, 126);
}

TEST_F(Run, TheStatusFitsABeat) {
    go({"a", "--", "sh", "-c", "i=0; while [ $i -lt 900 ]; do printf '€ %s' $i; i=$((i+1)); done; exit 9"});
    EXPECT_LE(status().size(), limits::status_bytes);
    EXPECT_TRUE(status().starts_with("exit code 9: …")) << status();
    EXPECT_TRUE(status().ends_with("€ 899")) << status();
    EXPECT_TRUE(valid_utf8(status()));
}

TEST_F(Run, TheCommandKnowsItsRun) {
    go({"a", "--", "sh", "-c", "printf $TOCSIN_RUN"});
    EXPECT_NE(daemon.last().target.find("?run=" + status().substr(13) + "&"), std::string::npos) << status();
    EXPECT_EQ(status().size(), 13U + 32U);
}

TEST_F(Run, ADaemonThatIsAwayCostsOneLine) {
    daemon.fail(context_connect);
    daemon.fail(context_connect);
    const Ran ran = go({"a", "--", "sh", "-c", "exit 4"}, false);
    EXPECT_EQ(ran.code, 4);
    EXPECT_EQ(ran.err, "tocsinctl: run: the daemon did not hear of this run: /x.sock: no daemon listens there\n");
    daemon.fail(context_answer);
    daemon.fail(context_answer);
    EXPECT_EQ(go({"a", "-q", "--", "true"}, false).err, "");
}

TEST_F(Run, TimesAreShortUnlessAsked) {
    go({"a", "--", "true"});
    EXPECT_EQ(daemon.requests[0].deadline, start_deadline);
    EXPECT_EQ(daemon.requests[1].deadline, end_deadline);
    go({"a", "--timeout", "20s", "--", "true"});
    EXPECT_EQ(daemon.last().deadline.count(), 0) << "the client's own";
}

TEST_F(Run, OptionsBehindTheDashesAreTheCommands) {
    go({"a", "--", "echo", "--help", "-q", "--", "--interval"});
    EXPECT_EQ(status(), "exit code 0: --help -q -- --interval");
}

TEST_F(Run, ALongCommandLineIsTheSystemsMatter) {
    std::vector<std::string_view> words{"a", "--", "sh", "-c", "echo $#", "sh"};
    words.insert(words.end(), 6'000, "x");
    EXPECT_EQ(go(words).code, 0);
    EXPECT_EQ(status(), "exit code 0: 6000");
}

TEST_F(Run, WrongOptionsStartNothing) {
    using Words = std::vector<std::string_view>;
    for (const Words& words : {Words{"a"}, Words{"a", "--"}, Words{"a", "--interval", "soon", "--", "true"},
                               Words{"a", "--interval", "1ms", "--", "true"}, Words{"a", "--grace", "x", "--", "true"},
                               Words{"a", "--scid", "x", "--", "true"}, Words{"", "--", "true"},
                               Words{"tocsin", "--", "true"}, Words{"a", "--zone", "UTC", "--", "true"},
                               Words{"a", "--interval", "1h", "--schedule", "@daily", "--", "true"}}) {
        const Ran ran = go(words, false);
        EXPECT_EQ(ran.code, 2) << words.back();
        EXPECT_TRUE(ran.err.starts_with("tocsinctl: run: ")) << ran.err;
        EXPECT_NE(ran.err.find("--help"), std::string::npos) << ran.err;
    }
    EXPECT_TRUE(daemon.requests.empty());
}

} // namespace
} // namespace tocsin::cli::test
