// SPDX-License-Identifier: Apache-2.0
// Events in: one, an array, NDJSON in chunks and its failures midway; events out: pages as JSON, NDJSON, CSV.
#include "http_face.hpp"

namespace tocsin::ipc::http {
namespace {

using test::Answer;
using test::Client;
using test::Face;
using test::one_event;

constexpr std::string_view ndjson = "application/x-ndjson";

std::string line(std::size_t number, std::string_view more = "") {
    return R"({"event_name":"n)" + std::to_string(number) + R"(","event_src":"test")" + std::string(more) + "}\n";
}

std::string lines(std::size_t count, std::size_t from = 0) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += line(from + i);
    }
    return text;
}

Limits small_chunks() {
    Limits limits = Face::fast();
    limits.chunk_lines = 10;
    return limits;
}

// ---- one, and arrays ----

TEST(HttpEvents, WhoSubmitsTooMuchIsToldWhenToComeBackBeforeHisBodyIsRead) {
    Face face;
    face.log.excess =
        Error{.code = Code::limit_exceeded, .context = "submit", .object = "rate", .reason = "r", .retry_after_s = 7};
    for (const char* type : {"application/json", "application/x-ndjson"}) {
        Client client = face.connect();
        const Answer answer =
            face.ask(client, std::string("POST /v1/events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n") +
                                 "Content-Type: " + type + "\r\nContent-Length: 1000\r\n\r\n");
        EXPECT_EQ(answer.status, 429U);
        EXPECT_EQ(answer.header("Retry-After"), "7");
    }
    EXPECT_TRUE(face.log.batches.empty());
    EXPECT_EQ(face.manager.rejected, (std::vector<Code>(2, Code::limit_exceeded)));
    EXPECT_EQ(face.get("/v1/events").status, 200U) << "reading has nothing to do with it";
    face.log.unwanted = getuid() + 1;
    EXPECT_EQ(face.post("/v1/events", one_event).status, 201U);
}

TEST(HttpNdjson, ChunksAreAsLongAsTheIntakeWants) {
    Face face(small_chunks());
    face.log.chunk = 4;
    EXPECT_EQ(face.post("/v1/events", lines(10), ndjson).status, 201U);
    EXPECT_EQ(face.log.batches, (std::vector<std::size_t>{4, 4, 2}));
    face.log.chunk = 1'000;
    EXPECT_EQ(face.post("/v1/events", lines(12), ndjson).status, 201U);
    EXPECT_EQ(face.log.batches, (std::vector<std::size_t>{4, 4, 2, 10, 2})) << "but no longer than a chunk may be";
}

TEST(HttpEvents, OneEvent) {
    Face face;
    const Answer answer = face.post("/v1/events", one_event);
    EXPECT_EQ(answer.status, 201U);
    EXPECT_EQ(answer.body, R"({"unique_index":1})");
    ASSERT_EQ(face.log.events.size(), 1U);
    const Event& event = face.log.events.front();
    EXPECT_EQ(event.event_name, "door.opened");
    EXPECT_EQ(event.origin.transport, "http");
    EXPECT_EQ(event.origin.uid, ::getuid());
    EXPECT_EQ(event.event_time_us, face.clock.wall);
}

TEST(HttpEvents, TheContentTypeMayBeMissingOrDetailed) {
    Face face;
    Client client = face.connect();
    const std::string length = "Content-Length: " + std::to_string(one_event.size()) + "\r\n\r\n" + one_event;
    const std::string head = "POST /v1/events/ HTTP/1.1\r\nHost: x\r\n";
    EXPECT_EQ(face.ask(client, head + length).status, 201U);
    EXPECT_EQ(face.ask(client, head + "Content-Type: Application/JSON; charset=UTF-8\r\n" + length).status, 201U);
    EXPECT_EQ(face.ask(client, head + "Content-Encoding: identity\r\n" + length).status, 201U);
}

TEST(HttpEvents, AKnownKeyIsADuplicate) {
    Face face;
    const std::string body = R"({"event_name":"x","event_src":"s","idempotency_key":"k"})";
    EXPECT_EQ(face.post("/v1/events", body).status, 201U);
    const Answer again = face.post("/v1/events", body);
    EXPECT_EQ(again.status, 200U);
    EXPECT_EQ(again.body, R"({"unique_index":1,"duplicate":true})");
}

