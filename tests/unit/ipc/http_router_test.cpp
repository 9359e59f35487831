// SPDX-License-Identifier: Apache-2.0
// The route table, walked: what each route needs, and that nothing else exists.
#include "http_face.hpp"

#include "ipc/http/openapi.hpp"

#include <set>

namespace tocsin::ipc::http {
namespace {

using test::Face;

// A request that fits the pattern.
std::string example_of(std::string_view pattern) {
    std::string path;
    while (!pattern.empty()) {
        const std::size_t end = pattern.find('/', 1);
        const std::string_view part = pattern.substr(0, end);
        path += part.starts_with("/{") ? "/1" : std::string(part);
        pattern.remove_prefix(end == std::string_view::npos ? pattern.size() : end);
    }
    return path;
}

Plan plan(Face& face, std::string_view method, std::string_view target, std::shared_ptr<Peer> peer) {
    Request request;
    request.method = method;
    request.target = target;
    request.peer = std::move(peer);
    return face.hub->application().plan(request);
}

bool guarded(const Route& route) {
    return is_guarded(route.action);
}

TEST(HttpRoutes, EveryRouteIsFoundAndUnique) {
    const Router router({all_routes()});
    std::set<std::string> seen;
    for (const Route& route : all_routes()) {
        EXPECT_TRUE(seen.insert(std::string(route.method) + std::string(route.pattern)).second) << route.pattern;
        EXPECT_NE(route.handler == nullptr, route.unavailable.empty()) << route.pattern;
        Face face;
        Request request;
        request.method = route.method;
        request.target = example_of(route.pattern);
        request.peer = Face::peer(::getuid());
        const Plan found = face.hub->application().plan(request);
        ASSERT_EQ(found.route, &route) << request.target;
    }
}

TEST(HttpRoutes, ChangesAreGuarded) {
    // Whatever changes what others rely on; beats and submissions are the senders' own.
    const std::set<std::string_view> own = {"/v1/events", "/v1/samples", "/v1/callbacks/{secret}"};
    for (const Route& route : all_routes()) {
        const bool beat = route.pattern.starts_with("/v1/heartbeats/{source}") && !guarded(route);
        const bool own_token = route.pattern == "/v1/tokens"; // says no more than the socket says anyway
        if (own_token || (route.method == "GET" && !beat)) {
            EXPECT_EQ(route.action, Action::read) << route.pattern;
        } else if (beat || own.contains(route.pattern)) {
            EXPECT_EQ(route.action, Action::submit) << route.pattern;
        } else {
            EXPECT_TRUE(guarded(route)) << route.method << ' ' << route.pattern;
        }
    }
}

TEST(HttpRoutes, StrangersGetNothingMembersAreAskedAboutOwnersAll) {
    for (const Route& route : all_routes()) {
        Face face;
        const std::string target = example_of(route.pattern);
        const Plan stranger = plan(face, route.method, target, Face::peer(4'001, {51}));
        ASSERT_TRUE(stranger.refused) << target;
        EXPECT_EQ(stranger.refused->status, 403U) << target;
        const Plan member = plan(face, route.method, target, Face::peer(4'000, {50}));
        EXPECT_FALSE(member.refused && member.refused->status == 403) << route.method << ' ' << target;
        EXPECT_EQ(member.ask, guarded(route) && route.handler != nullptr) << route.method << ' ' << target;
        EXPECT_FALSE(stranger.ask) << target;
        const Plan owner = plan(face, route.method, target, Face::peer(::getuid()));
        EXPECT_FALSE(owner.ask) << target;
        if (route.handler == nullptr) {
            ASSERT_TRUE(owner.refused);
            EXPECT_EQ(owner.refused->refused, Code::unavailable) << target;
            EXPECT_NE(owner.refused->body.find("not available in this version"), std::string::npos);
            EXPECT_TRUE(owner.refused->headers.empty()) << "no Retry-After: it would not help";
        } else {
            EXPECT_FALSE(owner.refused) << target;
        }
    }
}

TEST(HttpRoutes, UnknownPathsAndMethods) {
    Face face;
    for (const std::string_view target :
         {"/v2/events", "/v1", "/v1/event", "/v1/events/1/2", "/v1//events", "/V1/events", "/v1/heartbeats/a/stop",
          "/api", "/v1/reports", "/v1/events/%2E%2E/jobs/x"}) {
        const Plan found = plan(face, "GET", target, Face::peer(::getuid()));
        ASSERT_TRUE(found.refused) << target;
        EXPECT_EQ(found.refused->status, 404U) << target;
    }
    const Plan found = plan(face, "DELETE", "/v1/events", Face::peer(::getuid()));
    ASSERT_TRUE(found.refused);
    EXPECT_EQ(found.refused->status, 405U);
    EXPECT_NE(found.refused->body.find(R"("status":405,"code":"NotFound")"), std::string::npos);
    EXPECT_EQ(found.refused->headers,
              (std::vector<std::pair<std::string, std::string>>{{"Allow", "POST, GET, HEAD, OPTIONS"}}));
    EXPECT_EQ(plan(face, "GET", "/no/such", Face::peer(4'001)).refused->status, 403U) << "strangers learn nothing";
}

TEST(HttpRoutes, HeadIsGetAndTheRestOfAPathIsTaken) {
    Face face;
    EXPECT_FALSE(plan(face, "HEAD", "/v1/status", Face::peer(::getuid())).refused);
    const Plan report = plan(face, "GET", "/v1/reports/7/a/b.html", Face::peer(::getuid()));
    ASSERT_NE(report.route, nullptr);
    EXPECT_EQ(report.route->pattern, "/v1/reports/{job}/{path...}");
}

// What becomes of a member's request: the refusal, or none.
std::optional<Response> decide(Face& face, std::string_view target) {
    Request request;
    request.method = "POST";
    request.target = target;
    request.peer = Face::peer(4'000, {50});
    request.peer->pidfd = -1;
    const Plan plan = face.hub->application().plan(request);
    EXPECT_TRUE(plan.ask) << target;
    std::optional<Response> refused;
    face.hub->application().ask(plan, request, [&refused](std::optional<Response> no) { refused = std::move(no); });
    return refused;
}

TEST(HttpRoutes, ARefusalNamesTheCommandThatMayAskForAPassword) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"/v1/reload", "tocsinctl reload"},
        {"/v1/backup", "tocsinctl backup FILE"},
        {"/v1/jobs/7/cancel", "tocsinctl jobs cancel 7"},
        {"/v1/jobs/7/rerun", "tocsinctl jobs rerun 7"},
        {"/v1/events/12/jobs", "tocsinctl jobs run 12 SCRIPT"},
        {"/v1/events/12/report", "tocsinctl jobs report 12 --id NUMBER"},
        {"/v1/heartbeats/backup.service/pause", "tocsinctl heartbeats pause backup.service"},
        {"/v1/heartbeats/a%3Breboot/resume", "tocsinctl heartbeats resume SOURCE"},
        {"/v1/heartbeats/-f/forget", "tocsinctl heartbeats forget SOURCE"},
    };
    for (const auto& [target, command] : cases) {
        Face face;
        const auto refused = decide(face, target);
        ASSERT_TRUE(refused) << target;
        EXPECT_EQ(refused->status, 403U);
        EXPECT_NE(refused->body.find(command + '"'), std::string::npos) << refused->body;
        ASSERT_EQ(face.authority.asked.size(), 1U);
        EXPECT_FALSE(face.authority.asked[0].interactive);
        EXPECT_EQ(face.authority.asked[0].caller->uid, 4'000U);
        EXPECT_EQ(face.authority.asked[0].bus_name, "");
        face.authority.allows = true;
        EXPECT_FALSE(decide(face, target)) << target;
    }
    std::size_t guarded_routes = 0;
    for (const Route& route : all_routes()) {
        guarded_routes += guarded(route) && route.handler != nullptr ? 1U : 0U;
    }
    EXPECT_EQ(guarded_routes, cases.size()) << "each has a command";
}

TEST(HttpRoutes, AReportIsTheAffairOfTheScriptThatRunsForTheEvent) {
    Face face;
    face.jobs.runs = {12, 4'000};
    EXPECT_FALSE(plan(face, "POST", "/v1/events/12/report", Face::peer(4'000, {50})).ask);
    EXPECT_TRUE(plan(face, "POST", "/v1/events/13/report", Face::peer(4'000, {50})).ask) << "another's event";
    EXPECT_TRUE(plan(face, "POST", "/v1/events/12/report", Face::peer(4'002, {50})).ask) << "another user";
    EXPECT_TRUE(plan(face, "POST", "/v1/events/12/jobs", Face::peer(4'000, {50})).ask) << "another act";
    EXPECT_TRUE(plan(face, "POST", "/v1/events/12/report", Face::peer(4'000)).refused) << "no member";
}

TEST(HttpRoutes, OptionsTellsWhatAPathTakes) {
    using Headers = std::vector<std::pair<std::string, std::string>>;
    Face face;
    const auto ask = [&face](std::string_view target, std::shared_ptr<Peer> who) {
        return std::move(*plan(face, "OPTIONS", target, std::move(who)).refused);
    };
    const Response path = ask("/v1/events?x=1", Face::peer(4'000, {50}));
    EXPECT_EQ(path.status, 204U);
    EXPECT_EQ(path.headers, (Headers{{"Allow", "POST, GET, HEAD, OPTIONS"}}));
    EXPECT_EQ(path.body, "");
    EXPECT_EQ(ask("/v1/reload", Face::peer(::getuid())).headers, (Headers{{"Allow", "POST, OPTIONS"}}));
    EXPECT_EQ(ask("*", Face::peer(::getuid())).headers, (Headers{{"Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS"}}));
    EXPECT_EQ(ask("/nowhere", Face::peer(::getuid())).status, 404U);
    EXPECT_EQ(ask("/v1/events", Face::peer(4'001)).status, 403U) << "strangers learn nothing";
    EXPECT_EQ(ask("*", Face::peer(4'001)).status, 403U);
}

TEST(HttpRoutes, WhatIsNotThereYetSaysSoUnderItsWholePath) {
    Face face;
    for (const std::string_view target :
         {"/v1/reports/1", "/v1/reports/1/", "/v1/reports/1/a.html", "/v1/reports/1/a/b"}) {
        EXPECT_EQ(plan(face, "GET", target, Face::peer(::getuid())).refused->status, 503U) << target;
    }
}

TEST(HttpRoutes, ParametersAreChecked) {
    const Route route{"GET", "/x", Action::read, nullptr, "scid state+"};
    EXPECT_TRUE(check_parameters(route, {{"scid", "1"}, {"state", "up"}, {"state", "down"}}));
    EXPECT_EQ(check_parameters(route, {{"stat", "up"}}).error().object, "stat");
    EXPECT_EQ(check_parameters(route, {{"scid", "1"}, {"scid", "2"}}).error().reason, "is given twice");
    EXPECT_FALSE(check_parameters(route, {{"state+", "up"}}));
}

TEST(HttpRoutes, TheDescriptionHasEveryRouteAndNoOther) {
    const std::string_view text = openapi_json();
    json::Parser parser;
    std::set<std::string> described;
    std::string paths;
    ASSERT_TRUE(parser.object(text, [&paths](std::string_view key, const Scalar& value) {
        if (key == "paths") {
            paths = std::get<RawJson>(value).text;
        }
    }));
    std::vector<std::pair<std::string, std::string>> items;
    ASSERT_TRUE(parser.object(paths, [&items](std::string_view key, const Scalar& value) {
        items.emplace_back(key, std::get<RawJson>(value).text);
    }));
    for (const auto& [path, item] : items) {
        ASSERT_TRUE(parser.object(item, [&described, &path](std::string_view method, const Scalar&) {
            std::string upper(method);
            std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(c & ~0x20); });
            described.insert(upper + ' ' + path);
        }));
    }
    std::set<std::string> routed;
    for (const Route& route : all_routes()) {
        std::string pattern(route.pattern);
        if (const std::size_t dots = pattern.find("..."); dots != std::string::npos) {
            pattern.erase(dots, 3);
        }
        routed.insert(std::string(route.method) + ' ' + pattern);
    }
    EXPECT_EQ(described, routed);
}

} // namespace
} // namespace tocsin::ipc::http
