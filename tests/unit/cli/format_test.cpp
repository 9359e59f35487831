// SPDX-License-Identifier: Apache-2.0
// -o FORMAT of every verb that shows things, before the verb and behind it.
#include "tests/unit/cli/fake.hpp"

#include "cli/format.hpp"
#include "cli/value.hpp"
#include "cli/verbs.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin::cli::test {
namespace {

constexpr std::string_view event_body =
    R"({"unique_index":7,"event_name":"sshd.login_failed","event_src":"sshd","scid":3,"severity":"error",)"
    R"("event_time":"2026-01-02T03:00:04.000000Z","host":"mars","summary":"no, \"root\"","payload":{"a":[1,2]}})";

TEST(Format, StandsBeforeTheVerbToo) {
    FakeDaemon daemon;
    for (const auto& words : std::vector<std::vector<std::string_view>>{
             {"-o", "json", "status"}, {"--output=json", "status"}, {"status", "-ojson"}, {"--json", "status"}}) {
        daemon.say(200, R"({"version":"1"})");
        MemoryOutput out;
        MemoryOutput err;
        const int code = run_program(words, {.now_us = now_us}, out, err,
                                     [&daemon](const ClientOptions&) { return std::make_unique<Borrowed>(daemon); });
        out.flush();
        EXPECT_EQ(code, 0);
        EXPECT_EQ(out.text, "{\"version\":\"1\"}\n");
    }
}

TEST(Format, EachVerbTakesWhatItNamesAndNothingElse) {
    for (const Verb& verb : all_verbs()) {
        if (verb.run == nullptr) {
            continue;
        }
        for (const std::string_view format : {"table", "short", "json", "ndjson", "csv", "xml"}) {
            const std::vector<std::string_view> words{"-o", format, verb.name.substr(0, verb.name.find(' ')), "--help"};
            const auto parsed = parse_words(words, all_verbs());
            ASSERT_TRUE(parsed.has_value());
            const auto known = split_words(parsed->verb->formats);
            const bool takes = format == "table" || std::ranges::find(known, format) != known.end();
            EXPECT_EQ(choose_format(*parsed).has_value(), takes) << parsed->verb->name << " " << format;
        }
    }
}

