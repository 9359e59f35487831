// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/fake.hpp"

#include "cli/filters.hpp"
#include "cli/pages.hpp"
#include "core/filter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace tocsin::cli::test {
namespace {

std::string event(unsigned index, std::string_view more = {}) {
    return "{\"unique_index\":" + std::to_string(index) + ",\"event_name\":\"name" + std::to_string(index) +
           "\",\"event_src\":\"s\",\"scid\":0,\"severity\":\"info\",\"event_time\":\"2026-01-02T03:00:04.000000Z\"" +
           std::string(more) + "}";
}

std::string page(std::initializer_list<std::string> events, std::string_view next = {}) {
    std::string body = "{\"items\":[";
    for (const std::string& one : events) {
        body += body.ends_with('[') ? one : "," + one;
    }
    return body + "]" + (next.empty() ? "" : ",\"next\":\"" + std::string(next) + "\"") + "}";
}

TEST(Filters, CoverEveryKeyOfTheContract) {
    std::set<std::string> ours;
    for (const Option& option : filter_options) {
        ours.insert(field_of(option));
    }
    ours.insert("order"); // an option of query alone
    std::set<std::string> wanted;
    for (const std::string_view key : filter_keys()) {
        wanted.insert(std::string(key));
    }
    EXPECT_EQ(ours, wanted);
}

TEST(Query, AsksWithEveryKey) {
    FakeDaemon daemon;
    daemon.say(200, page({}));
    const Ran ran = run(daemon, {"query",    "--since",
                                 "-1h",      "--until",
                                 "now",      "--received-since",
                                 "2h ago",   "--received-until",
                                 "x y",      "--name",
                                 "a*",       "--event-name",
                                 "b",        "--src",
                                 "s&t",      "--scid",
                                 "-1",       "--scid",
                                 "2",        "--rule-id",
                                 "3",        "--severity",
                                 "info",     "--min-severity",
                                 "error",    "--env",
                                 "aws",      "--type",
                                 "dataset",  "--event-id",
                                 "e",        "--host",
                                 "h",        "--has-report",
                                 "true",     "--text",
                                 "ä",        "--where",
                                 "a == 1",   "--oldest",
                                 "-n",       "7",
                                 "--cursor", "c=",
                                 "--json"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(
        daemon.last().target,
        "/v1/events?since=2026-01-02T02%3A00%3A04.000000Z&until=2026-01-02T03%3A00%3A04.000000Z"
        "&received_since=2026-01-02T01%3A00%3A04.000000Z&received_until=x%20y&event_name=a%2A&event_name=b&event_src=s%"
        "26t"
        "&scid=-1&scid=2&event_rule_id=3&severity=info&min_severity=error&environment=aws&event_type=dataset&event_id=e"
        "&host=h&has_report=true&text=%C3%A4&where=a%20%3D%3D%201&order=oldest&limit=7&cursor=c%3D");
}

TEST(Query, ShowsATable) {
    FakeDaemon daemon;
    daemon.say(200, page({event(2, R"(,"summary":"bell \u0007 and \u001b[31mred")"), event(1)}));
    const Ran ran = run(daemon, {"query", "--utc"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(std::ranges::count(ran.out, '\n'), 3);
    EXPECT_NE(ran.out.find("2026-01-02 03:00:04.000Z"), std::string::npos);
    EXPECT_NE(ran.out.find("bell \\x07 and \\x1b[31mred"), std::string::npos);
    EXPECT_EQ(daemon.last().target, "/v1/events?limit=100");
}

TEST(Query, GoesThroughPagesUpToItsLimit) {
    FakeDaemon daemon;
    daemon.say(200, page({event(5), event(4)}, "c/1"));
    daemon.say(200, page({event(3)}, "c2"));
    const Ran ran = run(daemon, {"query", "-n", "3"}, {.terminal = true});
    EXPECT_EQ(ran.code, 0);
    ASSERT_EQ(daemon.requests.size(), 2U);
    EXPECT_EQ(daemon.requests[0].target, "/v1/events?limit=3");
    EXPECT_EQ(daemon.requests[1].target, "/v1/events?limit=1&cursor=c%2F1");
    EXPECT_EQ(std::ranges::count(ran.out, '\n'), 4);
    EXPECT_NE(ran.err.find("There are more"), std::string::npos);
}

TEST(Query, AllGoesToTheEnd) {
    FakeDaemon daemon;
    daemon.say(200, page({event(5)}, "a"));
    daemon.say(200, page({event(4)}, "b"));
    daemon.say(200, page({event(3)}));
    const Ran ran = run(daemon, {"query", "--all"});
    EXPECT_EQ(daemon.requests.size(), 3U);
    EXPECT_TRUE(ran.err.empty());
}

TEST(Query, NothingIsSaidToBeNothing) {
    FakeDaemon daemon;
    daemon.say(200, page({}));
    const Ran ran = run(daemon, {"query"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_TRUE(ran.out.empty());
    EXPECT_EQ(ran.err, "No event matches.\n");
}

TEST(Query, JsonIsTheDaemonsOwn) {
    FakeDaemon daemon;
    const std::string body = page({event(1, R"(,"payload":{"x": 1.50})")}, "next");
    daemon.say(200, body);
    EXPECT_EQ(run(daemon, {"query", "--json", "-n", "1"}).out, body + "\n");
    daemon.say(200, body);
    EXPECT_EQ(run(daemon, {"query", "-o", "json", "-n", "1"}).out, body + "\n");
    EXPECT_EQ(daemon.requests.size(), 2U);
}

TEST(Query, AllAsJsonIsOneObject) {
    FakeDaemon daemon;
    daemon.say(200, event(3) + "\n" + event(2) + "\n", "/v1/events?limit=10000&cursor=x%3D");
    daemon.say(200, event(1) + "\n");
    const Ran ran = run(daemon, {"query", "--all", "--json"});
    EXPECT_EQ(ran.out, "{\"items\":[" + event(3) + "," + event(2) + "," + event(1) + "]}\n");
    EXPECT_EQ(daemon.requests[0].accept, "application/x-ndjson");
    EXPECT_EQ(daemon.requests[1].target, "/v1/events?limit=10000&cursor=x%3D");
}

TEST(Query, AllAsJsonOfNothingIsAnEmptyList) {
    FakeDaemon daemon;
    daemon.say(200, "");
    EXPECT_EQ(run(daemon, {"query", "--all", "--json"}).out, "{\"items\":[]}\n");
}

TEST(Query, NdjsonCountsItsLines) {
    FakeDaemon daemon;
    daemon.say(200, event(3) + "\n" + event(2) + "\n", "/v1/events?cursor=a&limit=3");
    daemon.say(200, event(1) + "\n", "/v1/events?cursor=b");
    const Ran ran = run(daemon, {"query", "-o", "ndjson", "-n", "3"});
    EXPECT_EQ(ran.out, event(3) + "\n" + event(2) + "\n" + event(1) + "\n");
    ASSERT_EQ(daemon.requests.size(), 2U);
    EXPECT_EQ(daemon.requests[1].target, "/v1/events?limit=1&cursor=a");
}

TEST(Query, CsvHasOneHeader) {
    FakeDaemon daemon;
    daemon.say(200, "unique_index,summary\n3,\"two\nlines\"\n2,x\n", "/v1/events?cursor=a");
    daemon.say(200, "unique_index,summary\n1,y\n");
    const Ran ran = run(daemon, {"query", "-o", "csv", "-n", "3"});
    EXPECT_EQ(ran.out, "unique_index,summary\n3,\"two\nlines\"\n2,x\n1,y\n");
    EXPECT_EQ(daemon.requests[1].target, "/v1/events?limit=1&cursor=a");
    EXPECT_EQ(daemon.requests[0].accept, "text/csv");
}

TEST(Query, CsvOnATerminalIsHarmless) {
    FakeDaemon daemon;
    daemon.say(200, "unique_index\n\x1b[2J\n");
    EXPECT_EQ(run(daemon, {"query", "-o", "csv"}, {.terminal = true}).out, "unique_index\n\\x1b[2J\n");
    daemon.say(200, "unique_index\n\x1b[2J\n");
    EXPECT_EQ(run(daemon, {"query", "-o", "csv"}).out, "unique_index\n\x1b[2J\n");
}

TEST(Query, ShowsWholeEventsByIndex) {
    FakeDaemon daemon;
    daemon.say(200, event(4, R"(,"payload":{"user":"ro\u001bot"},"description":"a\nb")"));
    daemon.say(200, event(5));
    const Ran ran = run(daemon, {"query", "4", "5"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(daemon.requests[0].target, "/v1/events/4");
    EXPECT_EQ(daemon.requests[1].target, "/v1/events/5");
    EXPECT_NE(ran.out.find(R"(payload       {"user":"ro\u001bot"})"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("a\\nb"), std::string::npos);
    daemon.refuse(404, "NotFound", "6: there is no such event");
    EXPECT_EQ(run(daemon, {"query", "6"}).code, 3);
}

TEST(Query, RefusalsOfLaterPagesAreTold) {
    FakeDaemon daemon;
    daemon.say(200, event(3) + "\n", "/v1/events?cursor=a");
    daemon.refuse(503, "Unavailable", "stopping");
    const Ran ran = run(daemon, {"query", "--all", "-o", "ndjson"});
    EXPECT_EQ(ran.code, 5);
    EXPECT_EQ(ran.out, event(3) + "\n");
}

TEST(Query, StopsAskingWhenNobodyReads) {
    FakeDaemon daemon;
    for (int i = 0; i < 5; ++i) {
        daemon.say(200, page({event(1)}, "more"));
    }
    MemoryOutput out;
    MemoryOutput err;
    out.close();
    const std::vector<std::string_view> words{"query", "--all"};
    EXPECT_EQ(run_program(words, {.now_us = now_us}, out, err,
                          [&daemon](const ClientOptions&) { return std::make_unique<Borrowed>(daemon); }),
              0);
    EXPECT_LE(daemon.requests.size(), 1U);
}

TEST(Pages, FindsTheCursorOfALink) {
    EXPECT_EQ(cursor_of("/v1/events?limit=5&cursor=a%2Fb"), "a%2Fb");
    EXPECT_EQ(cursor_of("/v1/events?cursor=abc&limit=5"), "abc");
    EXPECT_EQ(cursor_of("/v1/events?xcursor=abc"), "");
    EXPECT_EQ(cursor_of(""), "");
}

TEST(Pages, CountsRowsOfCsv) {
    EXPECT_EQ(csv_rows(""), 0U);
    EXPECT_EQ(csv_rows("a\nb\n"), 2U);
    EXPECT_EQ(csv_rows("\"a\n\"\"b\n\",c\nd\n"), 2U);
}

} // namespace
} // namespace tocsin::cli::test