TEST(HttpEvents, ABeatHasIndexZero) {
    Face face;
    EXPECT_EQ(face.post("/v1/events", R"({"event_name":"Heartbeat","event_src":"s"})").body, R"({"unique_index":0})");
}

TEST(HttpEvents, AnArrayIsOneBatch) {
    Face face;
    const Answer answer = face.post("/v1/events", "[" + one_event + "," + one_event + "]");
    EXPECT_EQ(answer.status, 201U);
    EXPECT_EQ(answer.body, R"({"count":2,"unique_indexes":[1,2]})");
    EXPECT_EQ(face.log.batches, (std::vector<std::size_t>{2}));
    EXPECT_EQ(face.post("/v1/events", "[]").status, 400U) << "an empty batch is a mistake of the sender";
}

TEST(HttpEvents, ABadArrayNamesEachBadEvent) {
    Face face;
    const Answer answer = face.post(
        "/v1/events", "[" + one_event + R"(,{"event_name":"x"},{"event_name":"y","event_src":"s","count":0}])");
    EXPECT_EQ(answer.status, 422U);
    EXPECT_TRUE(answer.has(R"({"index":1,"field":"event_src")")) << answer.body;
    EXPECT_TRUE(answer.has(R"({"index":2,"field":"count")")) << answer.body;
    EXPECT_FALSE(answer.has("accepted"));
    EXPECT_TRUE(face.log.batches.empty());
    EXPECT_EQ(face.manager.rejected, (std::vector<Code>{Code::invalid_event}));
}

TEST(HttpEvents, RefusalsOfTheIntakeKeepTheirCode) {
    struct Case {
        Code code;
        unsigned status;
        std::string retry_after;
    };
    for (const Case& one : {Case{Code::storage_full, 507, ""}, Case{Code::unavailable, 503, "1"},
                            Case{Code::limit_exceeded, 429, "1"}, Case{Code::conflict, 409, ""}}) {
        Face face;
        face.log.refuse_batch = 1;
        face.log.refusal = {.code = one.code, .context = "submit", .object = {}, .reason = "because"};
        const Answer answer = face.post("/v1/events", one_event);
        EXPECT_EQ(answer.status, one.status);
        EXPECT_EQ(answer.header("Retry-After"), one.retry_after);
        EXPECT_EQ(face.manager.rejected, (std::vector<Code>{one.code}));
    }
}

TEST(HttpEvents, AMemberMaySubmitAStrangerMayNot) {
    Face face;
    Client member = face.member();
    EXPECT_EQ(face.ask(member, Face::post_text("/v1/events", one_event)).status, 201U);
    EXPECT_EQ(face.ask(member, Face::post_text("/v1/events/1/jobs", R"({"script":"a"})")).status, 403U);
    Client stranger = face.stranger();
    const Answer answer = face.ask(stranger, Face::post_text("/v1/events", one_event));
    EXPECT_EQ(answer.status, 403U);
    EXPECT_TRUE(answer.has("NotAuthorized"));
    EXPECT_EQ(face.log.events.size(), 1U);
    EXPECT_EQ(face.manager.rejected, (std::vector<Code>{Code::not_authorized}));
}

// ---- NDJSON ----

TEST(HttpNdjson, GoesInChunks) {
    Face face(small_chunks());
    const Answer answer = face.post("/v1/events", lines(25), ndjson);
    EXPECT_EQ(answer.status, 201U);
    EXPECT_EQ(answer.body, R"({"count":25,"first":1,"last":25,"duplicates":0})");
    EXPECT_EQ(face.log.batches, (std::vector<std::size_t>{10, 10, 5}));
    EXPECT_EQ(face.log.events.back().event_name, "n24");
    EXPECT_EQ(face.log.events.back().origin.transport, "http");
}

TEST(HttpNdjson, ChunksAreBoundedByBytesToo) {
    Limits limits = Face::fast();
    limits.chunk_bytes = 3 * line(0).size();
    Face face(limits);
    EXPECT_EQ(face.post("/v1/events", lines(7), ndjson).status, 201U);
    EXPECT_EQ(face.log.batches, (std::vector<std::size_t>{3, 3, 1}));
}

