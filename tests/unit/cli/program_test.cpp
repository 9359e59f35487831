// SPDX-License-Identifier: Apache-2.0
// The whole program against prepared answers: dispatch, common options, exit codes, status, reload, help.
#include "tests/unit/cli/fake.hpp"

#include "cli/value.hpp"
#include "cli/verbs.hpp"

#include <gtest/gtest.h>

namespace tocsin::cli::test {
namespace {

constexpr std::string_view status_body =
    R"({"version":"0.1.0","hostname":"mars","store_id":"0a1b","event_count":41,"first_index":1,"last_index":41,)"
    R"("store_bytes":3145728,"intake_rate":2.25,"degraded":[]})";

TEST(Program, SaysItsVersion) {
    FakeDaemon daemon;
    for (const std::string_view word : {"--version", "-V"}) {
        const Ran ran = run(daemon, {word});
        EXPECT_EQ(ran.code, 0);
        EXPECT_TRUE(ran.out.starts_with("tocsinctl ")) << ran.out;
    }
    EXPECT_TRUE(daemon.requests.empty());
}

TEST(Program, UsageErrorsExitWithTwo) {
    FakeDaemon daemon;
    for (const auto& words :
         std::vector<std::vector<std::string_view>>{{"quarry"},
                                                    {"query", "--nam", "x"},
                                                    {"status", "extra"},
                                                    {"status", "--timeout", "soon"},
                                                    {"status", "--timeout", "0s"},
                                                    {"status", "--color", "green"},
                                                    {"query", "-n", "0"},
                                                    {"query", "-n", "x"},
                                                    {"query", "-o", "xml"},
                                                    {"query", "--all", "-n", "5"},
                                                    {"query", "--oldest", "--order", "newest"},
                                                    {"query", "x1"},
                                                    {"follow", "-o", "csv"},
                                                    {"follow", "--after", "-1"},
                                                    {"heartbeats", "beat"},
                                                    {"heartbeats", "beat", "a", "--state", "on"},
                                                    {"jobs", "run", "x", "y"},
                                                    {"jobs", "output", "-1"},
                                                    {"jobs", "report", "5"},
                                                    {"jobs", "report", "5", "--id", "0"},
                                                    {"demo", "--rate", "0"},
                                                    {"demo", "--rate", "nan"},
                                                    {"demo", "--seconds", "0"},
                                                    {"submit"},
                                                    {"submit", "--src", "x"},
                                                    {"submit", "--name", "x"},
                                                    {"submit", "text"},
                                                    {"submit", "--name", "a", "--src", "b", "{}"},
                                                    {"submit", "--name", "a", "--src", "b", "--ndjson"},
                                                    {"submit", "--name", "a", "--src", "b", "--count", "many"},
                                                    {"submit", "--name", "a", "--src", "b", "--payload", "{"}}) {
        MemoryOutput out;
        MemoryOutput err;
        const int code = run_program(words, {.now_us = now_us}, out, err,
                                     [&daemon](const ClientOptions&) { return std::make_unique<Borrowed>(daemon); });
        err.flush();
        EXPECT_EQ(code, 2) << (words.empty() ? "" : words.back());
        EXPECT_TRUE(err.text.starts_with("tocsinctl: ")) << err.text;
        EXPECT_NE(err.text.find("--help"), std::string::npos) << err.text;
    }
    EXPECT_TRUE(daemon.requests.empty()) << "the daemon was bothered";
}

TEST(Program, WhatIsNotThereYetExitsWithFive) {
    FakeDaemon daemon;
    for (const Verb& verb : all_verbs()) {
        if (verb.run == nullptr) {
            const Ran ran = run(daemon, {verb.name, "--any", "thing"});
            EXPECT_EQ(ran.code, 5) << verb.name;
            EXPECT_EQ(ran.err, "tocsinctl: " + std::string(verb.name) + " is not available in this version\n");
        }
    }
    EXPECT_TRUE(daemon.requests.empty());
}

TEST(Program, GivesTheClientWhatWasAsked) {
    FakeDaemon daemon;
    daemon.say(200, std::string(status_body));
    const Ran ran = run(daemon, {"--socket", "/tmp/x.sock", "--timeout", "2m", "status", "--json"});
    EXPECT_EQ(ran.connected.socket, "/tmp/x.sock");
    EXPECT_EQ(ran.connected.answer, std::chrono::minutes(2));
    EXPECT_EQ(ran.out, std::string(status_body) + "\n");
}

TEST(Program, NoDaemonExitsWithFive) {
    FakeDaemon daemon;
    daemon.fail(context_connect);
    const Ran ran = run(daemon, {"status"});
    EXPECT_EQ(ran.code, 5);
    EXPECT_NE(ran.err.find("/x.sock"), std::string::npos);
    EXPECT_NE(ran.err.find("systemctl start tocsind"), std::string::npos);
    EXPECT_TRUE(ran.out.empty());
}

TEST(Program, RefusalsAreProblemDocumentsForPrograms) {
    FakeDaemon daemon;
    daemon.refuse(403, "NotAuthorized", "you may not");
    const Ran ran = run(daemon, {"reload", "--json"});
    EXPECT_EQ(ran.code, 4);
    const auto document = Value::parse(ran.err);
    ASSERT_TRUE(document.has_value()) << ran.err;
    EXPECT_EQ((*document)["code"].text(), "NotAuthorized");
}

TEST(Status, ShowsTheDaemon) {
    FakeDaemon daemon;
    daemon.say(200, std::string(status_body));
    daemon.say(
        200,
        "tocsin_heartbeats{state=\"up\"} 3\ntocsin_heartbeats{state=\"down\"} 0\ntocsin_jobs{state=\"failed\"} 1\n");
    const Ran ran = run(daemon, {"status"});
    EXPECT_EQ(ran.code, 0);
    for (const std::string_view word :
         {"0.1.0 on mars", "ok", "41 (index 1 to 41), 2.2/s", "3.0 MiB", "3 up", "1 failed"}) {
        EXPECT_NE(ran.out.find(word), std::string::npos) << word << "\n" << ran.out;
    }
    EXPECT_EQ(ran.out.find("0 down"), std::string::npos);
}

TEST(Status, ShowsHowToWatchWhatIsNew) {
    FakeDaemon daemon;
    daemon.say(200, std::string(status_body));
    daemon.say(200, "tocsin_heartbeats{state=\"up\"} 3\ntocsin_heartbeats{state=\"new\"} 12\n");
    daemon.say(200, R"({"items":[{"source":"pump","scid":0,"state":"new","suggested_interval_s":60}],"next":"x"})");
    const Ran ran = run(daemon, {"status"});
    EXPECT_EQ(daemon.last().target, "/v1/heartbeats?state=new&limit=10");
    EXPECT_NE(ran.out.find("3 up, 12 new"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("12 sources beat and are not watched"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("source = \"pump\"\ninterval = \"1m\"\n"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("… and 11 more"), std::string::npos) << ran.out;
}

TEST(Status, ShowsWhyItIsDegraded) {
    FakeDaemon daemon;
    daemon.say(200,
               R"({"version":"1","degraded":["the disk is full","a flush failed"],"event_count":0,"last_index":0})");
    const Ran ran = run(daemon, {"status"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_NE(ran.out.find("degraded: the disk is full; a flush failed"), std::string::npos);
    EXPECT_EQ(ran.out.find("index"), std::string::npos);
}

TEST(Reload, SaysWhatTheFileHasWrong) {
    FakeDaemon daemon;
    daemon.refuse(400, "InvalidArgument", "tocsin.toml:3: stoer is not known");
    const Ran ran = run(daemon, {"reload"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_NE(ran.err.find("tocsin.toml:3"), std::string::npos);
    EXPECT_EQ(daemon.last().method, "POST");
    daemon.say(200, std::string(status_body));
    EXPECT_EQ(run(daemon, {"reload"}).code, 0);
}

TEST(Colours, AreForTerminalsThatWantThem) {
    for (const auto& [screen, when, wanted] :
         std::vector<std::tuple<Screen, std::string_view, bool>>{{{}, "auto", false},
                                                                 {{.terminal = true}, "auto", true},
                                                                 {{.terminal = true, .no_color = true}, "auto", false},
                                                                 {{.terminal = true}, "never", false},
                                                                 {{.no_color = true}, "always", true}}) {
        FakeDaemon daemon;
        daemon.say(200, std::string(status_body));
        const Ran ran = run(daemon, {"status", "--color", when}, screen);
        EXPECT_EQ(ran.out.find('\x1b') != std::string::npos, wanted) << when;
    }
}

TEST(Help, KnowsEveryVerb) {
    FakeDaemon daemon;
    const Ran overview = run(daemon, {"help"});
    EXPECT_EQ(overview.out, run(daemon, {"--help"}).out);
    for (const Verb& verb : all_verbs()) {
        if (verb.run == nullptr || verb.hidden) {
            continue;
        }
        EXPECT_NE(overview.out.find("  " + std::string(verb.name) + " "), std::string::npos) << verb.name;
        const std::size_t space = verb.name.find(' ');
        const Ran one = space == std::string_view::npos
                            ? run(daemon, {verb.name, "--help"})
                            : run(daemon, {verb.name.substr(0, space), verb.name.substr(space + 1), "--help"});
        EXPECT_EQ(one.code, 0) << verb.name;
        EXPECT_TRUE(one.out.starts_with("usage: tocsinctl " + std::string(verb.name))) << one.out;
        for (const Option& option : verb.options[0]) {
            EXPECT_NE(one.out.find("--" + std::string(option.name)), std::string::npos);
        }
    }
}

TEST(Help, OfAVerb) {
    FakeDaemon daemon;
    EXPECT_EQ(run(daemon, {"help", "heartbeats", "beat"}).out, run(daemon, {"heartbeats", "beat", "-h"}).out);
    EXPECT_EQ(run(daemon, {"help", "quarry"}).code, 2);
    EXPECT_EQ(run(daemon, {"help", "alerts"}).code, 5);
}

} // namespace
} // namespace tocsin::cli::test
