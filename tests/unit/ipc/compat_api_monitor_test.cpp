// SPDX-License-Identifier: Apache-2.0
// The API monitor's routes: what is there, and in its own shape what is not. Its words in both directions.
#include "compat_face.hpp"

#include "ipc/http/compat/api_words.hpp"

namespace tocsin::ipc::http {
namespace {

using compat::severity_of;
using compat::word_of;
using test::Answer;
using test::OlderFace;

TEST(ApiWords, SeveritiesInBothDirections) {
    for (const auto& [word, severity] :
         {std::pair{"low", Severity::info}, std::pair{"medium", Severity::warning}, std::pair{"high", Severity::error},
          std::pair{"critical", Severity::critical}}) {
        EXPECT_EQ(severity_of(word), severity) << word;
        EXPECT_EQ(word_of(severity), word);
        EXPECT_EQ(severity_of(std::to_string(compat::least_of(severity))), severity) << word;
    }
    EXPECT_EQ(severity_of("HIGH"), Severity::error);
}

TEST(ApiWords, NumbersAreSeverities) {
    for (const auto& [number, severity] :
         {std::pair{"1", Severity::critical}, std::pair{"0.9", Severity::critical}, std::pair{".9", Severity::critical},
          std::pair{"0.89", Severity::error}, std::pair{"0.7", Severity::error}, std::pair{"0.69", Severity::warning},
          std::pair{"0.4", Severity::warning}, std::pair{"0.39", Severity::info}, std::pair{"0", Severity::info}}) {
        EXPECT_EQ(severity_of(number), severity) << number;
    }
    for (const std::string_view none : {"", "1.1", "-0.1", "nan", "0.5x", "hihg", "error"}) {
        EXPECT_FALSE(severity_of(none)) << none;
    }
}

TEST(ApiWords, PendingAndFiringAreOpen) {
    EXPECT_EQ(compat::status_of("pending"), "open");
    EXPECT_EQ(compat::status_of("firing"), "open");
    EXPECT_EQ(compat::status_of("acknowledged"), "acknowledged");
    EXPECT_EQ(compat::status_of("snoozed"), "snoozed");
    EXPECT_EQ(compat::status_of("resolved"), "resolved");
    EXPECT_TRUE(compat::is_status("open"));
    EXPECT_FALSE(compat::is_status("firing"));
}

TEST(CompatApiMonitor, HealthIsOfTheDaemon) {
    OlderFace face;
    face.manager.current.degraded = {};
    const Answer well = face.get("/health");
    EXPECT_EQ(well.status, 200U);
    EXPECT_TRUE(well.has(R"({"status":"ok","reasons":[],"components":{"collector_manager":"stopped",)")) << well.body;
    EXPECT_TRUE(well.has(R"("database":{"initialized":true,"elasticsearch":"available","mongodb":"available"}}})"));
    face.manager.current.degraded = {"disk \"full\""};
    const Answer ill = face.get("/health/");
    EXPECT_EQ(ill.status, 503U);
    EXPECT_TRUE(ill.has(R"("status":"degraded","reasons":["disk \"full\""])")) << ill.body;
}

TEST(CompatApiMonitor, WhatHasNoDataYetSaysSoAndIsNoEmptyList) {
    struct Case {
        std::string_view target;
        std::string_view what;
    };
    OlderFace face;
    for (const Case& one :
         {Case{"/api/v1/apis", "samples"}, Case{"/api/v1/sources/", "probe"}, Case{"/api/v1/sources/1", "probe"},
          Case{"/api/v1/metrics?api_id=prod-api-1&metric_type=response_time&environment=aws&limit=10000", "samples"},
          Case{"/api/v1/anomalies?min_severity=0.7&start_time=2026-01-01T00:00:00", "anomalies"},
          Case{"/api/v1/predictions?min_confidence=.5", "forecasts"},
          Case{"/api/v1/alerts?status=open,%20acknowledged&severity=high", "alerts"},
          Case{"/api/v1/alerts/7", "alerts"}, Case{"/api/v1/dashboard/summary", "summary of alerts and anomalies"},
          Case{"/api/v1/cross_environment_analysis", "analysis across environments"},
          Case{"/dashboards", "dashboard"}}) {
        const Answer answer = face.get(one.target);
        EXPECT_EQ(answer.status, 503U) << one.target;
        EXPECT_EQ(answer.header("Content-Type"), "application/json");
        EXPECT_EQ(answer.header("Retry-After"), "") << "trying again does not help";
        EXPECT_TRUE(answer.body.starts_with(R"({"detail":")")) << answer.body;
        EXPECT_TRUE(answer.has(one.what)) << answer.body;
        EXPECT_TRUE(answer.has("not available in this version")) << answer.body;
    }
}

TEST(CompatApiMonitor, ChangesSayWhatIsMissingToo) {
    struct Case {
        std::string_view method;
        std::string_view target;
        std::string_view what;
    };
    OlderFace face;
    for (const Case& one :
         {Case{"POST", "/api/v1/sources", "probe"}, Case{"PUT", "/api/v1/sources/1", "probe"},
          Case{"DELETE", "/api/v1/sources/1", "probe"}, Case{"POST", "/api/v1/alerts/7/acknowledge?user=me", "alerts"},
          Case{"POST", "/api/v1/alerts/7/resolve?user=me", "alerts"},
          Case{"POST", "/api/v1/alerts/7/snooze?user=me&duration_minutes=5", "alerts"},
          Case{"POST", "/api/v1/demo/trigger-anomaly/", "anomalies"}}) {
        auto member = face.member();
        const Answer answer = face.ask(member, std::string(one.method) + ' ' + std::string(one.target) +
                                                   " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        EXPECT_EQ(answer.status, 503U) << one.target;
        EXPECT_TRUE(answer.body.starts_with(R"({"detail":")")) << answer.body;
        EXPECT_TRUE(answer.has(one.what)) << answer.body;
    }
}

TEST(CompatApiMonitor, AWrongQuestionIsToldBefore) {
    struct Case {
        std::string_view query;
        unsigned status;
        std::string_view said;
    };
    OlderFace face;
    for (const Case& one :
         {Case{"metrics?environment=a%01b", 400, "Invalid environment"}, Case{"metrics?limit=10001", 422, "limit"},
          Case{"anomalies?limit=1001", 422, R"("loc":["query","limit"])"}, Case{"anomalies?limit=0", 422, "limit"},
          Case{"anomalies?min_severity=hihg", 422, "min_severity"}, Case{"alerts?severity=1.5", 422, "severity"},
          Case{"alerts?status=open,closed", 422, "status"}, Case{"predictions?min_confidence=2", 422, "min_confidence"},
          Case{"metrics?start_time=yesterday&end_time=x", 422, "end_time"}}) {
        const Answer answer = face.get("/api/v1/" + std::string(one.query));
        EXPECT_EQ(answer.status, one.status) << one.query;
        EXPECT_TRUE(answer.has(one.said)) << answer.body;
    }
}

TEST(CompatApiMonitor, TheDocumentationNamesEveryRoute) {
    OlderFace face;
    const Answer answer = face.get("/docs");
    EXPECT_EQ(answer.header("Content-Type"), "text/html; charset=utf-8");
    for (const Route& route : compat::api_monitor_routes()) {
        EXPECT_TRUE(answer.has(route.pattern)) << route.pattern;
    }
    EXPECT_TRUE(answer.has("<td>high</td><td>error</td><td>0.7</td>"));
    EXPECT_TRUE(answer.has("<td>/health</td><td>answers</td>"));
    EXPECT_TRUE(answer.has("<td>/api/v1/alerts/{id}</td><td>alerts are not available in this version</td>"));
}

TEST(CompatApiMonitor, IsClosedUnlessSwitchedOn) {
    EXPECT_TRUE(test::is_closed_elsewhere("GET", "/health"));
    EXPECT_TRUE(test::is_closed_elsewhere("GET", "/docs"));
    EXPECT_TRUE(test::is_closed_elsewhere("GET", "/api/v1/alerts"));
    EXPECT_TRUE(test::is_closed_elsewhere("POST", "/api/v1/demo/trigger-anomaly"));
}

} // namespace
} // namespace tocsin::ipc::http