TEST(HttpNdjson, LineEndsBlankLinesAndNoNewlineAtTheEnd) {
    Face face;
    std::string text = "\n  \r\n" + line(0) + "\r\n" + line(1);
    text.insert(text.size() - 1, "\r");
    text += line(2);
    text.pop_back();
    const Answer answer = face.post("/v1/events", text, ndjson);
    EXPECT_EQ(answer.body, R"({"count":3,"first":1,"last":3,"duplicates":0})");
    EXPECT_EQ(face.post("/v1/events", "", ndjson).body, R"({"count":0,"first":0,"last":0,"duplicates":0})");
}

TEST(HttpNdjson, AnyCutOfTheBodyGivesTheSame) {
    const std::string text = lines(23);
    for (const std::size_t cut : {1U, 7U, 64U, 500U}) {
        Face face(small_chunks());
        Client client = face.connect();
        face.send_all(client, "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n");
        for (std::size_t at = 0; at < text.size(); at += cut) {
            const std::string piece = text.substr(at, cut);
            std::array<char, 16> size{};
            const auto end = std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16).ptr;
            face.send_all(client, std::string(size.data(), end) + "\r\n" + piece + "\r\n");
        }
        const Answer answer = face.ask(client, "0\r\n\r\n");
        EXPECT_EQ(answer.body, R"({"count":23,"first":1,"last":23,"duplicates":0})") << cut;
        EXPECT_EQ(face.log.batches, (std::vector<std::size_t>{10, 10, 3})) << cut;
    }
}

TEST(HttpNdjson, TheFirstBadLineEndsItAndEarlierChunksStay) {
    Face face(small_chunks());
    const std::string text = lines(24) + "{\"event_name\":\"x\",\"event_src\":\"s\",\"count\":0}\n" + lines(10);
    const Answer answer = face.post("/v1/events", text, ndjson);
    EXPECT_EQ(answer.status, 422U);
    EXPECT_TRUE(answer.has(R"("accepted":20,"first":1,"last":20})")) << answer.body;
    EXPECT_TRUE(answer.has(R"("errors":[{"index":24,"field":"count")")) << answer.body;
    EXPECT_EQ(face.log.events.size(), 20U);
    EXPECT_EQ(face.log.batches, (std::vector<std::size_t>{10, 10}));
    EXPECT_EQ(face.manager.rejected.size(), 1U);
}

TEST(HttpNdjson, AcceptedCountsLinesBlankOnesToo) {
    Face face(small_chunks());
    const std::string text = "\n\n" + lines(10) + "\n" + line(10) + "{\n";
    const Answer answer = face.post("/v1/events", text, ndjson);
    EXPECT_EQ(answer.status, 400U) << "unreadable JSON";
    EXPECT_TRUE(answer.has(R"("accepted":13,"first":1,"last":10})")) << answer.body;
    const Answer first = face.post("/v1/events", "nonsense\n", ndjson);
    EXPECT_TRUE(first.has(R"("accepted":0})")) << first.body;
}

TEST(HttpNdjson, ARefusalMidwayTellsHowFarItCame) {
    Face face(small_chunks());
    face.log.refuse_batch = 2;
    face.log.refusal.fields = {{.index = 3, .field = "idempotency_key", .reason = "known with other content"}};
    const Answer answer = face.post("/v1/events", lines(30), ndjson);
    EXPECT_EQ(answer.status, 507U);
    EXPECT_TRUE(answer.has(R"("errors":[{"index":13,)")) << "a line of the body, not of the chunk: " << answer.body;
    EXPECT_TRUE(answer.has(R"("accepted":10,"first":1,"last":10})")) << answer.body;
    EXPECT_EQ(face.log.batches, (std::vector<std::size_t>{10, 10})) << "nothing more is tried";
}

