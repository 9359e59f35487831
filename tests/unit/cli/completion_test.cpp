// SPDX-License-Identifier: Apache-2.0
// What shells are offered, and the configuration's verb, whose keys they complete.
#include "tests/unit/cli/fake.hpp"

#include "cli/completion.hpp"
#include "cli/verbs.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin::cli::test {
namespace {

std::vector<std::string> offered(const std::vector<std::string_view>& words) {
    const auto names = [](std::string_view kind) {
        return std::vector<std::string>{std::string(kind.substr(1)) + "-one", std::string(kind.substr(1)) + "-two"};
    };
    std::vector<std::string> out;
    for (const Candidate& candidate : complete_words(words, all_verbs(), names)) {
        out.push_back(candidate.text);
    }
    return out;
}

using Texts = std::vector<std::string>;

TEST(Completion, OffersVerbsAndSubverbs) {
    EXPECT_EQ(offered({"heart"}), Texts{"heartbeats"});
    EXPECT_EQ(offered({"heartbeats", "p"}), Texts{"pause"});
    EXPECT_EQ(offered({"-o", "json", "quer"}), Texts{"query"});
    EXPECT_TRUE(offered({"__"}).empty());
    EXPECT_TRUE(offered({"alert"}).empty()) << "nothing stands behind it yet";
    const Texts all = offered({""});
    EXPECT_NE(std::ranges::find(all, "status"), all.end());
}

TEST(Completion, OffersOptionsAndTheirValues) {
    EXPECT_EQ(offered({"query", "--min"}), Texts{"--min-severity"});
    EXPECT_EQ(offered({"query", "--min-severity", "e"}), Texts{"error"});
    EXPECT_EQ(offered({"query", "-p", "e"}), Texts{"error"});
    EXPECT_EQ(offered({"query", "--min-severity=e"}), Texts{"--min-severity=error"});
    EXPECT_EQ(offered({"query", "--since", ""}), Texts{});
    EXPECT_EQ(offered({"query", "-f", "--utc", "--ord"}), Texts{"--order"});
    EXPECT_EQ(offered({"heartbeats", "beat", "x", "--state", "a"}), Texts{"alive"});
}

TEST(Completion, OffersNames) {
    EXPECT_EQ(offered({"query", "--name", ""}), (Texts{"names-one", "names-two"}));
    EXPECT_EQ(offered({"query", "--src=srcs-t"}), Texts{"--src=srcs-two"});
    EXPECT_EQ(offered({"heartbeat", "pause", ""}), (Texts{"sources-one", "sources-two"}));
    EXPECT_EQ(offered({"jobs", "run", "17", "scripts-o"}), Texts{"scripts-one"});
    EXPECT_EQ(offered({"export", "--all", "x"}), Texts{"@files"});
    EXPECT_TRUE(offered({"heartbeats", "--", "p"}).empty());
}

TEST(Completion, EveryVerbsWordsAreKnown) {
    FakeDaemon daemon;
    for (const Verb& verb : all_verbs()) {
        for (const auto& options : verb.options) {
            for (const Option& option : options) {
                EXPECT_TRUE(option.words.empty() || !option.value.empty()) << option.name;
            }
        }
    }
}

TEST(Completion, AsksTheDaemonShortly) {
    FakeDaemon daemon;
    daemon.say(200, R"({"items":[{"source":"pump"},{"source":"pu\u001bmp"},{"source":""}]})");
    EXPECT_EQ(run(daemon, {"__complete", "--", "heartbeats", "show", "p"}).out, "pump\n");
    EXPECT_EQ(daemon.last().target, "/v1/heartbeats?limit=1000");
    EXPECT_LE(daemon.last().deadline, std::chrono::seconds(1));
    EXPECT_GT(daemon.last().deadline.count(), 0);
}

TEST(Completion, KnowsWhereEachKindIsNamed) {
    FakeDaemon daemon;
    daemon.say(200, R"({"items":[{"script":"report","ready":true}]})");
    EXPECT_EQ(run(daemon, {"__complete", "--", "jobs", "run", "17", ""}).out, "report\n");
    daemon.say(200, R"({"items":[{"id":5,"state":"running"}]})");
    EXPECT_EQ(run(daemon, {"__complete", "--", "jobs", "cancel", ""}).out, "5\n");
    daemon.say(200, R"({"items":[{"event_name":"a.b","count":2}]})");
    EXPECT_EQ(run(daemon, {"__complete", "--", "histogram", ""}).out, "a.b\n");
}

TEST(Completion, SaysNothingWhereTheDaemonDoesNotAnswer) {
    FakeDaemon daemon;
    daemon.fail(context_connect);
    const Ran ran = run(daemon, {"__complete", "--", "heartbeats", "show", ""});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out + ran.err, "");
}

TEST(Completion, PrintsTheScripts) {
    FakeDaemon daemon;
    for (const std::string_view shell : {"bash", "zsh", "fish"}) {
        EXPECT_NE(run(daemon, {"completion", shell}).out.find("__complete"), std::string::npos) << shell;
    }
    EXPECT_EQ(run(daemon, {"completion", "csh"}).code, 2);
    EXPECT_EQ(run(daemon, {"completion"}).code, 2);
}

constexpr std::string_view config_body =
    R"({"items":[{"key":"store.max_bytes","value":"4G","origin":"/etc/tocsin/tocsin.toml:12","effect":"now"},)"
    R"({"key":"store.retention","value":"1y","origin":"default","effect":"reload"},)"
    R"({"key":"time.zone","value":"UTC","origin":"environment"}]})";

TEST(Config, ShowsValuesAndWhereTheyComeFrom) {
    FakeDaemon daemon;
    daemon.say(200, std::string(config_body));
    const Ran plain = run(daemon, {"config"});
    EXPECT_NE(plain.out.find("store.max_bytes  4G"), std::string::npos) << plain.out;
    EXPECT_EQ(plain.out.find("tocsin.toml"), std::string::npos);
    daemon.say(200, std::string(config_body));
    const Ran origin = run(daemon, {"config", "show", "store", "--origin"});
    EXPECT_NE(origin.out.find("/etc/tocsin/tocsin.toml:12  now"), std::string::npos) << origin.out;
    EXPECT_EQ(origin.out.find("time.zone"), std::string::npos);
    daemon.say(200, std::string(config_body));
    EXPECT_EQ(run(daemon, {"config", "show", "--set", "-o", "csv"}).out,
              "key,value,origin,effect\r\nstore.max_bytes,4G,/etc/tocsin/tocsin.toml:12,now\r\n"
              "time.zone,UTC,environment,\r\n");
    daemon.say(200, std::string(config_body));
    EXPECT_EQ(run(daemon, {"config", "show", "time.zone", "--json"}).out,
              "{\"items\":[{\"key\":\"time.zone\",\"value\":\"UTC\",\"origin\":\"environment\"}]}\n");
    daemon.say(200, std::string(config_body));
    const Ran missing = run(daemon, {"config", "show", "stor"});
    EXPECT_EQ(missing.code, 3);
    EXPECT_NE(missing.err.find("tocsinctl config"), std::string::npos);
}

} // namespace
} // namespace tocsin::cli::test
