// SPDX-License-Identifier: Apache-2.0
// Requests that are wrong in one way each: the status, code and named thing that each must get, and nothing changed.
#include "http_face.hpp"

namespace tocsin::ipc::http {
namespace {

using test::Answer;
using test::Client;
using test::Face;
using test::one_event;

struct Malformed {
    std::string text;
    unsigned status;
    std::string_view named; // in the problem
};

std::string with_body(std::string_view body, std::string_view headers = "Content-Type: application/json\r\n") {
    return "POST /v1/events HTTP/1.1\r\nHost: x\r\n" + std::string(headers) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string get(std::string_view target, std::string_view headers = "") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n";
}

const std::vector<Malformed> framing = {
    {"\r\n\r\n", 400, "request"},
    {"hello\r\n\r\n", 400, "request"},
    {"GET\r\n\r\n", 400, "request"},
    {"GET /v1/status\r\n\r\n", 400, "request"},
    {"GET  /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 400, "request"},
    {"GET /v1/status HTTP/1.1 \r\nHost: x\r\n\r\n", 400, "request"},
    {"GET /v1/status HTTX/1.1\r\nHost: x\r\n\r\n", 400, "request"},
    {"GET /v1/status HTTP/3.0\r\nHost: x\r\n\r\n", 400, "version"},
    {"GET /v1/status HTTP/0.9\r\nHost: x\r\n\r\n", 400, "version"},
    {"GET /v1/status HTTP/1.1\nHost: x\n\n", 400, "request"},
    {"GET /v1/status HTTP/1.1\r\n\r\n", 400, "Host"},
    {"GET /v1/status HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, "Host"},
    {"GET /v1/status HTTP/1.1\r\nHost x\r\n\r\n", 400, "request"},
    {"GET /v1/status HTTP/1.1\r\n: x\r\n\r\n", 400, "request"},
    {"GET /v1/status HTTP/1.1\r\nHost: x\r\nX y: 1\r\n\r\n", 400, "request"},
    {"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: \x01\r\n\r\n", 400, "request"},
    {"G\x01T /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 400, "request"},
    {std::string("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 28), 400, "request"},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, "request"},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n", 400, "request"},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400, "request"},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "request"},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "request"},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400,
     "Transfer-Encoding"},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 400, "Transfer-Encoding"},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "request"},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n", 400, "request"},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 2\r\n\r\n{}", 400, "Expect"},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\n", 413, "body"},
    {"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", 413, "body"},
    {"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + std::string(17'000, 'x') + "\r\n\r\n", 413, "header"},
};