TEST(HttpNdjson, OneChunkIsReadWhileAnotherIsBeingKept) {
    Face face(small_chunks());
    face.log.hold = true;
    Client client = face.connect();
    const std::string body = lines(400'000);
    std::string_view text = body;
    face.send_all(client,
                  "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: " +
                      std::to_string(body.size()) + "\r\n\r\n");
    for (int i = 0; i < 20; ++i) {
        text.remove_prefix(client.send(text));
        face.settle();
    }
    EXPECT_EQ(face.log.batches, (std::vector<std::size_t>{10}));
    EXPECT_GT(text.size(), body.size() - 2'000'000) << "the socket is full, and the rest waits with the sender";
    client.close();
    face.log.hold = false;
    face.log.release();
    EXPECT_TRUE(face.pump([&face] { return face.hub->connections() == 0; }));
    EXPECT_EQ(face.hub->application().bodies().left(), face.hub->limits().bodies_bytes);
}

TEST(HttpNdjson, ABadLineIsToldWhenTheChunkBeforeItIsKept) {
    for (const bool kept : {true, false}) {
        Face face(small_chunks());
        face.log.hold = true;
        face.log.refuse_batch = kept ? 0 : 1;
        Client client = face.connect();
        face.send_all(client, Face::post_text("/v1/events", lines(14) + "nonsense\n" + lines(3), ndjson));
        face.settle();
        client.receive();
        EXPECT_EQ(client.input.empty(), kept) << "what becomes of the first ten is to be known before";
        face.log.hold = false;
        face.log.release();
        const Answer answer = face.ask(client, "");
        EXPECT_EQ(answer.status, kept ? 400U : 507U) << answer.body;
        EXPECT_TRUE(answer.has(kept ? R"("accepted":10,"first":1,"last":10})" : R"("accepted":0})")) << answer.body;
        EXPECT_EQ(face.log.batches, (std::vector<std::size_t>{10}));
    }
}

TEST(HttpNdjson, ALineOverItsSizeIsAnInvalidEvent) {
    Limits limits = small_chunks();
    limits.line_bytes = 1'000;
    for (const std::string_view end : {"\n", ""}) {
        Face face(limits);
        const Answer answer = face.post("/v1/events", lines(12) + std::string(1'001, 'x') + std::string(end), ndjson);
        EXPECT_EQ(answer.status, 422U);
        EXPECT_TRUE(answer.has(R"("errors":[{"index":12,)")) << answer.body;
        EXPECT_TRUE(answer.has(R"("accepted":10,)")) << answer.body;
    }
}

TEST(HttpNdjson, BeatsAndDuplicatesCount) {
    Face face;
    EXPECT_EQ(face.post("/v1/events", line(0, R"(,"idempotency_key":"a")"), ndjson).status, 201U);
    const std::string text = line(0, R"(,"idempotency_key":"a")") + line(1) +
                             R"({"event_name":"heartbeat","event_src":"s"})"
                             "\n" +
                             line(2);
    EXPECT_EQ(face.post("/v1/events", text, ndjson).body, R"({"count":4,"first":2,"last":3,"duplicates":1})");
    EXPECT_EQ(face.post("/v1/events", line(0, R"(,"idempotency_key":"a")"), ndjson).body,
              R"({"count":1,"first":1,"last":1,"duplicates":1})");
}

TEST(HttpNdjson, ABrokenChunkIsAnsweredWithWhatWasKept) {
    Face face(small_chunks());
    Client client = face.connect();
    const std::string text = lines(10);
    std::array<char, 16> size{};
    const auto end = std::to_chars(size.data(), size.data() + size.size(), text.size(), 16).ptr;
    const Answer answer =
        face.ask(client, "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n" +
                             std::string(size.data(), end) + "\r\n" + text + "\r\nzz\r\n");
    EXPECT_EQ(answer.status, 400U);
    EXPECT_TRUE(answer.has("\"accepted\":")) << answer.body;
}

TEST(HttpNdjson, ASenderThatLeavesKeepsOnlyWholeChunks) {
    Face face(small_chunks());
    Client client = face.connect();
    const std::string body = lines(15);
    face.send_all(client, "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
                          "Content-Length: 100000\r\n\r\n" +
                              body);
    EXPECT_TRUE(face.pump([&face] { return face.log.events.size() == 10; }));
    client.close();
    EXPECT_TRUE(face.pump([&face] { return face.hub->connections() == 0; }));
    EXPECT_EQ(face.log.events.size(), 10U);
}

// ---- pages ----

TEST(HttpEvents, PagesAsJson) {
    Face face;
    for (int i = 0; i < 5; ++i) {
        face.log.add("e" + std::to_string(i));
    }
    const Answer first = face.get("/v1/events?limit=2&event_src=test");
    EXPECT_EQ(first.status, 200U);
    EXPECT_TRUE(first.body.starts_with(R"({"items":[{"unique_index":1,)")) << first.body;
    EXPECT_TRUE(first.body.ends_with(R"(],"next":"2"})")) << first.body;
    EXPECT_EQ(first.header("Link"), R"(</v1/events?limit=2&event_src=test&cursor=2>; rel="next")");
    const Answer last = face.get("/v1/events?limit=2&event_src=test&cursor=4");
    EXPECT_FALSE(last.has("\"next\""));
    EXPECT_EQ(last.header("Link"), "");
    EXPECT_EQ(face.get("/v1/events").status, 200U);
    EXPECT_EQ(face.log.last_limit, 100U);
    EXPECT_EQ(face.get("/v1/events?event_name=none").body, R"({"items":[]})");
    EXPECT_EQ(face.get("/v1/events?event_name=e1&event_name=e2&where=scid==0").body.find("e3"), std::string::npos);
}

TEST(HttpEvents, TheLinkOfAPageLeadsToTheNext) {
    Face face;
    for (int i = 0; i < 4; ++i) {
        face.log.add("a b/&" + std::to_string(i));
    }
    std::string target = "/v1/events?limit=1&where=event_name+glob+%22a%20b/%26*%22";
    std::size_t pages = 0;
    std::string seen;
    while (!target.empty() && pages < 10) {
        const Answer answer = face.get(target, "Accept: application/x-ndjson\r\n");
        EXPECT_EQ(answer.status, 200U);
        seen += answer.body;
        const std::string link = answer.header("Link");
        target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
        ++pages;
    }
    EXPECT_EQ(pages, 4U);
    EXPECT_EQ(std::ranges::count(seen, '\n'), 4);
}

TEST(HttpEvents, AcceptChoosesTheFormat) {
    struct Case {
        std::string_view accept;
        std::string_view type;
    };
    Face face;
    face.log.add("x");
    for (const Case& one :
         {Case{"", "application/json"}, Case{"*/*", "application/json"},
          Case{"application/x-ndjson", "application/x-ndjson"}, Case{"text/csv", "text/csv"},
          Case{"text/html, application/xhtml+xml, */*;q=0.8", "application/json"},
          Case{"text/csv;q=0.5, application/json", "application/json"},
          Case{"application/json;q=0.1, application/x-ndjson;q=0.9", "application/x-ndjson"},
          Case{"application/json;q=0, text/csv", "text/csv"}, Case{"image/png", "application/json"}}) {
        const std::string header = one.accept.empty() ? "" : "Accept: " + std::string(one.accept) + "\r\n";
        const Answer answer = face.get("/v1/events", header);
        EXPECT_TRUE(answer.header("Content-Type").starts_with(one.type)) << one.accept;
    }
}

TEST(HttpEvents, CsvHasTheDocumentedColumns) {
    Face face;
    face.log.add("a,b", R"({"k":"v"})");
    const Answer answer = face.get("/v1/events", "Accept: text/csv\r\n");
    const std::size_t end = answer.body.find("\r\n");
    const std::string header = answer.body.substr(0, end);
    EXPECT_EQ(header,
              "unique_index,scid,event_time,event_rule_id,event_name,event_rule,event_src,spark_script,spark_report_id,"
              "gem_full_path,spark_report_url,count,severity,event_type,event_id,description,summary,environment,"
              "payload,idempotency_key,received_time,cause,cause_depth,host,host_index,origin");
    EXPECT_TRUE(answer.body.substr(end + 2).starts_with(
        R"(1,0,2026-01-02T03:00:04.000000Z,,"a,b",,test,,,,,1,info,standard,,,"a,b from test",,"{""k"":""v""}",)"))
        << answer.body;
    EXPECT_TRUE(answer.body.ends_with("\r\n"));
}

TEST(HttpEvents, OneByIndex) {
    Face face;
    face.log.add("x");
    const Answer answer = face.get("/v1/events/1");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(answer.body.starts_with(R"({"unique_index":1,)"));
    EXPECT_EQ(face.get("/v1/events/2").status, 404U);
}

} // namespace
} // namespace tocsin::ipc::http
