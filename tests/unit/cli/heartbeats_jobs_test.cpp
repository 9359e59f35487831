// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/fake.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin::cli::test {
namespace {

constexpr std::string_view watch = R"({"source":"backup","scid":3,"state":"up","last":"2026-01-02T03:00:04.000000Z",)"
                                   R"("deadline":"2026-01-02T03:00:34.000000Z",)"
                                   R"("interval_s":30,"grace_s":1.5,"misses":0,"status":"ok \u0007","run":""})";
constexpr std::string_view job =
    R"({"id":5,"unique_index":17,"script":"report","state":"succeeded","attempt":1,"exit_status":0,)"
    R"("started":"2026-01-02T03:00:04.000000Z","ended":"2026-01-02T03:00:05.250000Z","report_id":9,)"
    R"("report_url":"file:///r","output_bytes":3,"truncated":false})";

std::string list(std::string_view item, std::string_view next = {}) {
    return "{\"items\":[" + std::string(item) + "]" + (next.empty() ? "" : ",\"next\":\"" + std::string(next) + "\"") +
           "}";
}

// ---- heartbeats ----

TEST(Heartbeats, ListsWatches) {
    FakeDaemon daemon;
    daemon.say(200, list(watch));
    const Ran ran = run(daemon, {"heartbeats", "--state", "up", "--source", "a b", "--scid", "3", "--utc"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(daemon.last().target, "/v1/heartbeats?source=a%20b&scid=3&state=up&limit=1000");
    for (const std::string_view word :
         {"SOURCE", "backup", "up", "every 30s", "1s500ms", "ok \\x07", "03:00:34.000Z (in 30s)"}) {
        EXPECT_NE(ran.out.find(word), std::string::npos) << word << "\n" << ran.out;
    }
}

TEST(Heartbeats, GoesThroughPages) {
    FakeDaemon daemon;
    daemon.say(200, list(watch, "x/y"));
    daemon.say(200, list(watch));
    const Ran ran = run(daemon, {"heartbeats"});
    EXPECT_EQ(daemon.last().target, "/v1/heartbeats?limit=999&cursor=x%2Fy");
    EXPECT_EQ(std::ranges::count(ran.out, '\n'), 3);
}

TEST(Heartbeats, NoneSaysHowToBegin) {
    FakeDaemon daemon;
    daemon.say(200, list(""));
    EXPECT_NE(run(daemon, {"heartbeats"}).err.find("heartbeats beat SOURCE"), std::string::npos);
    daemon.say(200, list(""));
    EXPECT_EQ(run(daemon, {"heartbeats", "--json"}).out, "{\"items\":[]}\n");
}

TEST(Heartbeats, Beats) {
    FakeDaemon daemon;
    daemon.say(200, std::string(watch));
    const Ran ran = run(daemon, {"heartbeats", "beat", "ba/ck", "--interval", "30s", "--grace", "10s", "--scid", "3",
                                 "--status", "a b", "--run", "r", "--state", "fail", "--utc"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(daemon.last().method, "POST");
    EXPECT_EQ(daemon.last().target, "/v1/heartbeats/ba%2Fck/fail?scid=3&interval=30s&grace=10s&run=r&status=a%20b");
    EXPECT_EQ(ran.out, "backup (scid 3) is up; next beat until 2026-01-02 03:00:34.000Z\n");
}

TEST(Heartbeats, APlainBeatNeedsNothing) {
    FakeDaemon daemon;
    daemon.say(200, R"({"source":"x","scid":0,"state":"new"})");
    const Ran ran = run(daemon, {"heartbeats", "beat", "x"});
    EXPECT_EQ(daemon.last().target, "/v1/heartbeats/x");
    EXPECT_NE(ran.out.find("alarms nobody until a beat names its --interval or --schedule"), std::string::npos);
}

TEST(Heartbeats, ActsOnWatches) {
    for (const std::string_view act : {"pause", "resume", "forget"}) {
        FakeDaemon daemon;
        daemon.say(200, std::string(watch));
        EXPECT_EQ(run(daemon, {"heartbeats", act, "backup", "--scid", "3"}).code, 0);
        EXPECT_EQ(daemon.last().target, "/v1/heartbeats/backup/" + std::string(act) + "?scid=3");
        daemon.refuse(404, "NotFound", "nobody: no such watch");
        EXPECT_EQ(run(daemon, {"heartbeats", act, "nobody"}).code, 3);
        EXPECT_EQ(daemon.last().target, "/v1/heartbeats/nobody/" + std::string(act));
    }
    FakeDaemon daemon;
    daemon.say(204, "");
    EXPECT_EQ(run(daemon, {"heartbeats", "forget", "backup"}).out, "backup is forgotten\n");
}

constexpr std::string_view unwatched = R"({"source":"pu\"mp","scid":0,"state":"new","suggested_interval_s":300},)"
                                       R"({"source":"gate","scid":-4,"state":"new"})";

TEST(Heartbeats, ShowsHowToWatchWhatIsNew) {
    FakeDaemon daemon;
    daemon.say(200, list(std::string(unwatched) + "," + std::string(watch)));
    const Ran ran = run(daemon, {"heartbeats"});
    EXPECT_NE(ran.out.find("2 sources beat and are not watched"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("[[heartbeat]]\nsource = \"pu\\\"mp\"\ninterval = \"5m\"\n"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("[[heartbeat]]\nsource = \"gate\"\nscid = -4\ninterval = \"1m\"   # set"), std::string::npos)
        << ran.out;
    EXPECT_EQ(ran.out.find("source = \"backup\""), std::string::npos) << "it is watched";
}

TEST(Heartbeats, ManyNewOnesAreCounted) {
    std::string items;
    for (int i = 0; i < 13; ++i) {
        items += (i == 0 ? "" : ",") + (R"({"source":"s)" + std::to_string(i) + R"(","state":"new"})");
    }
    FakeDaemon daemon;
    daemon.say(200, list(items));
    const Ran ran = run(daemon, {"heartbeats"});
    EXPECT_NE(ran.out.find("13 sources beat"), std::string::npos);
    EXPECT_NE(ran.out.find("… and 3 more"), std::string::npos);
}

constexpr std::string_view scheduled =
    R"({"source":"report","scid":0,"state":"late","last":"2026-01-01T03:00:00.000000Z",)"
    R"("deadline":"2026-01-02T03:00:00.000000Z","grace_s":3600,"schedule":"0 3 * * *","zone":"Europe/Berlin",)"
    R"("next":["2026-01-03T02:00:00.000000Z","2026-01-04T02:00:00.000000Z","2026-01-05T02:00:00.000000Z"],)"
    R"("misses":0,"status":"exit code 0","run":"r1"})";

TEST(Heartbeats, SchedulesAndOverdueDeadlinesAreShown) {
    FakeDaemon daemon;
    daemon.say(200, list(scheduled));
    const Ran ran = run(daemon, {"heartbeats", "--utc"});
    EXPECT_NE(ran.out.find("0 3 * * * (Europe/Berlin)"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("03:00:00.000Z (4s ago)"), std::string::npos) << ran.out;
}

TEST(Heartbeats, ShowsAllAboutOne) {
    FakeDaemon daemon;
    daemon.say(200, list(scheduled));
    const Ran ran = run(daemon, {"heartbeats", "show", "report", "0", "--utc"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(daemon.last().target, "/v1/heartbeats?source=report&scid=0&limit=1000");
    for (const std::string_view line :
         {"source    report\n", "state     late\n", "deadline  2026-01-02 03:00:00.000Z (4s ago)\n",
          "expected  0 3 * * * (Europe/Berlin)\n", "next      2026-01-03 02:00:00.000Z (in 22h 59m)\n",
          "next      2026-01-05 02:00:00.000Z (in 2d 22h)\n", "grace     1h\n", "run       r1\n",
          "status    exit code 0\n"}) {
        EXPECT_NE(ran.out.find(line), std::string::npos) << line << ran.out;
    }
}

TEST(Heartbeats, ShowsEachScidAndWhatIsNotThere) {
    FakeDaemon daemon;
    daemon.say(200, list(std::string(watch) + "," + std::string(scheduled)));
    const Ran both = run(daemon, {"heartbeats", "show", "backup"});
    EXPECT_EQ(daemon.last().target, "/v1/heartbeats?source=backup&limit=1000");
    EXPECT_NE(both.out.find("scid      3"), std::string::npos) << both.out;
    EXPECT_NE(both.out.find("\n\nsource    report"), std::string::npos) << both.out;
    daemon.say(200, list(unwatched));
    EXPECT_NE(run(daemon, {"heartbeats", "show", "x"}).out.find("[[heartbeat]]"), std::string::npos);
    daemon.say(200, list(""));
    const Ran none = run(daemon, {"heartbeats", "show", "nobody"});
    EXPECT_EQ(none.code, 3);
    EXPECT_NE(none.err.find("nobody: never beat"), std::string::npos) << none.err;
    EXPECT_EQ(run(daemon, {"heartbeats", "show", "a", "b"}).code, 2);
    daemon.say(200, list(scheduled));
    EXPECT_EQ(run(daemon, {"heartbeats", "show", "report", "--json"}).out, list(scheduled) + "\n");
}

// ---- jobs ----

TEST(Jobs, ListsThem) {
    FakeDaemon daemon;
    daemon.say(200, list(job));
    const Ran ran =
        run(daemon, {"jobs", "--state", "failed", "--state", "succeeded", "--script", "report", "--event", "17"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(daemon.last().target, "/v1/jobs?state=failed&state=succeeded&script=report&unique_index=17&limit=100");
    for (const std::string_view word : {"report", "succeeded", "1s250ms", "file:///r"}) {
        EXPECT_NE(ran.out.find(word), std::string::npos) << word << "\n" << ran.out;
    }
}

TEST(Jobs, AFailedOneSaysWhy) {
    FakeDaemon daemon;
    daemon.say(
        200,
        list(R"({"id":1,"unique_index":2,"script":"x","state":"failed","attempt":0,"reason":"is not installed"})"));
    EXPECT_NE(run(daemon, {"jobs"}).out.find("is not installed"), std::string::npos);
    daemon.say(200, list(""));
    EXPECT_EQ(run(daemon, {"jobs"}).err, "No job matches.\n");
}

TEST(Jobs, Acts) {
    FakeDaemon daemon;
    daemon.say(200, R"({"id":6,"unique_index":17,"script":"report","state":"queued"})");
    const Ran ran = run(daemon, {"jobs", "run", "17", "re\"port"});
    EXPECT_EQ(daemon.last().target, "/v1/events/17/jobs");
    EXPECT_EQ(daemon.last().body, R"({"script":"re\"port"})");
    EXPECT_EQ(ran.out, "job 6 (report for event 17) is queued\n");
    daemon.say(200, std::string(job));
    EXPECT_EQ(run(daemon, {"jobs", "rerun", "5", "--json"}).out, std::string(job) + "\n");
    EXPECT_EQ(daemon.last().target, "/v1/jobs/5/rerun");
    daemon.refuse(409, "Conflict", "5: is succeeded already");
    EXPECT_EQ(run(daemon, {"jobs", "cancel", "5"}).code, 8);
    EXPECT_EQ(daemon.last().target, "/v1/jobs/5/cancel");
}

TEST(Jobs, ADryRunShowsWhatWouldBe) {
    FakeDaemon daemon;
    const std::string preview =
        R"({"unique_index":17,"script":"report","path":"/s/report","ready":true,"problems":[],"hints":["h"],)"
        R"("submit":false,"rerun":true,"callback":true,"coalesce":false,)"
        R"("timeout_s":600,"kill_after_s":0.5,"retries":2,"parallel":1,)"
        R"("environment":{"HOME":"here"},"event":{"unique_index":17}})";
    daemon.say(200, preview);
    const Ran ran = run(daemon, {"jobs", "run", "--dry-run", "17", "report"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(daemon.last().body, R"({"script":"report","dry_run":true})");
    for (const std::string_view text :
         {"report  /s/report: ready", "timeout 10m, SIGKILL 500ms later, retries 2, at most 1",
          "only for administrators", "hint: h", "HOME=here", "\"unique_index\":17", "Nothing was started."}) {
        EXPECT_NE(ran.out.find(text), std::string::npos) << text << "\n" << ran.out;
    }
    daemon.say(200, R"({"script":"report","ready":false,"path":"/s/r","problems":["may be written by others"]})");
    EXPECT_EQ(run(daemon, {"jobs", "run", "--dry-run", "17", "report"}).code, 1);
    daemon.say(200, preview);
    EXPECT_EQ(run(daemon, {"jobs", "run", "--dry-run", "17", "report", "--json"}).out, preview + "\n");
}

TEST(Jobs, LintAsksTheDaemonForNames) {
    FakeDaemon daemon;
    daemon.say(200, R"({"items":[{"script":"a","path":"/s/a","ready":true},)"
                    R"({"script":"b","path":"/s/b","ready":false,"problems":["is empty"]}]})");
    const Ran ran = run(daemon, {"jobs", "lint"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(daemon.last().target, "/v1/scripts");
    EXPECT_NE(ran.out.find("b  /s/b: cannot run\n  wrong: is empty\n"), std::string::npos) << ran.out;
    daemon.say(200, R"({"items":[{"script":"no","ready":false,"problems":["is not installed in /s"]}]})");
    EXPECT_EQ(run(daemon, {"jobs", "lint", "no"}).code, 3);
    EXPECT_EQ(daemon.last().target, "/v1/scripts?script=no");
    daemon.say(200, R"({"items":[]})");
    EXPECT_EQ(run(daemon, {"jobs", "lint"}).code, 0);
    daemon.fail("connect");
    EXPECT_EQ(run(daemon, {"jobs", "lint"}).code, 5);
}

TEST(Jobs, LintOfAPathNeedsNoDaemon) {
    FakeDaemon daemon;
    EXPECT_EQ(run(daemon, {"jobs", "lint", "/nonexistent/x"}).code, 3);
    const Ran fine = run(daemon, {"jobs", "lint", "/usr/bin/env"});
    EXPECT_EQ(fine.code, 0) << fine.out << fine.err;
    EXPECT_NE(fine.out.find("env  /usr/bin/env: ready"), std::string::npos) << fine.out;
    const Ran wrong = run(daemon, {"jobs", "lint", "/etc/../etc/passwd", "--json"});
    EXPECT_EQ(wrong.code, 1);
    EXPECT_NE(wrong.out.find("\"path\":\"/etc/passwd\",\"ready\":false"), std::string::npos) << wrong.out;
    EXPECT_TRUE(daemon.requests.empty());
}

TEST(Jobs, ShowsOne) {
    FakeDaemon daemon;
    daemon.say(200, std::string(job));
    const Ran ran = run(daemon, {"jobs", "show", "5"});
    EXPECT_EQ(daemon.last().target, "/v1/jobs/5");
    EXPECT_NE(ran.out.find("succeeded"), std::string::npos) << ran.out;
}

TEST(Jobs, OutputIsFollowedToItsEnd) {
    FakeDaemon daemon;
    const auto step = [&daemon](std::string_view state, std::string_view output) {
        daemon.say(200, "{\"state\":\"" + std::string(state) + "\"}");
        daemon.say(200, std::string(output));
    };
    step("queued", "");
    step("running", "one\n");
    step("running", "one\ntwo\n");
    step("running", "again\n"); // a retry begins anew
    step("failed", "again\nlast");
    EXPECT_EQ(run(daemon, {"jobs", "output", "-f", "5"}).out, "one\ntwo\nagain\nlast");
    EXPECT_EQ(daemon.requests.size(), 10U);
    daemon.refuse(404, "NotFound", "5: no such job");
    EXPECT_EQ(run(daemon, {"jobs", "output", "-f", "5"}).code, 3);
}

TEST(Jobs, OutputIsHarmlessOnATerminalOnly) {
    const std::string text = "one\n\ttwo \x1b[2J";
    FakeDaemon daemon;
    daemon.say(200, text);
    EXPECT_EQ(run(daemon, {"jobs", "output", "5"}).out, text);
    EXPECT_EQ(daemon.last().target, "/v1/jobs/5/output");
    daemon.say(200, text);
    EXPECT_EQ(run(daemon, {"jobs", "output", "5"}, {.terminal = true}).out, "one\n\ttwo \\x1b[2J");
    daemon.refuse(404, "NotFound", "99: no such job");
    EXPECT_EQ(run(daemon, {"jobs", "output", "99"}).code, 3);
}

TEST(Jobs, Reports) {
    FakeDaemon daemon;
    daemon.say(200, R"({"unique_index":17,"spark_report_id":5,"spark_report_url":"http://x"})");
    const Ran ran = run(daemon, {"jobs", "report", "17", "--id", "5", "--url", "http://x"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(daemon.last().target, "/v1/events/17/report");
    EXPECT_EQ(daemon.last().body, R"({"spark_report_id":5,"url":"http://x"})");
    EXPECT_NE(ran.out.find("http://x"), std::string::npos);
}

} // namespace
} // namespace tocsin::cli::test
