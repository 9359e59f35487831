// SPDX-License-Identifier: Apache-2.0
// Packed answers, and answers that need not be sent again.
#include "http_face.hpp"
#include "ipc/http/gzip.hpp"

#include <zlib.h>

#include <random>

namespace tocsin::ipc::http {
namespace {

using test::Answer;
using test::Client;
using test::Face;

constexpr std::string_view packed_please = "Accept-Encoding: deflate, gzip, br\r\n";

// By zlib, which checks the sum at the end.
std::string unpacked(std::string_view bytes) {
    std::string out(bytes.size() * 1'100 + 1'000, '\0');
    z_stream stream{};
    EXPECT_EQ(::inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
    EXPECT_EQ(stream.avail_in, 0U);
    out.resize(stream.total_out);
    ::inflateEnd(&stream);
    return out;
}

std::string noise(std::size_t size) {
    std::mt19937 random(7);
    std::string out(size, '\0');
    std::ranges::generate(out, [&random] { return static_cast<char>(random()); });
    return out;
}

void fill(Face& face, std::size_t events) {
    for (std::size_t i = 0; i < events; ++i) {
        face.log.add("event-" + std::to_string(i), R"({"text":")" + std::string(200, 'x') + R"("})");
    }
}

TEST(HttpGzip, WhatIsPackedComesBack) {
    const std::string mixed = noise(10'000) + std::string(100'000, ' ') + noise(3'000);
    for (const std::string& text : {std::string(200, 'a'), std::string(5'000'000, 'b'), mixed}) {
        const auto packed = gzip(text);
        ASSERT_TRUE(packed);
        EXPECT_LT(packed->size(), text.size());
        EXPECT_EQ(unpacked(*packed), text);
    }
}

TEST(HttpGzip, WhatWouldNotBecomeSmallerIsNot) {
    EXPECT_FALSE(gzip(""));
    EXPECT_FALSE(gzip("ab"));
    EXPECT_FALSE(gzip(noise(100'000)));
}

TEST(HttpGzip, PagesArePackedForWhoAsks) {
    for (const std::size_t events : {10U, 1'000U}) { // on the spot, and by the thread
        Face face;
        fill(face, events);
        for (const std::string_view accept : {"application/json", "application/x-ndjson", "text/csv"}) {
            const std::string headers = "Accept: " + std::string(accept) + "\r\n";
            const Answer plain = face.get("/v1/events?limit=10000", headers);
            const Answer packed = face.get("/v1/events?limit=10000", headers + std::string(packed_please));
            EXPECT_EQ(plain.header("Content-Encoding"), "");
            EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
            EXPECT_EQ(packed.header("Content-Type"), plain.header("Content-Type"));
            EXPECT_EQ(plain.header("Vary"), "Accept, Accept-Encoding");
            EXPECT_EQ(packed.header("Vary"), "Accept, Accept-Encoding");
            EXPECT_LT(packed.body.size(), plain.body.size() / 4);
            EXPECT_EQ(unpacked(packed.body), plain.body);
        }
        EXPECT_EQ(face.hub->packer().waiting(), 0U);
    }
}

TEST(HttpGzip, HeadHasTheSameHeaders) {
    Face face;
    fill(face, 10);
    const Answer get = face.get("/v1/events", packed_please);
    Client client = face.connect();
    face.send_all(client, "HEAD /v1/events HTTP/1.1\r\nHost: x\r\n" + std::string(packed_please) + "\r\n");
    const Answer head = face.receive(client, true);
    EXPECT_EQ(head.head, get.head);
}

TEST(HttpGzip, SmallAnswersAndPicturesAreNot) {
    Face face;
    for (const std::string_view target : {"/v1/status", "/v1/events/99", "/v1/statistics/histogram/x/20260102.png"}) {
        EXPECT_EQ(face.get(target, packed_please).header("Content-Encoding"), "") << target;
    }
    EXPECT_EQ(face.get("/v1/openapi.json", packed_please).header("Content-Encoding"), "gzip");
    EXPECT_EQ(face.get("/v1/openapi.json").header("Vary"), "Accept-Encoding");
    EXPECT_EQ(
        face.get("/v1/openapi.json", "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n").header("Content-Encoding"),
        "gzip")
        << "several headers are one list";
}

TEST(HttpGzip, AStreamIsNeverPacked) {
    Face face;
    Client client = face.connect();
    face.send_all(client, "GET /v1/stream HTTP/1.1\r\nHost: x\r\n" + std::string(packed_please) + "\r\n");
    EXPECT_TRUE(face.pump([&client] {
        client.receive();
        return client.input.find("retry: 2000\n") != std::string::npos;
    }));
    EXPECT_EQ(client.input.find("gzip"), std::string::npos);
}

TEST(HttpGzip, OneAfterTheOtherOnAConnectionStaysInOrder) {
    Face face;
    fill(face, 500);
    Client client = face.connect();
    const std::string get = "GET /v1/events?limit=10000 HTTP/1.1\r\nHost: x\r\n" + std::string(packed_please) + "\r\n";
    face.send_all(client, get + "GET /v1/events/7 HTTP/1.1\r\nHost: x\r\n\r\n" + get);
    const Answer first = face.receive(client);
    EXPECT_TRUE(face.receive(client).has("\"unique_index\":7,"));
    EXPECT_EQ(face.receive(client).body, first.body);
}

TEST(HttpGzip, WhereTheThreadHasEnoughToDoAnswersGoOutAsTheyAre) {
    Limits limits = Face::fast();
    limits.gzips_waiting = 0;
    Face face(limits);
    fill(face, 1'000);
    const Answer answer = face.get("/v1/events?limit=10000", packed_please);
    EXPECT_EQ(answer.header("Content-Encoding"), "");
    EXPECT_TRUE(answer.body.starts_with(R"({"items":[)"));
}

// ---- days, which are known by a tag ----

constexpr std::string_view day = "/v1/statistics/histogram/a%20b/20260102";

std::string known(const std::string& tags, std::string_view accept = "image/png") {
    return "Accept: " + std::string(accept) + "\r\nIf-None-Match: " + tags + "\r\n";
}

TEST(HttpDay, TheFormIsChosenBySuffixOrAccept) {
    struct Case {
        std::string_view suffix;
        std::string_view accept;
        std::string_view type;
    };
    Face face;
    for (const Case& one :
         {Case{"", "", "application/json"}, Case{"", "*/*", "application/json"}, Case{"", "image/png", "image/png"},
          Case{"", "image/*", "image/png"}, Case{"", "image/png;q=0, image/svg+xml", "image/svg+xml"},
          Case{"", "image/svg+xml;q=0.4, image/png;q=0.5", "image/png"}, Case{"", "text/html", "application/json"},
          Case{"", "text/html\r\nAccept: image/svg+xml", "image/svg+xml"}, Case{".png", "image/svg+xml", "image/png"},
          Case{".svg", "application/json", "image/svg+xml"}, Case{".json", "image/png", "application/json"}}) {
        const std::string accept = one.accept.empty() ? "" : "Accept: " + std::string(one.accept) + "\r\n";
        const Answer answer = face.get(std::string(day) + std::string(one.suffix), accept);
        EXPECT_EQ(answer.status, 200U) << one.suffix << one.accept;
        EXPECT_EQ(answer.header("Content-Type"), one.type) << one.suffix << one.accept;
        EXPECT_EQ(answer.header("Vary"), "Accept");
        EXPECT_EQ(answer.header("Cache-Control"), "private, no-cache");
    }
    EXPECT_EQ(face.get(std::string(day) + ".jpg").status, 400U);
}

TEST(HttpDay, AKnownOneIsNotSentOrDrawnAgain) {
    Face face;
    const Answer first = face.get(day, "Accept: image/png\r\n");
    const std::string tag = first.header("ETag");
    ASSERT_TRUE(tag.starts_with("W/\"")) << first.head;
    face.pictures.name = "nothing was drawn";
    for (const std::string& tags :
         {tag, tag.substr(2), "\"x\", " + tag, std::string("*"), "\"x\"\r\nIf-None-Match: " + tag}) {
        const Answer again = face.get(day, known(tags));
        EXPECT_EQ(again.status, 304U) << tags;
        EXPECT_EQ(again.body, "");
        EXPECT_EQ(again.header("ETag"), tag);
        EXPECT_EQ(again.header("Vary"), "Accept");
        EXPECT_EQ(again.header("Cache-Control"), "private, no-cache");
        EXPECT_EQ(again.header("Content-Length"), "");
        EXPECT_EQ(again.header("Content-Type"), "");
    }
    EXPECT_EQ(face.pictures.name, "nothing was drawn");
    EXPECT_EQ(face.get(day, known("\"x\"")).status, 200U);
}

TEST(HttpDay, AnythingElseHasAnotherTag) {
    Face face;
    const std::string tag = face.get(day, "Accept: image/png\r\n").header("ETag");
    EXPECT_EQ(face.get(day, known(tag, "image/svg+xml")).status, 200U) << "another form";
    EXPECT_EQ(face.get(day, known(tag, "application/json")).status, 200U);
    EXPECT_EQ(face.get("/v1/statistics/histogram/a/20260102", known(tag)).status, 200U) << "another name";
    EXPECT_EQ(face.get("/v1/statistics/histogram/a%20b/20260103", known(tag)).status, 200U) << "another day";
    face.statistics.counts[3] = 1;
    EXPECT_EQ(face.get(day, known(tag)).status, 200U) << "other counts";
}

TEST(HttpDay, AConnectionGoesOnAfterA304) {
    Face face;
    const std::string tag = face.get(day, "Accept: image/png\r\n").header("ETag");
    Client client = face.connect();
    const std::string get = "GET " + std::string(day) + " HTTP/1.1\r\nHost: x\r\n" + known(tag) + "\r\n";
    face.send_all(client, get + get + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(face.receive(client).status, 304U);
    EXPECT_EQ(face.receive(client).status, 304U);
    EXPECT_EQ(face.receive(client).body, R"({"status":"ok"})");
}

} // namespace
} // namespace tocsin::ipc::http
