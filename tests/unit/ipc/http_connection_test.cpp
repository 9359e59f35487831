// SPDX-License-Identifier: Apache-2.0
// One connection over a real socket pair: framing, order, bounds, deadlines, malformed requests.
#include "http_fakes.hpp"

namespace tocsin::ipc::http {
namespace {

using test::Answer;
using test::Client;
using test::Face;
using test::one_event;

const std::string get_status = "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(HttpConnection, AnswersAndKeepsAlive) {
    Face face;
    Client client = face.connect();
    for (int i = 0; i < 3; ++i) {
        const Answer answer = face.ask(client, get_status);
        EXPECT_EQ(answer.status, 200U);
        EXPECT_EQ(answer.header("Content-Type"), "application/json");
        EXPECT_EQ(answer.header("Date"), "Fri, 02 Jan 2026 03:00:04 GMT");
        EXPECT_EQ(answer.header("Connection"), "");
        EXPECT_TRUE(answer.has(R"("version":"1.2.3")"));
    }
    EXPECT_EQ(face.hub->connections(), 1U);
    client.close();
    EXPECT_TRUE(face.pump([&face] { return face.hub->connections() == 0; }));
}

TEST(HttpConnection, PipelinedRequestsAreAnsweredInOrder) {
    Face face;
    Client client = face.connect();
    std::string text;
    for (int i = 0; i < 50; ++i) {
        text += i % 2 == 0 ? Face::post_text("/v1/events", one_event)
                           : "GET /v1/events/" + std::to_string(i / 2 + 1) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }
    face.send_all(client, text);
    for (std::uint64_t i = 0; i < 50; ++i) {
        const Answer answer = face.receive(client);
        EXPECT_EQ(answer.status, i % 2 == 0 ? 201U : 200U);
        EXPECT_TRUE(answer.has("\"unique_index\":" + std::to_string(i / 2 + 1))) << answer.body;
    }
}

TEST(HttpConnection, OneByteAtATime) {
    Face face;
    Client client = face.connect();
    for (const char c : Face::post_text("/v1/events", one_event)) {
        face.send_all(client, std::string(1, c));
    }
    EXPECT_EQ(face.receive(client).status, 201U);
}

TEST(HttpConnection, ChunkedBodies) {
    Face face;
    Client client = face.connect();
    const std::string head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    face.send_all(client, head + "10\r\n" + one_event.substr(0, 16) + "\r\n");
    face.settle();
    char size[8];
    std::snprintf(size, sizeof size, "%zx", one_event.size() - 16);
    face.send_all(client, std::string(size) + ";ext=1\r\n" + one_event.substr(16) + "\r\n0\r\nX-Trailer: 1\r\n\r\n");
    EXPECT_EQ(face.receive(client).status, 201U);
    EXPECT_EQ(face.ask(client, get_status).status, 200U) << "and the connection goes on";
}

TEST(HttpConnection, ExpectContinueIsAnsweredBeforeTheBody) {
    Face face;
    Client client = face.connect();
    const std::string head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: " +
                             std::to_string(one_event.size()) + "\r\n\r\n";
    const Answer go_on = face.ask(client, head);
    EXPECT_EQ(go_on.status, 100U);
    EXPECT_EQ(face.ask(client, one_event).status, 201U);
    EXPECT_EQ(face.ask(client, head + one_event).status, 201U) << "no 100 when the body is there";
}

TEST(HttpConnection, ExpectContinueIsNotAnsweredWhenTheBodyIsNotWanted) {
    Face face;
    Client client = face.connect();
    const Answer answer = face.ask(client, "POST /v1/events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                           "Content-Type: text/plain\r\nContent-Length: 10\r\n\r\n");
    EXPECT_EQ(answer.status, 400U);
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_TRUE(face.closed(client));
}

TEST(HttpConnection, HeadHasNoBody) {
    Face face;
    Client client = face.connect();
    face.send_all(client, "HEAD /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
    const Answer answer = face.receive(client, true);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_NE(answer.header("Content-Length"), "0");
    EXPECT_EQ(face.ask(client, get_status).status, 200U);
    face.send_all(client, "HEAD /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(face.receive(client, true).status, 200U);
    EXPECT_TRUE(face.closed(client)) << "no stream follows";
    EXPECT_EQ(client.input, "");
}

TEST(HttpConnection, ClosesWhereTheClientWants) {
    Face face;
    Client one = face.connect();
    EXPECT_EQ(face.ask(one, "GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").header("Connection"),
              "close");
    EXPECT_TRUE(face.closed(one));
    Client old = face.connect();
    EXPECT_EQ(face.ask(old, "GET /v1/status HTTP/1.0\r\n\r\n").status, 200U) << "no Host in HTTP/1.0";
    EXPECT_TRUE(face.closed(old));
    Client kept = face.connect();
    EXPECT_EQ(face.ask(kept, "GET /v1/status HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("Connection"),
              "keep-alive");
    EXPECT_EQ(face.ask(kept, get_status).status, 200U);
}

TEST(HttpConnection, AHalfClosedClientGetsItsAnswer) {
    Face face;
    Client client = face.connect();
    face.send_all(client, Face::post_text("/v1/events", one_event));
    client.half_close();
    EXPECT_EQ(face.receive(client).status, 201U);
    EXPECT_TRUE(face.closed(client));
}

TEST(HttpConnection, ALargeAnswerReachesAClientThatReadsSlowly) {
    Face face;
    face.log.add("big", "{\"x\":\"" + std::string(3'000'000, 'y') + "\"}");
    Client client = face.connect();
    face.send_all(client, "GET /v1/events/1 HTTP/1.1\r\nHost: x\r\n\r\n");
    face.settle();
    const Answer answer = face.receive(client);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_GT(answer.body.size(), 3'000'000U);
}

// ---- bounds ----

TEST(HttpConnection, HeaderAndBodyBounds) {
    Limits limits = Face::fast();
    limits.header_bytes = 400;
    limits.batch_bytes = 300;
    limits.control_body_bytes = 100;
    Face face(limits);
    const auto status = [&face](const std::string& text) {
        Client client = face.connect();
        const Answer answer = face.ask(client, text);
        EXPECT_EQ(answer.header("Content-Type"),
                  answer.status == 413 ? "application/problem+json" : "application/json");
        EXPECT_EQ(answer.header("Retry-After"), "");
        return answer.status;
    };
    EXPECT_EQ(status("GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + std::string(400, 'x') + "\r\n\r\n"), 413U);
    EXPECT_EQ(status("GET /v1/status?" + std::string(500, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n"), 413U);
    EXPECT_EQ(status(Face::post_text("/v1/events", one_event + std::string(300, ' '))), 413U);
    EXPECT_EQ(status(Face::post_text("/v1/events", one_event + std::string(200, ' '))), 201U);
    EXPECT_EQ(status(Face::post_text("/v1/reload", std::string(101, ' '))), 413U);
    EXPECT_EQ(status(Face::post_text("/v1/reload", std::string(100, ' '))), 200U);
    const std::string chunked = "POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(status(chunked + "12d\r\n" + std::string(301, ' ') + "\r\n0\r\n\r\n"), 413U);
    EXPECT_EQ(face.manager.rejected, (std::vector<Code>(2, Code::limit_exceeded))) << "submissions alone are counted";
}

TEST(HttpConnection, AnEarlyAnswerReachesAClientThatIsStillSending) {
    Limits limits = Face::fast();
    limits.batch_bytes = 1'000;
    Face face(limits);
    Client client = face.connect();
    face.send_all(client, Face::post_text("/v1/events", std::string(8'000'000, ' ')));
    const Answer answer = face.receive(client);
    EXPECT_EQ(answer.status, 413U);
    EXPECT_TRUE(answer.has("LimitExceeded"));
    client.half_close();
    EXPECT_TRUE(face.closed(client));
}

TEST(HttpConnection, AllBodiesTogetherAreBounded) {
    Limits limits = Face::fast();
    limits.bodies_bytes = 100'000;
    Face face(limits);
    Client first = face.connect();
    const std::string body = one_event + std::string(90'000, ' ');
    const std::string text = Face::post_text("/v1/events", body);
    face.send_all(first, text.substr(0, text.size() - 1));
    EXPECT_TRUE(face.pump([&face] { return face.hub->application().bodies().left() < 20'000; }));
    const Answer answer = face.post("/v1/events", body);
    EXPECT_EQ(answer.status, 503U);
    EXPECT_EQ(answer.header("Retry-After"), "1");
    EXPECT_EQ(face.ask(first, " ").status, 201U);
    EXPECT_EQ(face.post("/v1/events", body).status, 201U) << "and it is given back";
}

TEST(HttpConnection, TooManyConnections) {
    Limits limits = Face::fast();
    limits.connections = 4;
    limits.connections_per_uid = 2;
    limits.refused_connections = 1;
    Face face(limits);
    std::vector<Client> clients;
    const auto connect = [&face, &clients](std::uint32_t uid) {
        const Admission admission = face.hub->admission(uid);
        if (admission != Admission::dropped) {
            clients.push_back(face.connect_as(Face::peer(uid, {50}), admission));
        }
        return admission;
    };
    EXPECT_EQ(connect(1), Admission::served);
    EXPECT_EQ(connect(1), Admission::served);
    EXPECT_EQ(connect(1), Admission::refused);
    EXPECT_EQ(connect(1), Admission::dropped);
    EXPECT_EQ(connect(2), Admission::served);
    const Answer answer = face.ask(clients[2], get_status);
    EXPECT_EQ(answer.status, 429U);
    EXPECT_EQ(answer.header("Retry-After"), "1");
    EXPECT_TRUE(face.closed(clients[2]));
    EXPECT_EQ(face.ask(clients[0], get_status).status, 200U);
    EXPECT_TRUE(face.pump([&face] { return face.hub->connections() == 3; }));
    EXPECT_EQ(connect(3), Admission::served);
    EXPECT_EQ(connect(4), Admission::refused) << "over all users, too";
    EXPECT_EQ(connect(5), Admission::dropped);
}

// ---- deadlines, by a clock that the test sets ----

TEST(HttpConnection, DeadlinesCloseTheConnection) {
    struct Case {
        std::string_view what;
        std::string sent;
        std::int64_t after_us;
        bool answered;
    };
    const Limits limits = Face::fast();
    const std::string half = Face::post_text("/v1/events", one_event);
    const std::vector<Case> cases = {
        {"nothing sent", "", limits.header_us, false},
        {"half a header", "GET /v1/status HTTP/1.1\r\nHo", limits.header_us, false},
        {"half a body", half.substr(0, half.size() - 3), limits.body_us, false},
        {"idle after an answer", get_status, limits.idle_us, true},
    };
    for (const Case& one : cases) {
        Face face(limits);
        Client client = face.connect();
        face.send_all(client, one.sent);
        if (one.answered) {
            EXPECT_EQ(face.receive(client).status, 200U) << one.what;
        }
        face.settle();
        face.clock.boot += one.after_us - 1'000'000;
        for (int i = 0; i < 5; ++i) {
            face.io.restart();
            face.io.run_one_for(std::chrono::milliseconds(5));
        }
        client.receive();
        EXPECT_FALSE(client.ended) << one.what;
        face.clock.boot += 2'000'000;
        EXPECT_TRUE(face.closed(client)) << one.what;
        EXPECT_EQ(client.input, "") << one.what;
        EXPECT_TRUE(face.log.batches.empty());
    }
}

TEST(HttpConnection, AClientThatDoesNotReadIsDropped) {
    Face face;
    face.log.add("big", "{\"x\":\"" + std::string(3'000'000, 'y') + "\"}");
    Client client = face.connect();
    face.send_all(client, "");
    EXPECT_GT(client.send("GET /v1/events/1 HTTP/1.1\r\nHost: x\r\n\r\n"), 0U);
    face.settle();
    EXPECT_EQ(face.hub->connections(), 1U);
    face.clock.boot += face.hub->limits().write_us + 1;
    EXPECT_TRUE(face.pump([&face] { return face.hub->connections() == 0; }));
}

TEST(HttpConnection, AHandlerThatForgetsItsAnswerIsUnavailable) {
    Face face;
    face.jobs.drop_next = true;
    const Answer answer = face.post("/v1/events/1/report", R"({"spark_report_id":3})");
    EXPECT_EQ(answer.status, 503U);
    EXPECT_TRUE(answer.has("could not answer"));
}

// ---- stop ----

TEST(HttpConnection, StopLetsAnswersInFlightFinish) {
    Face face;
    face.log.hold = true;
    Client idle = face.connect();
    EXPECT_EQ(face.ask(idle, get_status).status, 200U);
    Client stream = face.connect();
    EXPECT_EQ(face.ask(stream, "GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n").status, 200U);
    Client busy = face.connect();
    face.send_all(busy, Face::post_text("/v1/events", one_event));
    EXPECT_TRUE(face.pump([&face] { return face.log.held.size() == 1; }));
    bool done = false;
    face.hub->stop([&done] { done = true; });
    EXPECT_TRUE(face.closed(idle));
    EXPECT_TRUE(face.closed(stream));
    EXPECT_FALSE(done);
    face.log.release();
    const Answer answer = face.receive(busy);
    EXPECT_EQ(answer.status, 201U);
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_TRUE(face.pump([&done] { return done; }));
}

TEST(HttpConnection, StopEndsAfterItsTimeWhateverIsOpen) {
    Limits limits = Face::fast();
    limits.stop_us = 20'000;
    Face face(limits);
    face.log.hold = true;
    Client busy = face.connect();
    face.send_all(busy, Face::post_text("/v1/events", one_event));
    EXPECT_TRUE(face.pump([&face] { return face.log.held.size() == 1; }));
    bool done = false;
    face.hub->stop([&done] { done = true; });
    face.clock.boot += 20'000;
    EXPECT_TRUE(face.pump([&done] { return done; }));
    face.log.release();
    EXPECT_TRUE(face.closed(busy));
}

// ---- malformed requests ----

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

const std::vector<Malformed>& malformed() {
    static const std::vector<Malformed> table = {
        // framing
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
        {"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
         "request"},
        {"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400,
         "Transfer-Encoding"},
        {"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 400, "Transfer-Encoding"},
        {"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "request"},
        {"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n", 400,
         "request"},
        {"POST /v1/events HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 2\r\n\r\n{}", 400, "Expect"},
        {"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\n", 413, "body"},
        {"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", 413, "body"},
        {"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + std::string(17'000, 'x') + "\r\n\r\n", 413, "header"},
        // target and method
        {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400, "target"},
        {get("v1/status"), 400, "target"},
        {get("/v1/%zz"), 400, "path"},
        {get("/v1/status?a=%"), 400, "query"},
        {get("/v1/heartbeats/%00"), 400, "path"},
        {get("/nowhere"), 404, "/nowhere"},
        {"BREW /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 405, "GET, HEAD"},
        {"DELETE /v1/events/1 HTTP/1.1\r\nHost: x\r\n\r\n", 405, "GET, HEAD"},
        // parameters
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
        {get("/v1/heartbeats?limit=-1"), 400, "limit"},
        {get("/v1/heartbeats?stat=up"), 400, "stat"},
        {get("/v1/heartbeats/a?interval=often"), 400, "interval"},
        {get("/v1/heartbeats/a?interval=1ms"), 400, "interval"},
        {get("/v1/heartbeats/a?scid=x"), 400, "scid"},
        {get("/v1/heartbeats/a?scid=1&scid=1"), 400, "scid"},
        {get("/v1/heartbeats/a?schedule=@daily"), 503, "schedule"},
        {get("/v1/heartbeats/a%07"), 400, "source"},
        {Face::post_text("/v1/heartbeats/a/pause?scid=x", ""), 400, "scid"},
        {Face::post_text("/v1/heartbeats/none/pause", ""), 404, "none"},
        {Face::post_text("/v1/heartbeats/a", "[]"), 400, "object"},
        {Face::post_text("/v1/heartbeats/a", R"({"state":"fail"})"), 400, "state"},
        {Face::post_text("/v1/heartbeats/a?run=1", R"({"run":"2"})"), 400, "run"},
        {get("/v1/jobs/x/output"), 400, "id"},
        {get("/v1/jobs/7/output"), 404, "7"},
        {Face::post_text("/v1/jobs/7/cancel", ""), 404, "7"},
        // bodies
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
    return table;
}

TEST(HttpConnection, MalformedRequestsGetTheirProblem) {
    Face face;
    for (const Malformed& one : malformed()) {
        Client client = face.connect();
        const Answer answer = face.ask(client, one.text);
        const std::string shown = one.text.substr(0, 200);
        EXPECT_EQ(answer.status, one.status) << shown << answer.body;
        EXPECT_EQ(answer.header("Content-Type"), "application/problem+json") << shown;
        EXPECT_TRUE(answer.has("\"type\":\"urn:tocsin:error:")) << shown;
        EXPECT_TRUE(answer.has("\"status\":" + std::to_string(one.status) + ",\"code\":\"")) << shown;
        EXPECT_TRUE(answer.has(one.named)) << shown << answer.body;
        json::Parser parser;
        EXPECT_TRUE(parser.object(answer.body, [](std::string_view, const Scalar&) {})) << answer.body;
    }
    EXPECT_TRUE(face.log.batches.empty()) << "nothing of it was submitted";
    EXPECT_TRUE(face.heartbeats.beats_seen.empty());
    EXPECT_TRUE(face.jobs.jobs.empty());
    EXPECT_EQ(face.get("/v1/status").status, 200U) << "and the face still serves";
}

} // namespace
} // namespace tocsin::ipc::http
