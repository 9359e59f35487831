// SPDX-License-Identifier: Apache-2.0
// The event manager's routes: its eight fields, its table, its reports.
#include "compat_face.hpp"

namespace tocsin::ipc::http {
namespace {

using test::Answer;
using test::OlderFace;

const std::string sample = R"({"scid":10,"event_time":"2026-01-02 03:00:00","event_rule_id":1,)"
                           R"("event_name":"PARS_Divergence","event_rule":"3 > threshold","event_src":"astra",)"
                           R"("spark_script":"GMP","spark_report_id":1,"gem_full_path":"C:/vcid.pgem"})";

TEST(CompatEventManager, IsAlive) {
    OlderFace face;
    EXPECT_TRUE(face.get("/api").body.starts_with(R"({"message":"Welcome)"));
    EXPECT_EQ(face.get("/api/").status, 200U);
}

TEST(CompatEventManager, AnEventIsKeptBeforeItIsConfirmed) {
    OlderFace face;
    face.log.hold = true;
    auto client = face.connect();
    face.send_all(client, test::Face::post_text("/event/submit", sample));
    const auto something_happened = [&face, &client] {
        client.receive();
        return !face.log.held.empty() || !client.input.empty();
    };
    EXPECT_TRUE(face.pump(something_happened));
    face.settle();
    client.receive();
    EXPECT_EQ(client.input, "") << "not before the log has it";
    face.log.release();
    const Answer answer = face.receive(client);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, R"({"message":"Received item with scid: 10 and metric: PARS_Divergence"})");
    const Event event = face.last();
    EXPECT_EQ(event.scid, 10);
    EXPECT_EQ(event.event_time_us, 1'767'322'800'000'000);
    EXPECT_EQ(event.event_rule_id, 1);
    EXPECT_EQ(event.event_rule, "3 > threshold");
    EXPECT_EQ(event.event_src, "astra");
    EXPECT_EQ(event.spark_script, "GMP");
    EXPECT_EQ(event.gem_full_path, "C:/vcid.pgem");
    EXPECT_FALSE(event.spark_report_id) << "a sender's word on reports was never taken";
    EXPECT_EQ(event.origin.uid, ::getuid());
}

TEST(CompatEventManager, WhatMayBeMissingIsTakenAndNumbersMayBeTexts) {
    OlderFace face;
    const Answer answer = face.post("/event/submit/", R"({"scid":"-7","event_time":"02-Jan-2026 03:00:00",)"
                                                      R"("event_rule_id":"3","event_name":"x","event_rule":"a > b",)"
                                                      R"("event_src":"ecql","spark_script":null,"more":{"a":1}})");
    EXPECT_EQ(answer.status, 200U) << answer.body;
    EXPECT_EQ(face.last().scid, -7);
    EXPECT_EQ(face.last().event_rule_id, 3);
    EXPECT_EQ(face.last().event_time_us, 1'767'322'800'000'000);
    EXPECT_TRUE(face.last().spark_script.empty());
}

TEST(CompatEventManager, AHeartbeatIsTakenAsAnyEvent) {
    OlderFace face;
    const Answer answer =
        face.post("/event/submit", R"({"scid":1,"event_time":"2026-01-02 03:00:00","event_rule_id":1,)"
                                   R"("event_name":"Heartbeat","event_rule":"","event_src":"ecql"})");
    EXPECT_EQ(answer.body, R"({"message":"Received item with scid: 1 and metric: Heartbeat"})");
    EXPECT_TRUE(face.log.events.empty()) << "a beat is no event";
    EXPECT_EQ(face.log.batches.size(), 1U);
}

TEST(CompatEventManager, WhatIsWrongIsNamedInItsShape) {
    struct Case {
        std::string body;
        std::string_view said;
    };
    OlderFace face;
    for (const Case& one :
         {Case{"{}", R"({"type":"value_error","loc":["body","event_name"],"msg":"Field required"})"},
          Case{R"({"scid":null})", R"("loc":["body","scid"],"msg":"Field required")"},
          Case{R"({"scid":1,"event_time":"yesterday","event_rule_id":1,"event_name":"x","event_rule":"",)"
               R"("event_src":"y"})",
               R"("loc":["body","event_time"],"msg":)"},
          Case{R"({"scid":"1x","event_time":"2026-01-02 03:00:00","event_rule_id":1,"event_name":"x","event_rule":"",)"
               R"("event_src":"y"})",
               R"("loc":["body","scid"])"},
          Case{R"({"scid":1,"event_time":"2026-01-02 03:00:00","event_rule_id":1,"event_name":"x","event_rule":"",)"
               R"("event_src":"y","spark_script":"../run"})",
               R"("loc":["body","spark_script"])"},
          Case{R"({"scid":1,"event_time":"2026-01-02 03:00:00","event_rule_id":1,"event_name":"x","event_rule":"",)"
               R"("event_src":"tocsin"})",
               R"("loc":["body","event_src"])"},
          Case{"[1", R"({"detail":")"}, Case{"", R"({"detail":")"}}) {
        const Answer answer = face.post("/event/submit", one.body);
        EXPECT_EQ(answer.status, 422U) << one.body << answer.body;
        EXPECT_EQ(answer.header("Content-Type"), "application/json");
        EXPECT_TRUE(answer.has(one.said)) << answer.body;
    }
    EXPECT_TRUE(face.log.events.empty());
    EXPECT_FALSE(face.manager.rejected.empty());
}

TEST(CompatEventManager, ARefusalOfTheLogIsNoConfirmation) {
    OlderFace face;
    face.log.refuse_batch = 1;
    const Answer answer = face.post("/event/submit", sample);
    EXPECT_EQ(answer.status, 507U);
    EXPECT_EQ(answer.body, R"({"detail":"the disk is full"})");
}

// ---- the table ----

TEST(CompatEventManager, AllDataIsEveryColumnOfEveryRow) {
    OlderFace face;
    EXPECT_EQ(face.get("/get_all_data").body, R"({"data":[]})");
    face.post("/event/submit", sample);
    face.log.add("b");
    face.log.events.back().event_time_us += 500'000;
    face.log.add("daemon.started");
    face.log.events.back().event_src = "tocsin";
    const Answer answer = face.get("/get_all_data/");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body,
              R"({"data":[{"unique_index":1,"scid":10,"event_time":"2026-01-02T03:00:00","event_rule_id":1,)"
              R"("event_name":"PARS_Divergence","event_rule":"3 > threshold","event_src":"astra",)"
              R"("spark_script":"GMP","spark_report_id":null,"gem_full_path":"C:/vcid.pgem"},)"
              R"({"unique_index":2,"scid":0,"event_time":"2026-01-02T03:00:04.500000","event_rule_id":null,)"
              R"("event_name":"b","event_rule":"","event_src":"test","spark_script":null,"spark_report_id":null,)"
              R"("gem_full_path":null}]})");
}

TEST(CompatEventManager, ALongTableIsSentWhileItIsRead) {
    OlderFace face;
    for (int i = 0; i < 2'500; ++i) {
        face.log.add("x");
        if (i >= 1'000 && i < 2'000) {
            face.log.events.back().event_src = "tocsin"; // a whole page without a row
        }
    }
    auto client = face.connect();
    face.send_all(client, "GET /get_all_data HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(face.closed(client));
    EXPECT_NE(client.input.find("Connection: close"), std::string::npos);
    EXPECT_EQ(client.input.find("Content-Length"), std::string::npos);
    EXPECT_TRUE(client.input.ends_with("]}"));
    std::size_t rows = 0;
    for (std::size_t at = client.input.find("\"unique_index\""); at != std::string::npos; ++rows) {
        at = client.input.find("\"unique_index\"", at + 1);
    }
    EXPECT_EQ(rows, 1'500U);
    EXPECT_EQ(client.input.find(",,"), std::string::npos);
    EXPECT_EQ(face.log.last_limit, 1'000U);
}

TEST(CompatEventManager, SomeDataIsByNumberAndExactName) {
    OlderFace face;
    face.post("/event/submit", sample);
    face.log.add("PARS_Divergence");
    const Answer answer = face.get("/get_event_data?scid=10&event_name=PARS_Divergence&table=x");
    EXPECT_TRUE(answer.body.starts_with(R"({"data":[{"unique_index":1,)")) << answer.body;
    EXPECT_FALSE(answer.has(R"("unique_index":2)"));
    EXPECT_EQ(face.get("/get_event_data?scid=10&event_name=PARS*").body, R"({"data":[]})") << "no pattern";
    const Answer wrong = face.get("/get_event_data");
    EXPECT_EQ(wrong.status, 422U);
    EXPECT_EQ(wrong.body, R"({"detail":[{"type":"value_error","loc":["query","scid"],"msg":"Field required"},)"
                          R"({"type":"value_error","loc":["query","event_name"],"msg":"Field required"}]})");
    EXPECT_EQ(face.get("/get_event_data?scid=ten&event_name=x").status, 422U);
}

// ---- reports ----

TEST(CompatEventManager, AReportIsSetByTheIndexOfItsEvent) {
    OlderFace face;
    const Answer answer = face.post("/spark_endpoint", R"({"job_id":17,"url":"http://spark/17","spark_id":"5","x":1})");
    EXPECT_EQ(answer.status, 200U) << answer.body;
    EXPECT_EQ(answer.body, "null");
    EXPECT_EQ(face.jobs.report.unique_index, 17U);
    EXPECT_EQ(face.jobs.report.report_id, 5);
    EXPECT_EQ(face.jobs.report.url, "http://spark/17");
    for (const std::string_view body :
         {R"({"job_id":17,"url":"u"})", R"({"job_id":17,"url":"u","spark_id":0})",
          R"({"job_id":-1,"url":"u","spark_id":1})", R"({"job_id":1,"url":5,"spark_id":1})",
          R"({"job_id":1.5,"url":"u","spark_id":1})", "x"}) {
        EXPECT_EQ(face.post("/spark_endpoint", body).status, 422U) << body;
    }
}

TEST(CompatEventManager, OnTheSocketAReportIsAGuardedAct) {
    OlderFace face;
    auto member = face.member();
    const Answer answer =
        face.ask(member, test::Face::post_text("/spark_endpoint", R"({"job_id":17,"url":"u","spark_id":5})"));
    EXPECT_EQ(answer.status, 403U);
    EXPECT_TRUE(answer.body.starts_with(R"({"detail":")")) << answer.body;
    ASSERT_EQ(face.authority.asked.size(), 1U);
    EXPECT_EQ(face.authority.asked.front().action, Action::set_report);
}

TEST(CompatEventManager, IsClosedUnlessSwitchedOn) {
    EXPECT_TRUE(test::is_closed_elsewhere("GET", "/api"));
    EXPECT_TRUE(test::is_closed_elsewhere("POST", "/event/submit"));
    EXPECT_TRUE(test::is_closed_elsewhere("GET", "/get_all_data"));
    EXPECT_TRUE(test::is_closed_elsewhere("GET", "/get_event_data"));
    EXPECT_TRUE(test::is_closed_elsewhere("POST", "/spark_endpoint"));
}

} // namespace
} // namespace tocsin::ipc::http