TEST(Format, AWrongOneNamesThoseThereAre) {
    FakeDaemon daemon;
    const Ran ran = run(daemon, {"jobs", "-o", "xml"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_NE(ran.err.find("\"xml\" is not table, json, ndjson or csv"), std::string::npos) << ran.err;
    EXPECT_EQ(run(daemon, {"jobs", "-o", "csv", "--json"}).code, 2);
    EXPECT_EQ(run(daemon, {"run", "--json", "x", "--", "true"}).code, 2);
    EXPECT_TRUE(daemon.requests.empty());
}

TEST(Format, ShortIsALineOfTheJournal) {
    FakeDaemon daemon;
    daemon.say(200, "{\"items\":[" + std::string(event_body) + "]}");
    EXPECT_EQ(run(daemon, {"query", "-o", "short", "--utc"}).out,
              "Jan 02 03:00:04 mars sshd[3]: sshd.login_failed: no, \"root\"\n");
    daemon.say(200, std::string(event_body));
    EXPECT_EQ(run(daemon, {"query", "7", "-o", "short", "--utc"}).out,
              "Jan 02 03:00:04 mars sshd[3]: sshd.login_failed: no, \"root\"\n");
    daemon.say(200, R"({"items":[]})");
    EXPECT_EQ(run(daemon, {"query", "-o", "short"}).err, "No event matches.\n");
}

TEST(Format, ShortIsHarmless) {
    FakeDaemon daemon;
    daemon.say(200, R"({"items":[{"event_name":"a\u001b[2J","event_src":"b\nc","scid":0,"host":"h\u202e",)"
                    R"("event_time":"2026-01-02T03:00:04Z","summary":"x\u2066y","severity":"info"}]})");
    EXPECT_EQ(run(daemon, {"query", "-o", "short", "--utc"}).out,
              "Jan 02 03:00:04 h\\u202e b\\nc[0]: a\\x1b[2J: x\\u2066y\n");
}

TEST(Format, SingleEventsAsRows) {
    FakeDaemon daemon;
    daemon.say(200, std::string(event_body));
    daemon.say(200, std::string(event_body));
    const Ran lines = run(daemon, {"query", "7", "7", "-o", "ndjson"});
    EXPECT_EQ(lines.out, std::string(event_body) + "\n" + std::string(event_body) + "\n");
    daemon.say(200, std::string(event_body));
    const Ran csv = run(daemon, {"query", "7", "-o", "csv"});
    EXPECT_TRUE(csv.out.starts_with("unique_index,scid,event_time,")) << csv.out;
    EXPECT_NE(csv.out.find(R"("no, ""root""")"), std::string::npos) << csv.out;
    EXPECT_TRUE(csv.out.ends_with("\r\n"));
}

TEST(Format, FollowShowsLines) {
    FakeDaemon daemon;
    daemon.say(200, "id: 7\nevent: event\ndata: " + std::string(event_body) + "\n\n");
    EXPECT_EQ(run(daemon, {"follow", "--after", "6", "-n", "1", "-o", "short", "--utc"}).out,
              "Jan 02 03:00:04 mars sshd[3]: sshd.login_failed: no, \"root\"\n");
    daemon.say(200, "id: 7\nevent: event\ndata: " + std::string(event_body) + "\n\n");
    daemon.answers.push_front(Response{.status = 200, .body = R"({"last_index":6})"});
    EXPECT_EQ(run(daemon, {"query", "-f", "-n", "1", "-o", "json"}).out, std::string(event_body) + "\n");
    EXPECT_EQ(run(daemon, {"query", "-f", "--all"}).code, 2);
    EXPECT_EQ(run(daemon, {"query", "-f", "-o", "csv"}).code, 2);
}

TEST(Format, HeartbeatsAsRows) {
    FakeDaemon daemon;
    const std::string watch = R"({"source":"a,b","scid":1,"state":"up","interval_s":60,"status":"two\nlines"})";
    daemon.say(200, "{\"items\":[" + watch + "],\"next\":\"c\"}");
    daemon.say(200, "{\"items\":[" + watch + "]}");
    EXPECT_EQ(run(daemon, {"heartbeats", "list", "-o", "ndjson"}).out, watch + "\n" + watch + "\n");
    EXPECT_NE(daemon.last().target.find("cursor=c"), std::string::npos);
    daemon.say(200, "{\"items\":[" + watch + "]}");
    const Ran csv = run(daemon, {"heartbeats", "show", "a,b", "-o", "csv"});
    EXPECT_TRUE(csv.out.starts_with("source,scid,state,last,deadline,interval_s,")) << csv.out;
    EXPECT_NE(csv.out.find("\"a,b\",1,up,,,60,"), std::string::npos) << csv.out;
    EXPECT_NE(csv.out.find("\"two\nlines\""), std::string::npos) << csv.out;
}

TEST(Format, JobsAsRows) {
    FakeDaemon daemon;
    daemon.say(200, R"({"items":[{"id":5,"unique_index":17,"script":"report","state":"succeeded","attempt":1}]})");
    EXPECT_EQ(run(daemon, {"job", "list", "-o", "csv"}).out,
              "id,unique_index,script,state,attempt,exit_status,queued,started,ended,reason,report_id,report_url,"
              "output_bytes,truncated\r\n5,17,report,succeeded,1,,,,,,,,,\r\n");
    daemon.say(200, "say \"hi\"\n");
    EXPECT_EQ(run(daemon, {"jobs", "output", "5", "--json"}).out, "{\"id\":5,\"output\":\"say \\\"hi\\\"\\n\"}\n");
    EXPECT_EQ(run(daemon, {"jobs", "output", "5", "--json", "--follow"}).code, 2);
}

TEST(Format, StatisticsAsRows) {
    FakeDaemon daemon;
    daemon.say(200, R"({"items":[{"event_src":"a","severity":"info","count":7},{"event_src":"b","count":1}]})");
    EXPECT_EQ(run(daemon, {"stats", "--by", "event_src,severity", "-o", "csv", "-n", "1"}).out,
              "event_src,severity,count\r\na,info,7\r\n");
    daemon.say(200, R"({"items":[{"hour":"2026-01-02T03:00:00Z","count":2,"event_name":"n"}]})");
    EXPECT_EQ(run(daemon, {"stats", "--hourly", "-o", "ndjson"}).out,
              "{\"hour\":\"2026-01-02T03:00:00Z\",\"count\":2,\"event_name\":\"n\"}\n");
    daemon.say(200, R"({"day":"2026-01-02","counts":[0,5]})");
    EXPECT_EQ(run(daemon, {"histogram", "n", "-o", "csv"}).out,
              "hour,count\r\n2026-01-02T00:00:00.000000Z,0\r\n2026-01-02T01:00:00.000000Z,5\r\n");
    daemon.say(200, R"({"severities":[{"severity":"info","keep_s":60,"events":3}]})");
    EXPECT_EQ(run(daemon, {"retention", "-o", "csv"}).out,
              "severity,keep_s,events,oldest,goes_by,expired_by_age,expired_for_space\r\ninfo,60,3,,,,\r\n");
}

TEST(Format, AListWithoutItemsHasAHeader) {
    FakeDaemon daemon;
    daemon.say(200, R"({"items":[]})");
    const Ran ran = run(daemon, {"jobs", "-o", "csv"});
    EXPECT_TRUE(ran.out.starts_with("id,")) << ran.out;
    EXPECT_TRUE(ran.err.empty());
}

TEST(Format, CsvOnATerminalIsHarmless) {
    FakeDaemon daemon;
    daemon.say(200, R"({"items":[{"source":"a\u001b[2J","scid":1}]})");
    EXPECT_NE(run(daemon, {"heartbeats", "-o", "csv"}, {.terminal = true}).out.find("a\\x1b[2J,1,"), std::string::npos);
}

TEST(Format, HelpForPrograms) {
    FakeDaemon daemon;
    const auto help = Value::parse(run(daemon, {"help", "--json"}).out);
    ASSERT_TRUE(help.has_value());
    EXPECT_EQ((*help)["verbs"].items().front()["name"].text(), "status");
    EXPECT_FALSE((*help)["options"].items().empty());
}

TEST(Words, WithoutAVerbItIsTheStatus) {
    FakeDaemon daemon;
    daemon.say(200, R"({"version":"1.2.3","hostname":"mars","event_count":0,"last_index":0})");
    const Ran ran = run(daemon, {});
    EXPECT_EQ(ran.code, 0);
    EXPECT_NE(ran.out.find("1.2.3 on mars"), std::string::npos);
    EXPECT_EQ(daemon.requests.front().target, "/v1/status");
}

TEST(Words, JournalctlsOptionsAreKnown) {
    FakeDaemon daemon;
    daemon.say(200, R"({"items":[]})");
    EXPECT_EQ(run(daemon, {"events", "-r", "-n5", "-p", "error", "-g", "disk", "--since=2h"}).code, 0);
    EXPECT_EQ(daemon.last().target,
              "/v1/events?since=2026-01-02T01%3A00%3A04.000000Z&min_severity=error&text=disk&limit=5");
    EXPECT_EQ(run(daemon, {"query", "-r", "--oldest"}).code, 2);
}

} // namespace
} // namespace tocsin::cli::test
