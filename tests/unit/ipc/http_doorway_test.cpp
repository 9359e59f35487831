// SPDX-License-Identifier: Apache-2.0
// The network listener: whose request it is (Host, Origin), who asks (tokens), and for how long.
#include "http_face.hpp"

#include "ipc/http/doorway.hpp"
#include "ipc/http/tokens.hpp"

#include <fmt/format.h>

namespace tocsin::ipc::http {
namespace {

using test::Answer;
using test::Client;
using test::Face;

constexpr std::string_view address = "127.0.0.1:7878";

// A face with a listener for browsers; its connections come as those over TCP do.
struct Listened : Face {
    Listened() : Face(fast(), {.owner_uid = ::getuid(), .group = 50}, {}, std::string(address)) {}

    Answer over_tcp(std::string_view head, bool compat = false) {
        auto who = std::make_shared<Peer>();
        who->caller.origin.transport = "http";
        who->doorway = std::make_shared<const Doorway>(doorway_at(address, compat));
        Client client = connect_as(std::move(who), Admission::served);
        return ask(client, std::string(head) + "\r\n");
    }
    Answer with_token(std::string_view token, std::string_view line = "GET /v1/status HTTP/1.1") {
        return over_tcp(fmt::format("{}\r\nHost: {}\r\nAuthorization: Bearer {}\r\n", line, address, token));
    }
    std::string token_of(Client client) {
        const Answer answer = ask(client, post_text("/v1/tokens", ""));
        EXPECT_EQ(answer.status, 201U) << answer.body;
        const std::size_t at = answer.body.find("\"token\":\"") + 9;
        return answer.body.substr(at, answer.body.find('"', at) - at);
    }
};

std::string get_status(std::string_view headers) {
    return fmt::format("GET /v1/status HTTP/1.1\r\n{}", headers);
}

TEST(HttpDoorway, TakesRequestsForItsAddressAlone) {
    Listened face;
    for (const std::string_view host : {"127.0.0.1:7878", "localhost:7878", "LocalHost:7878"}) {
        EXPECT_EQ(face.over_tcp(get_status(fmt::format("Host: {}\r\n", host))).status, 401U) << host;
    }
    for (const std::string_view host : {"evil.example", "evil.example:7878", "127.0.0.1", "localhost", "localhost:80",
                                        "127.0.0.1:7879", "127.0.0.1:7878.evil.example", "127.0.0.2:7878", ""}) {
        const Answer answer = face.over_tcp(get_status(fmt::format("Host: {}\r\n", host)));
        EXPECT_EQ(answer.status, 421U) << host;
        EXPECT_TRUE(answer.has("use 127.0.0.1:7878")) << answer.body;
    }
    EXPECT_EQ(face.over_tcp("GET /v1/status HTTP/1.0\r\n").status, 421U) << "none at all";
}

TEST(HttpDoorway, AWholeAddressAsTargetIsLookedAtToo) {
    Listened face;
    const auto ask = [&face](std::string_view target) {
        return face.over_tcp(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n", target, address)).status;
    };
    EXPECT_EQ(ask("http://evil.example/v1/status"), 421U);
    EXPECT_EQ(ask("http://127.0.0.1:7878@evil.example/v1/status"), 421U);
    EXPECT_EQ(ask("http://localhost:7878/v1/status"), 401U);
}

TEST(HttpDoorway, ThePortOfTheWebNeedNotBeSaid) {
    const Doorway doorway = doorway_at("127.0.0.1:80", false);
    Request request;
    request.target = "/";
    for (const std::string_view host : {"127.0.0.1", "127.0.0.1:80", "localhost", "localhost:80"}) {
        request.host = host;
        EXPECT_FALSE(refuse_misled(doorway, request)) << host;
    }
    request.host = "[::1]:7878";
    EXPECT_FALSE(refuse_misled(doorway_at("[::1]:7878", false), request));
}

TEST(HttpDoorway, OtherSitesPagesGetNothing) {
    Listened face;
    const std::string token = face.token_of(face.connect());
    const auto from = [&face, &token](std::string_view origin) {
        return face
            .over_tcp(get_status(
                fmt::format("Host: {}\r\nAuthorization: Bearer {}\r\nOrigin: {}\r\n", address, token, origin)))
            .status;
    };
    EXPECT_EQ(from("http://127.0.0.1:7878"), 200U);
    EXPECT_EQ(from("http://localhost:7878"), 200U);
    for (const std::string_view origin : {"null", "http://evil.example", "https://127.0.0.1:7878", "http://127.0.0.1",
                                          "http://127.0.0.1:7878, http://evil.example", "http://127.0.0.1:7878/"}) {
        EXPECT_EQ(from(origin), 403U) << origin;
    }
}

TEST(HttpDoorway, ATokenIsItsMaker) {
    Listened face;
    const std::string mine = face.token_of(face.connect());
    const std::string members = face.token_of(face.member());
    EXPECT_EQ(face.with_token(mine).status, 200U);
    EXPECT_EQ(face.with_token(mine, "POST /v1/reload HTTP/1.1").status, 200U) << "the owner's is the owner";
    EXPECT_EQ(face.with_token(members).status, 200U);
    const Answer guarded = face.with_token(members, "POST /v1/reload HTTP/1.1");
    EXPECT_EQ(guarded.status, 403U);
    EXPECT_TRUE(guarded.has("tocsinctl reload")) << guarded.body;

    const std::string head = fmt::format("POST /v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: bearer  {}\r\n"
                                         "Content-Type: application/json\r\nContent-Length: {}\r\n",
                                         address, members, test::one_event.size());
    auto who = std::make_shared<Peer>();
    who->doorway = std::make_shared<const Doorway>(doorway_at(address, false));
    Client client = face.connect_as(std::move(who), Admission::served);
    EXPECT_EQ(face.ask(client, head + "\r\n" + test::one_event).status, 201U);
    EXPECT_EQ(face.log.events.back().origin.uid, 4'000U);
    EXPECT_EQ(face.log.events.back().origin.transport, "http");
}

TEST(HttpDoorway, NothingElseIsAToken) {
    Listened face;
    const std::string token = face.token_of(face.connect());
    EXPECT_EQ(face.with_token(token.substr(1)).status, 401U);
    EXPECT_EQ(face.with_token(std::string(64, 'a')).status, 401U);
    EXPECT_EQ(face.with_token("").status, 401U);
    for (const std::string& header :
         {"Cookie: token=" + token, "Authorization: Basic " + token, "Authorization: " + token,
          "Authorization: Bearer " + token + "\r\nAuthorization: Bearer " + token}) {
        const Answer answer = face.over_tcp(get_status(fmt::format("Host: {}\r\n{}\r\n", address, header)));
        EXPECT_EQ(answer.status, 401U) << header;
        EXPECT_TRUE(answer.header("WWW-Authenticate").starts_with("Bearer")) << answer.head;
    }
    const Answer query = face.over_tcp(fmt::format("GET /v1/status?token={} HTTP/1.1\r\nHost: {}\r\n", token, address));
    EXPECT_EQ(query.status, 401U);
    EXPECT_EQ(face.over_tcp(fmt::format("GET / HTTP/1.1\r\nHost: {}\r\n", address)).status, 503U)
        << "the page itself needs none";
}

TEST(HttpDoorway, TokensAreMadeOverTheUnixSocketAlone) {
    Listened face;
    const std::string token = face.token_of(face.connect());
    EXPECT_EQ(face.with_token(token, "POST /v1/tokens HTTP/1.1").status, 403U);
    Client stranger = face.stranger();
    EXPECT_EQ(face.ask(stranger, Face::post_text("/v1/tokens", "")).status, 403U);
    Face without;
    const Answer none = without.post("/v1/tokens");
    EXPECT_EQ(none.status, 503U);
    EXPECT_TRUE(none.has("listen.http") && none.header("Retry-After").empty()) << none.body;
}

TEST(HttpDoorway, ATokenEndsAfterTwelveHoursAndWhenItIsForgotten) {
    Listened face;
    const std::string mine = face.token_of(face.connect());
    const std::string members = face.token_of(face.member());
    face.clock.boot += 12LL * 3'600 * 1'000'000 - 1;
    EXPECT_EQ(face.with_token(mine).status, 200U);
    EXPECT_EQ(face.with_token(members, "DELETE /v1/tokens HTTP/1.1").status, 204U);
    EXPECT_EQ(face.with_token(members).status, 401U);
    EXPECT_EQ(face.with_token(mine).status, 200U) << "others keep theirs";
    face.clock.boot += 1;
    const Answer late = face.with_token(mine);
    EXPECT_EQ(late.status, 401U);
    EXPECT_TRUE(late.has("tocsinctl dashboard")) << late.body;
}

TEST(HttpDoorway, AStreamEndsWithItsToken) {
    Listened face;
    const std::string token = face.token_of(face.connect());
    auto who = std::make_shared<Peer>();
    who->doorway = std::make_shared<const Doorway>(doorway_at(address, false));
    Client client = face.connect_as(std::move(who), Admission::served);
    face.send_all(
        client, fmt::format("GET /v1/stream HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n", address, token));
    EXPECT_TRUE(face.pump([&client] {
        client.receive();
        return client.input.find("text/event-stream") != std::string::npos;
    }));
    EXPECT_FALSE(client.ended);
    Client another = face.connect();
    EXPECT_EQ(face.ask(another, "DELETE /v1/tokens HTTP/1.1\r\nHost: x\r\n\r\n").status, 204U);
    EXPECT_TRUE(face.closed(client));
}

TEST(HttpTokens, AreBounded) {
    test::FakeClock clock;
    Tokens tokens(clock, {.all = 3, .per_uid = 2, .lives_us = 10});
    const auto of = [&tokens](std::uint32_t uid) { return tokens.mint({.uid = uid}); };
    const auto first = of(1);
    const auto second = of(1);
    const auto third = of(1);
    EXPECT_EQ(tokens.find(*first), nullptr) << "the oldest gave way";
    EXPECT_NE(tokens.find(*second), nullptr);
    EXPECT_TRUE(of(2));
    EXPECT_FALSE(of(3)) << "the table is full";
    clock.boot += 10;
    EXPECT_TRUE(of(3)) << "of tokens whose time is over";
    EXPECT_EQ(tokens.find(*third), nullptr);
}

} // namespace
} // namespace tocsin::ipc::http
