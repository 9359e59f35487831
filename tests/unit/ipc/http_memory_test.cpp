// SPDX-License-Identifier: Apache-2.0
// The whole connection over an in-memory stream, no socket: streams that fail at every step, and seeded random
// requests.
#ifndef BOOST_BEAST_SEPARATE_COMPILATION
#define BOOST_BEAST_SEPARATE_COMPILATION
#endif
#include "http_memory.hpp"

#include <random>

namespace tocsin::ipc::http {

template class Connection<MemoryStream>;

namespace {

using test::Face;
using test::one_event;

std::string serve(Face& face, std::string_view input, std::size_t piece, beast::test::fail_count* failing = nullptr) {
    return test::serve(face, input, piece, Face::peer(::getuid()), failing);
}

const std::string request = Face::post_text("/v1/events", one_event);

TEST(HttpMemory, AnyReadSizeGivesTheSame) {
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 64U, 4'096U}) {
        Face face;
        const std::string output =
            serve(face, request + request + "GET /v1/events/2 HTTP/1.1\r\nHost: x\r\n\r\n", piece);
        EXPECT_NE(output.find("{\"unique_index\":1}"), std::string::npos) << piece << output;
        EXPECT_NE(output.find("{\"unique_index\":2}"), std::string::npos) << piece;
        EXPECT_NE(output.find("{\"unique_index\":2,\"scid\""), std::string::npos) << piece;
    }
}

TEST(HttpMemory, FailsCleanlyAtEveryStep) {
    std::size_t failed = 0;
    for (std::size_t step = 1; step < 100; ++step) {
        Face face;
        beast::test::fail_count failing(step);
        const std::string output = serve(face, request + request, 50, &failing);
        const bool whole = output.find("{\"unique_index\":2}") != std::string::npos;
        failed += whole ? 0 : 1;
        EXPECT_LE(face.log.events.size(), 2U);
        EXPECT_EQ(face.hub->application().bodies().left(), face.hub->limits().bodies_bytes) << step;
    }
    EXPECT_GT(failed, 3U);
    EXPECT_LT(failed, 90U);
}

// Mutations of good requests: cut, doubled, bytes changed, joined.
std::string mutate(std::mt19937& random) {
    static const std::vector<std::string> seeds = {
        request,
        Face::post_text("/v1/events", one_event + "\n" + one_event + "\n{", "application/x-ndjson"),
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
        "GET /v1/events?severity=error&where=payload.x+~+%22a%22&limit=3 HTTP/1.1\r\nHost: x\r\nAccept: "
        "text/csv\r\n\r\n",
        "GET /v1/heartbeats/a%2Fb/start?interval=30s&run=1 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v1/stream?after=0 HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 3\r\n\r\n",
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
        Face::post_text("/v1/events/1/report", R"({"spark_report_id":3,"url":"x"})"),
        "HEAD /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    };
    const auto below = [&random](std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
    };
    std::string text = seeds[below(seeds.size())];
    const std::size_t changes = below(6);
    for (std::size_t i = 0; i < changes && !text.empty(); ++i) {
        const std::size_t at = below(text.size());
        switch (below(5)) {
        case 0:
            text[at] = static_cast<char>(below(256));
            break;
        case 1:
            text.erase(at, below(20));
            break;
        case 2:
            text.insert(at, text.substr(below(text.size()), below(40)));
            break;
        case 3:
            text += seeds[below(seeds.size())];
            break;
        default:
            text.insert(at, 1, "\r\n%&: \0\xff"[below(8)]);
            break;
        }
    }
    return text;
}

TEST(HttpMemory, SurvivesRandomRequests) {
    constexpr unsigned seed = 20'260'102;
    std::mt19937 random(seed);
    Limits limits = Face::fast();
    limits.header_bytes = 2'000;
    limits.chunk_lines = 2;
    Face face(limits);
    for (std::size_t round = 0; round < 3'000; ++round) {
        const std::string input = mutate(random);
        const std::string output = serve(face, input, 1 + round % 97);
        EXPECT_TRUE(output.empty() || output.starts_with("HTTP/1.1 ")) << "seed " << seed << " round " << round << '\n'
                                                                       << input;
    }
    EXPECT_EQ(face.log.followers(), 0U);
    EXPECT_EQ(face.hub->application().bodies().left(), face.hub->limits().bodies_bytes);
    EXPECT_NE(serve(face, request, 64).find(" 201 "), std::string::npos) << "and still serves";
}

} // namespace
} // namespace tocsin::ipc::http
