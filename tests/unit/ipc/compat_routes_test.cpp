// SPDX-License-Identifier: Apache-2.0
// The tables of the older systems, walked: what each route needs on the socket and on TCP, and which are open.
#include "compat_face.hpp"

#include "ipc/http/compat/shapes.hpp"

#include <set>

namespace tocsin::ipc::http {
namespace {

std::vector<const Route*> every_route() {
    std::vector<const Route*> out;
    for (const std::span<const Route> table : compat_routes(test::every_older_system)) {
        for (const Route& route : table) {
            out.push_back(&route);
        }
    }
    return out;
}

TEST(CompatRoutes, EachIsOpenOnTcpOrNeedsAToken) {
    const std::set<std::string_view> callbacks = {"/spark_endpoint"};
    for (const Route* route : every_route()) {
        const bool change = is_guarded(route->action) && !callbacks.contains(route->pattern);
        EXPECT_EQ(route->open, change ? Open::no : Open::compat) << route->method << ' ' << route->pattern;
        EXPECT_NE(route->refuse, nullptr) << route->pattern << ": its own shape";
        EXPECT_EQ(route->parameters, "*") << route->pattern << ": what is not known was never refused";
        EXPECT_NE(route->handler == nullptr, route->unavailable.empty()) << route->pattern;
    }
}

TEST(CompatRoutes, WhoSubmitsTooMuchIsToldSoThereTooButPingsAreTaken) {
    test::OlderFace face;
    face.log.excess =
        Error{.code = Code::limit_exceeded, .context = "submit", .object = "rate", .reason = "r", .retry_after_s = 7};
    for (const std::string_view target : {"/event/submit", "/api/events/login"}) {
        const test::Answer answer = face.post(target, "{}");
        EXPECT_EQ(answer.header("Retry-After"), "7") << target;
        EXPECT_NE(answer.body.find("rate"), std::string::npos) << target;
    }
    EXPECT_TRUE(face.log.batches.empty());
    EXPECT_EQ(face.get("/ping/backup").body, "OK") << "a sign of life that is refused is an alarm for nothing";
}

TEST(CompatRoutes, OurOwnAreNotOnTheListenerForOlderClients) {
    for (const Route& route : all_routes()) {
        EXPECT_NE(route.open, Open::compat) << route.pattern;
    }
}

TEST(CompatRoutes, NoneStandsInTheWayOfAnother) {
    std::set<std::string> seen;
    for (const Route& route : all_routes()) {
        seen.insert(std::string(route.method) + std::string(route.pattern));
    }
    for (const Route* route : every_route()) {
        EXPECT_TRUE(seen.insert(std::string(route->method) + std::string(route->pattern)).second) << route->pattern;
    }
}

TEST(CompatRoutes, EachSystemHasItsOwnSwitch) {
    struct Case {
        CompatOptions on;
        std::string_view first;
    };
    for (const Case& one :
         {Case{{.event_manager = true}, "/api"}, Case{{.event_tracker = true}, "/api/events/{path...}"},
          Case{{.api_monitor = true}, "/health"}, Case{{.healthchecks = true}, "/ping/{check}"}}) {
        const auto tables = compat_routes(one.on);
        ASSERT_EQ(tables.size(), 1U);
        EXPECT_EQ(tables.front().front().pattern, one.first);
    }
    EXPECT_TRUE(compat_routes({}).empty());
}

TEST(CompatRoutes, StrangersAreRefusedInEachShape) {
    test::OlderFace face;
    for (const std::string_view target : {"/api", "/api/events/unique", "/health", "/ping/a"}) {
        auto stranger = face.stranger();
        const auto answer = face.ask(stranger, "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_EQ(answer.status, 403U) << target;
        EXPECT_NE(answer.header("Content-Type"), "application/problem+json") << target;
    }
    EXPECT_TRUE(face.heartbeats.beats_seen.empty());
}

TEST(CompatShapes, TimesAreOfTheZone) {
    const auto berlin = Zone::find("Europe/Berlin");
    ASSERT_TRUE(berlin);
    EXPECT_EQ(compat::naive_time(1'767'322'804'000'000, Zone::utc()), "2026-01-02T03:00:04");
    EXPECT_EQ(compat::naive_time(1'767'322'804'250'000, *berlin), "2026-01-02T04:00:04.250000");
    EXPECT_EQ(compat::naive_time(1'782'961'204'000'000, *berlin), "2026-07-02T05:00:04") << "in summer";
}

TEST(CompatShapes, AFieldOfAForm) {
    EXPECT_EQ(compat::form_value("", "a=1&desc=x+%26+y", "desc"), "x & y");
    EXPECT_EQ(compat::form_value("", "desc", "desc"), "");
    EXPECT_EQ(compat::form_value("", "desc=%zz", "desc"), "");
    EXPECT_EQ(compat::form_value("", "", "desc"), "");
}

TEST(CompatShapes, AFieldOfAFormInParts) {
    const std::string body =
        "--b1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"desc\"\r\n\r\nno\r\n--b1\r\n"
        "Content-Disposition: form-data; name=\"desc\"\r\n\r\ntwo\r\nlines\r\n--b1--\r\n";
    EXPECT_EQ(compat::form_value("multipart/form-data; boundary=b1", body, "desc"), "two\r\nlines");
    EXPECT_EQ(compat::form_value("multipart/form-data; boundary=\"b1\"", body, "desc"), "two\r\nlines");
    EXPECT_EQ(compat::form_value("multipart/form-data; boundary=b1; x=y", body, "other"), "");
    for (std::size_t size = 0; size < body.size() - 4; ++size) { // cut off anywhere
        const std::string value = compat::form_value("multipart/form-data; boundary=b1", body.substr(0, size), "desc");
        EXPECT_TRUE(value.empty() || value == "two\r\nlines") << size << value;
    }
    EXPECT_EQ(compat::form_value("multipart/form-data", "desc=x", "desc"), "x") << "no boundary: no parts";
}

} // namespace
} // namespace tocsin::ipc::http
