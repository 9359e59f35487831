// SPDX-License-Identifier: Apache-2.0
// Heartbeats, jobs and the daemon itself over HTTP.
#include "http_face.hpp"

#include "ipc/http/openapi.hpp"

namespace tocsin::ipc::http {
namespace {

using test::Answer;
using test::Client;
using test::Face;

// ---- heartbeats ----

TEST(HttpHeartbeats, ABeatByGetOrPost) {
    Face face;
    for (const bool by_get : {true, false}) {
        const std::string target = "/v1/heartbeats/backup%2Fdb?scid=7&interval=1h&grace=90&status=all+well";
        const Answer answer = by_get ? face.get(target) : face.post(target);
        EXPECT_EQ(answer.status, 200U);
        EXPECT_TRUE(answer.body.starts_with(R"({"source":"backup/db","scid":7,"state":"up",)")) << answer.body;
        ASSERT_FALSE(face.heartbeats.beats_seen.empty());
        const Beat& beat = face.heartbeats.beats_seen.back();
        EXPECT_EQ(beat.key, (WatchKey{"backup/db", 7}));
        EXPECT_EQ(beat.kind, BeatKind::ok);
        EXPECT_EQ(beat.interval_us, 3'600'000'000);
        EXPECT_EQ(beat.grace_us, 90'000'000);
        EXPECT_EQ(beat.status, "all well");
        EXPECT_EQ(beat.time_us, face.clock.wall);
    }
    EXPECT_EQ(face.heartbeats.beats_seen.size(), 2U);
}

TEST(HttpHeartbeats, TheKindIsTheLastSegment) {
    struct Case {
        std::string_view segment;
        BeatKind kind;
    };
    Face face;
    for (const Case& one : {Case{"start", BeatKind::start}, Case{"finish", BeatKind::finish},
                            Case{"fail", BeatKind::fail}, Case{"alive", BeatKind::alive}}) {
        EXPECT_EQ(face.post("/v1/heartbeats/a/" + std::string(one.segment) + "?run=r1").status, 200U);
        EXPECT_EQ(face.heartbeats.beats_seen.back().kind, one.kind);
        EXPECT_EQ(face.heartbeats.beats_seen.back().run, "r1");
        EXPECT_EQ(face.get("/v1/heartbeats/a/" + std::string(one.segment)).status, 200U);
        EXPECT_EQ(face.heartbeats.beats_seen.back().kind, one.kind);
    }
    EXPECT_EQ(face.get("/v1/heartbeats/start").status, 200U);
    EXPECT_EQ(face.heartbeats.beats_seen.back().key.source, "start") << "a source may have any name";
    EXPECT_EQ(face.heartbeats.beats_seen.back().kind, BeatKind::ok);
}

TEST(HttpHeartbeats, OptionsMayStandInTheBody) {
    Face face;
    EXPECT_EQ(face.post("/v1/heartbeats/a?scid=2", R"({"interval":"30s","status":null,"grace":1.5})").status, 200U);
    const Beat& beat = face.heartbeats.beats_seen.back();
    EXPECT_EQ(beat.key.scid, 2);
    EXPECT_EQ(beat.interval_us, 30'000'000);
    EXPECT_EQ(beat.grace_us, 1'500'000);
}

TEST(HttpHeartbeats, AMemberBeatsButDoesNotPause) {
    Face face;
    Client member = face.member();
    EXPECT_EQ(face.ask(member, "GET /v1/heartbeats/a HTTP/1.1\r\nHost: x\r\n\r\n").status, 200U);
    EXPECT_EQ(face.ask(member, Face::post_text("/v1/heartbeats/a/pause", "")).status, 403U);
    EXPECT_FALSE(face.heartbeats.last_act);
}

TEST(HttpHeartbeats, Acts) {
    struct Case {
        std::string_view segment;
        WatchAct act;
    };
    Face face;
    EXPECT_EQ(face.get("/v1/heartbeats/a?scid=-3").status, 200U);
    for (const Case& one :
         {Case{"pause", WatchAct::pause}, Case{"resume", WatchAct::resume}, Case{"forget", WatchAct::forget}}) {
        const Answer answer = face.post("/v1/heartbeats/a/" + std::string(one.segment) + "?scid=-3");
        EXPECT_EQ(answer.status, 200U);
        EXPECT_TRUE(answer.has(R"("scid":-3)"));
        EXPECT_EQ(face.heartbeats.last_act, one.act);
    }
    EXPECT_EQ(face.post("/v1/heartbeats/a/pause").status, 404U) << "scid 0 is another one";
    EXPECT_EQ(face.get("/v1/heartbeats/a/pause").status, 405U) << "a link must not pause";
}

TEST(HttpHeartbeats, Lists) {
    Face face;
    EXPECT_EQ(face.get("/v1/heartbeats").body, R"({"items":[]})");
    EXPECT_EQ(face.get("/v1/heartbeats/a").status, 200U);
    EXPECT_EQ(face.get("/v1/heartbeats/b").status, 200U);
    const Answer answer = face.get("/v1/heartbeats?limit=1&cursor=c1&state=up&state=down&source=a");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(answer.body.ends_with(R"(],"next":"more"})"));
    EXPECT_EQ(face.heartbeats.last_cursor, "c1");
    EXPECT_EQ(face.heartbeats.last_filter, (ListFilter{{"source", {"a"}}, {"state", {"up", "down"}}}));
}

// ---- jobs ----

TEST(HttpJobs, RunAndLookAt) {
    Face face;
    const Answer run = face.post("/v1/events/17/jobs", R"({"script":"report"})");
    EXPECT_EQ(run.status, 200U);
    EXPECT_TRUE(run.body.starts_with(R"({"id":1,"unique_index":17,"script":"report","state":"queued",)")) << run.body;
    EXPECT_EQ(face.get("/v1/jobs/1").status, 200U);
    EXPECT_EQ(face.get("/v1/jobs/2").status, 404U);
    const Answer list = face.get("/v1/jobs?state=queued&unique_index=17&script=report&limit=5");
    EXPECT_EQ(list.status, 200U);
    EXPECT_TRUE(list.body.starts_with(R"({"items":[{"id":1,)"));
    EXPECT_EQ(face.jobs.last_filter,
              (ListFilter{{"script", {"report"}}, {"state", {"queued"}}, {"unique_index", {"17"}}}));
}

TEST(HttpJobs, CancelAndRunAgain) {
    Face face;
    face.jobs.jobs = {{.id = 1, .unique_index = 3, .script = "a", .state = JobState::running},
                      {.id = 2, .unique_index = 3, .script = "a", .state = JobState::succeeded}};
    EXPECT_EQ(face.post("/v1/jobs/1/cancel").status, 200U);
    const Answer over = face.post("/v1/jobs/2/cancel");
    EXPECT_EQ(over.status, 409U);
    EXPECT_TRUE(over.has("Conflict"));
    const Answer again = face.post("/v1/jobs/2/rerun");
    EXPECT_EQ(again.status, 200U);
    EXPECT_TRUE(again.has(R"("id":3)"));
    Client member = face.member();
    EXPECT_EQ(face.ask(member, Face::post_text("/v1/jobs/1/cancel", "")).status, 403U);
}

TEST(HttpJobs, ADryRunStartsNothing) {
    Face face;
    const Answer answer = face.post("/v1/events/17/jobs", R"({"script":"report","dry_run":true})");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(answer.has(R"("unique_index":17,"script":"report","path":"/spark.d/x","ready":false)")) << answer.body;
    EXPECT_TRUE(answer.has(R"("problems":["is \"bad\""],"hints":[])")) << answer.body;
    EXPECT_TRUE(answer.has(R"("environment":{"HOME":"h"},"event":{})")) << answer.body;
    EXPECT_TRUE(face.jobs.jobs.empty());
    EXPECT_EQ(face.post("/v1/events/17/jobs", R"({"script":"report","dry_run":false})").status, 200U);
    EXPECT_EQ(face.jobs.jobs.size(), 1U);
    EXPECT_EQ(face.post("/v1/events/17/jobs", R"({"script":"report","dry_run":1})").status, 400U);
    EXPECT_EQ(face.post("/v1/events/17/jobs", R"({"dry_run":true})").status, 400U);
    EXPECT_EQ(face.post("/v1/events/17/jobs", R"({"script":"a","dry":true})").status, 400U);
}

TEST(HttpJobs, ACallbackNeedsItsSecret) {
    Face face;
    const Answer answer = face.post("/v1/callbacks/good", R"({"spark_report_id":17,"url":"http://r"})");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(answer.body.starts_with(R"({"id":5,"unique_index":17,)")) << answer.body;
    EXPECT_EQ(face.jobs.report.report_id, 17);
    EXPECT_EQ(face.jobs.report.url, "http://r");
    EXPECT_EQ(face.post("/v1/callbacks/good", R"({"job_id":17,"url":"u","spark_id":18})").status, 200U);
    EXPECT_EQ(face.jobs.report.report_id, 18) << "the words of a SPARK server";
    const Answer wrong = face.post("/v1/callbacks/bad", R"({"spark_report_id":17})");
    EXPECT_EQ(wrong.status, 404U);
    EXPECT_FALSE(wrong.has("bad")) << "what was tried is not repeated: " << wrong.body;
    face.jobs.last_secret.clear();
    for (const char* body :
         {"", "{}", R"({"spark_report_id":0})", R"({"spark_report_id":"1"})", R"({"pending":true})"}) {
        EXPECT_EQ(face.post("/v1/callbacks/good", body).status, 400U) << body;
    }
    EXPECT_EQ(face.jobs.last_secret, "") << "a body that is wrong does not get so far";
    EXPECT_EQ(face.post("/v1/events/1/report", R"({"spark_id":1})").status, 400U) << "there alone";
    EXPECT_EQ(face.get("/v1/callbacks/good").status, 405U);
}

TEST(HttpJobs, ScriptsAreListed) {
    Face face;
    EXPECT_TRUE(face.get("/v1/scripts").has(R"("script":"all")"));
    EXPECT_TRUE(face.get("/v1/scripts?script=x").has(R"("script":"x")"));
    EXPECT_EQ(face.get("/v1/scripts?scripts=x").status, 400U);
}

TEST(HttpJobs, OutputIsPlainText) {
    Face face;
    face.jobs.jobs = {{.id = 1, .script = "a", .output = "line 1\nline 2\n"}};
    const Answer answer = face.get("/v1/jobs/1/output");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(answer.header("Content-Type").starts_with("text/plain"));
    EXPECT_EQ(answer.body, "line 1\nline 2\n");
    EXPECT_EQ(face.get("/v1/jobs/9/output").status, 404U);
}

TEST(HttpJobs, AReportIsSetOnAnEvent) {
    Face face;
    face.log.add("x");
    const Answer answer = face.post("/v1/events/1/report", R"({"spark_report_id":42,"url":"https://reports/42"})");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(answer.body.starts_with(R"({"unique_index":1,)")) << "the event";
    EXPECT_EQ(face.jobs.report.unique_index, 1U);
    EXPECT_EQ(face.jobs.report.report_id, 42);
    EXPECT_EQ(face.jobs.report.url, "https://reports/42");
    EXPECT_EQ(face.post("/v1/events/1/report", R"({"spark_report_id":43})").status, 200U);
    EXPECT_EQ(face.jobs.report.url, "");
    const std::string long_url(limits::path_bytes + 1, 'x');
    EXPECT_EQ(face.post("/v1/events/1/report", R"({"spark_report_id":1,"url":")" + long_url + "\"}").status, 400U);
}

// ---- the daemon itself ----

TEST(HttpOperation, Status) {
    Face face;
    face.manager.current.degraded = {"the \"disk\" is full"};
    const Answer answer = face.get("/v1/status/");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(answer.has(R"("store_id":"aaaaaaaa)"));
    EXPECT_TRUE(answer.has(R"("degraded":["the \"disk\" is full"])")) << answer.body;
}

TEST(HttpOperation, Health) {
    Face face;
    const Answer fine = face.get("/healthz");
    EXPECT_EQ(fine.status, 200U);
    EXPECT_EQ(fine.body, R"({"status":"ok"})");
    face.manager.current.degraded = {"no bus", "disk full"};
    const Answer ill = face.get("/healthz");
    EXPECT_EQ(ill.status, 503U);
    EXPECT_EQ(ill.header("Content-Type"), "application/json");
    EXPECT_EQ(ill.body, R"({"status":"degraded","reasons":["no bus","disk full"]})");
}

TEST(HttpOperation, Metrics) {
    Face face;
    const Answer answer = face.get("/metrics");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.header("Content-Type"), "text/plain; version=0.0.4");
    EXPECT_EQ(answer.body, "tocsin_events_total{severity=\"info\"} 3\n");
}

TEST(HttpOperation, Reload) {
    Face face;
    EXPECT_EQ(face.post("/v1/reload").status, 200U);
    face.manager.reload_error =
        Error{.code = Code::invalid_argument, .context = "config", .object = "tocsin.toml:3", .reason = "unknown key"};
    const Answer bad = face.post("/v1/reload");
    EXPECT_EQ(bad.status, 400U);
    EXPECT_TRUE(bad.has("tocsin.toml:3: unknown key"));
    EXPECT_EQ(face.get("/v1/reload").status, 405U);
}

TEST(HttpOperation, ABackupIsTheBodyPieceByPiece) {
    Face face;
    face.manager.backup_pieces = {"first ", "second ", "mark"};
    Client client = face.connect();
    EXPECT_EQ(face.ask(client, Face::post_text("/v1/backup", "")).status, 200U);
    EXPECT_TRUE(face.pump([&client] { // it has no length: it ends with the connection
        client.receive();
        return client.input.ends_with("first second mark");
    })) << client.input;
    face.manager.backup_error =
        Error{.code = Code::conflict, .context = "backup", .object = {}, .reason = "one is made"};
    EXPECT_EQ(face.post("/v1/backup").status, 409U);
}

TEST(HttpOperation, TheDescriptionIsTheCheckedInFileAndHasThisVersion) {
    Face face;
    const Answer answer = face.get("/v1/openapi.json");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, openapi_json());
    EXPECT_TRUE(answer.has("\"version\": \"" TOCSIN_VERSION "\""));
    EXPECT_TRUE(answer.has("\"openapi\": \"3.1.0\""));
}

} // namespace
} // namespace tocsin::ipc::http