const std::vector<Malformed> targets = {
    {"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400, "target"},
    {"OPTIONS /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404, "/nowhere"},
    {get("v1/status"), 400, "target"},
    {get("/v1/%zz"), 400, "path"},
    {get("/v1/status?a=%"), 400, "query"},
    {get("/v1/heartbeats/%00"), 400, "path"},
    {get("/nowhere"), 404, "/nowhere"},
    {"BREW /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 405, "GET, HEAD"},
    {"DELETE /v1/events/1 HTTP/1.1\r\nHost: x\r\n\r\n", 405, "GET, HEAD"},
};

const std::vector<Malformed> parameters = {
    {get("/v1/status?x=1"), 400, "x"},
    {get("/v1/events?limit=0"), 400, "limit"},
    {get("/v1/events?limit=10001"), 400, "limit"},
    {get("/v1/events?limit=ten"), 400, "limit"},
    {get("/v1/events?limit=1&limit=2"), 400, "limit"},
    {get("/v1/events?cursor=1&cursor=2"), 400, "cursor"},
    {get("/v1/events?cursor=forged"), 400, "cursor"},
    {get("/v1/events?colour=red"), 400, "colour"},
    {get("/v1/events?severity=hihg"), 400, "severity"},
    {get("/v1/events?since=yesterday"), 400, "since"},
    {get("/v1/events?since=1&since=2"), 400, "since"},
    {get("/v1/events?where=severity"), 400, "where"},
    {get("/v1/events?order=random"), 400, "order"},
    {get("/v1/events?has_report=maybe"), 400, "has_report"},
    {get("/v1/events/abc"), 400, "unique_index"},
    {get("/v1/events/-1"), 400, "unique_index"},
    {get("/v1/events/99"), 404, "99"},
    {get("/v1/stream?after=x"), 400, "after"},
    {get("/v1/stream?after=1&after=2"), 400, "after"},
    {get("/v1/stream?order=newest"), 400, "order"},
    {get("/v1/stream?limit=1"), 400, "limit"},
    {get("/v1/stream", "Last-Event-ID: last\r\n"), 400, "Last-Event-ID"},
    {get("/v1/stream", "Last-Event-ID: 1\r\nLast-Event-ID: 2\r\n"), 400, "Last-Event-ID"},
    {get("/v1/stream?after=" + std::string(32, 'a') + ":x"), 400, "after"},
    {get("/v1/stream?after=" + std::string(31, 'a') + ":1"), 400, "after"},
    {get("/v1/statistics/histogram/x/20260102.jpg"), 400, "day"},
    {get("/v1/heartbeats?limit=-1"), 400, "limit"},
    {get("/v1/heartbeats?stat=up"), 400, "stat"},
    {get("/v1/heartbeats/a?interval=often"), 400, "interval"},
    {get("/v1/heartbeats/a?interval=1ms"), 400, "interval"},
    {get("/v1/heartbeats/a?scid=x"), 400, "scid"},
    {get("/v1/heartbeats/a?scid=1&scid=1"), 400, "scid"},
    {get("/v1/heartbeats/a?schedule=@daily&interval=1d"), 400, "schedule"},
    {get("/v1/heartbeats/a?zone=Europe/Berlin"), 400, "zone"},
    {get("/v1/heartbeats/a%07"), 400, "source"},
    {Face::post_text("/v1/heartbeats/a/pause?scid=x", ""), 400, "scid"},
    {Face::post_text("/v1/heartbeats/none/pause", ""), 404, "none"},
    {Face::post_text("/v1/heartbeats/a", "[]"), 400, "object"},
    {Face::post_text("/v1/heartbeats/a", R"({"state":"fail"})"), 400, "state"},
    {Face::post_text("/v1/heartbeats/a?run=1", R"({"run":"2"})"), 400, "run"},
    {get("/v1/jobs/x/output"), 400, "id"},
    {get("/v1/jobs/7/output"), 404, "7"},
    {Face::post_text("/v1/jobs/7/cancel", ""), 404, "7"},
};

const std::vector<Malformed> bodies = {
    {with_body(""), 400, ""},
    {with_body("{"), 400, ""},
    {with_body("[1]"), 422, ""},
    {with_body("\"text\""), 422, ""},
    {with_body("{}"), 422, "event_name"},
    {with_body(R"({"event_name":"x","event_src":"s","severity":"hihg"})"), 422, "severity"},
    {with_body(R"({"event_name":"x","event_src":"s","colour":"red"})"), 422, "colour"},
    {with_body(R"({"event_name":"x","event_src":"tocsin"})"), 422, "event_src"},
    {with_body(one_event, "Content-Type: text/plain\r\n"), 400, "Content-Type"},
    {with_body(one_event, "Content-Type: application/x-www-form-urlencoded\r\n"), 400, "Content-Type"},
    {with_body(one_event, "Content-Type: application/json; charset=latin1\r\n"), 400, "Content-Type"},
    {with_body(one_event, "Content-Encoding: gzip\r\n"), 400, "Content-Encoding"},
    {Face::post_text("/v1/events/1/jobs", ""), 400, ""},
    {Face::post_text("/v1/events/1/jobs", "{}"), 400, "script"},
    {Face::post_text("/v1/events/1/jobs", R"({"script":7})"), 400, "script"},
    {Face::post_text("/v1/events/1/jobs", R"({"script":"../sh"})"), 400, "script"},
    {Face::post_text("/v1/events/1/jobs", R"({"script":"a","x":1})"), 400, "x"},
    {Face::post_text("/v1/events/x/jobs", R"({"script":"a"})"), 400, "unique_index"},
    {Face::post_text("/v1/events/1/report", "{}"), 400, "spark_report_id"},
    {Face::post_text("/v1/events/1/report", R"({"spark_report_id":0})"), 400, "spark_report_id"},
    {Face::post_text("/v1/events/1/report", R"({"spark_report_id":"1"})"), 400, "spark_report_id"},
    {Face::post_text("/v1/events/1/report", R"({"spark_report_id":1,"url":2})"), 400, "url"},
    {Face::post_text("/v1/events/1/report", R"({"spark_report_id":1,"link":"x"})"), 400, "link"},
    {get("/v1/alerts"), 503, "alerts"},
};

class HttpMalformed : public ::testing::TestWithParam<const std::vector<Malformed>*> {};

TEST_P(HttpMalformed, GetsItsProblemAndChangesNothing) {
    Face face;
    for (const Malformed& one : *GetParam()) {
        Client client = face.connect();
        const Answer answer = face.ask(client, one.text);
        const std::string shown = one.text.substr(0, 200);
        EXPECT_EQ(answer.status, one.status) << shown << answer.body;
        EXPECT_EQ(answer.header("Content-Type"), "application/problem+json") << shown;
        EXPECT_TRUE(answer.has("\"type\":\"urn:tocsin:error:")) << shown;
        EXPECT_TRUE(answer.has("\"status\":" + std::to_string(one.status) + ",\"code\":\"")) << shown;
        EXPECT_TRUE(answer.has(one.named)) << shown << answer.body;
        EXPECT_EQ(answer.header("Cache-Control"), "no-store") << shown;
        EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff") << shown;
        json::Parser parser;
        EXPECT_TRUE(parser.object(answer.body, [](std::string_view, const Scalar&) {})) << answer.body;
    }
    EXPECT_TRUE(face.log.batches.empty()) << "nothing of it was submitted";
    EXPECT_TRUE(face.heartbeats.beats_seen.empty());
    EXPECT_TRUE(face.jobs.jobs.empty());
    EXPECT_EQ(face.get("/v1/status").status, 200U) << "and the face still serves";
}

INSTANTIATE_TEST_SUITE_P(Tables, HttpMalformed, ::testing::Values(&framing, &targets, &parameters, &bodies));

} // namespace
} // namespace tocsin::ipc::http
