// SPDX-License-Identifier: Apache-2.0
// One connection over a real socket pair: framing, order, bounds, deadlines, the stop.
#include "http_face.hpp"

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

TEST(HttpConnection, OptionsHasNoBodyAndTheConnectionGoesOn) {
    Face face;
    Client client = face.connect();
    face.send_all(client,
                  "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\nOPTIONS /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + get_status);
    const Answer all = face.receive(client);
    EXPECT_EQ(all.status, 204U);
    EXPECT_EQ(all.header("Content-Length"), "") << "which a 204 must not have";
    EXPECT_EQ(all.header("Content-Type"), "");
    EXPECT_EQ(face.receive(client).header("Allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(face.receive(client).status, 200U);
}

TEST(HttpConnection, NothingIsKeptOrGuessedAt) {
    Face face;
    for (const std::string_view target : {"/v1/status", "/metrics", "/v1/events", "/v1/jobs/1/output", "/nowhere"}) {
        const Answer answer = face.get(target);
        EXPECT_EQ(answer.header("Cache-Control"), "no-store") << target;
        EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff") << target;
    }
}

TEST(HttpConnection, AStreamIsNoConnectionInTheSenseOfItsBounds) {
    Limits limits = Face::fast();
    limits.connections = 2;
    limits.connections_per_uid = 2;
    limits.streams = 5;
    limits.streams_per_uid = 4;
    Face face(limits);
    const std::string follow = "GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n";
    const auto open = [&face, &follow](std::uint32_t uid) {
        EXPECT_EQ(face.hub->admission(uid), Admission::served);
        Client client = face.connect_as(Face::peer(uid, {50}), Admission::served);
        const Answer answer = face.ask(client, follow);
        return std::pair(std::move(client), answer);
    };
    std::vector<Client> streams;
    for (int i = 0; i < 4; ++i) {
        auto [client, answer] = open(1);
        EXPECT_EQ(answer.status, 200U);
        streams.push_back(std::move(client));
    }
    auto [fifth, of_user] = open(1);
    EXPECT_EQ(of_user.status, 429U) << "for each user";
    EXPECT_EQ(of_user.header("Retry-After"), "1");
    EXPECT_EQ(face.ask(fifth, get_status).status, 200U) << "and the connection is as good as before";
    auto [other, first] = open(2);
    EXPECT_EQ(first.status, 200U);
    auto [another, of_all] = open(2);
    EXPECT_EQ(of_all.status, 429U) << "for all";
    EXPECT_EQ(face.hub->streams(), 5U);
    streams.pop_back();
    EXPECT_TRUE(face.pump([&face] { return face.hub->streams() == 4; }));
    EXPECT_EQ(face.ask(another, follow).status, 200U);
    EXPECT_TRUE(face.pump([&face] { return face.hub->streams() == 5; }));
    EXPECT_EQ(face.hub->connections(), 6U);
    EXPECT_EQ(face.ask(fifth, get_status).status, 200U);
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

} // namespace
} // namespace tocsin::ipc::http
