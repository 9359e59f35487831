// SPDX-License-Identifier: Apache-2.0
#include "core/event.hpp"

#include "core/json.hpp"

#include <gmock/gmock.h>

namespace tocsin {
namespace {

using testing::ElementsAre;

// A small one with only what every event has.
Event small_event() {
    Event event;
    event.event_name = "disk.full";
    event.event_src = "df";
    event.event_time_us = 1'767'323'045'000'000;
    return event;
}

Event whole_event() {
    Event event = small_event();
    event.unique_index = 17;
    event.scid = -3;
    event.event_rule_id = 4;
    event.event_rule = "free < 5 %";
    event.spark_script = "report";
    event.spark_report_id = -1;
    event.gem_full_path = "/data/gem.h5";
    event.spark_report_url = "https://reports/17";
    event.count = 2;
    event.severity = Severity::critical;
    event.event_type = EventType::dataset;
    event.event_id = "disk";
    event.description = "two\nlines";
    event.summary = "full";
    event.environment = "aws";
    event.payload = R"({"free":3})";
    event.idempotency_key = "k1";
    event.content_hash = 99;
    event.received_time_us = 1'767'323'046'000'000;
    event.cause = 16;
    event.cause_depth = 1;
    event.host = "alpha";
    event.host_index = 5;
    event.origin = {"http", 1000, 100, 4711, "df.service", "/usr/bin/df"};
    return event;
}

std::vector<std::string> keys_of(const Event& event) {
    std::vector<std::string> keys;
    describe(event, [&keys](std::string_view key, const Scalar&) { keys.emplace_back(key); });
    return keys;
}

TEST(Severity, IsReadWithItsAliasesInAnyCase) {
    const std::vector<std::pair<std::string_view, Severity>> words{
        {"info", Severity::info},         {"informational", Severity::info}, {"notice", Severity::info},
        {"low", Severity::info},          {"warning", Severity::warning},    {"warn", Severity::warning},
        {"medium", Severity::warning},    {"error", Severity::error},        {"err", Severity::error},
        {"high", Severity::error},        {"critical", Severity::critical},  {"crit", Severity::critical},
        {"CRITICAL", Severity::critical}, {"Warn", Severity::warning},       {"hIgH", Severity::error},
    };
    for (const auto& [text, severity] : words) {
        EXPECT_EQ(severity_from(text), severity) << text;
    }
    for (const std::string_view text : {"", "hihg", "information", "inf", "criticall", " info", "0", "debug"}) {
        EXPECT_EQ(severity_from(text), std::nullopt) << text;
    }
}

TEST(Severity, IsOrderedByRankAndReadsBack) {
    EXPECT_LT(Severity::info, Severity::warning);
    EXPECT_LT(Severity::warning, Severity::error);
    EXPECT_LT(Severity::error, Severity::critical);
    for (const Severity severity : {Severity::info, Severity::warning, Severity::error, Severity::critical}) {
        EXPECT_EQ(severity_from(to_string(severity)), severity);
    }
}

TEST(EventType, ReadsBack) {
    EXPECT_EQ(event_type_from("standard"), EventType::standard);
    EXPECT_EQ(event_type_from("Dataset"), EventType::dataset);
    EXPECT_EQ(event_type_from("data"), std::nullopt);
    EXPECT_EQ(to_string(EventType::standard), "standard");
    EXPECT_EQ(to_string(EventType::dataset), "dataset");
}

TEST(Environment, HasThreeAliases) {
    EXPECT_EQ(canonical_environment("aws-cloud"), "aws");
    EXPECT_EQ(canonical_environment("azure-cloud"), "azure");
    EXPECT_EQ(canonical_environment("gcp-cloud"), "gcp");
    EXPECT_EQ(canonical_environment("on-premises"), "on-premises");
    EXPECT_EQ(canonical_environment("my-cloud"), "my-cloud");
    EXPECT_EQ(canonical_environment(""), "");
}

TEST(EventFields, AreThoseOfTheContractInItsOrder) {
    EXPECT_THAT(event_field_names(),
                ElementsAre("unique_index", "scid", "event_time", "event_rule_id", "event_name", "event_rule",
                            "event_src", "spark_script", "spark_report_id", "gem_full_path", "spark_report_url",
                            "count", "severity", "event_type", "event_id", "description", "summary", "environment",
                            "payload", "idempotency_key", "received_time", "cause", "cause_depth", "host", "host_index",
                            "origin"));
}

TEST(Describe, SendsEveryFieldInTheDocumentedOrder) {
    const auto keys = keys_of(whole_event());
    const auto& names = event_field_names();
    EXPECT_EQ(keys, std::vector<std::string>(names.begin(), names.end()));
}

TEST(Describe, LeavesOutWhatHasNoValue) {
    EXPECT_THAT(keys_of(small_event()), ElementsAre("scid", "event_time", "event_name", "event_src", "count",
                                                    "severity", "event_type", "summary"));
}

TEST(Describe, SendsTheTypesOfTheContract) {
    std::map<std::string, std::size_t, std::less<>> kinds;
    describe(whole_event(),
             [&kinds](std::string_view key, const Scalar& value) { kinds[std::string(key)] = value.index(); });
    const auto kind = [](const Scalar& value) { return value.index(); };
    for (const std::string_view key : {"unique_index", "count", "cause", "host_index"}) {
        EXPECT_EQ(kinds.find(key)->second, kind(std::uint64_t{0})) << key;
    }
    for (const std::string_view key : {"scid", "event_rule_id", "spark_report_id"}) {
        EXPECT_EQ(kinds.find(key)->second, kind(std::int64_t{0})) << key;
    }
    EXPECT_EQ(kinds["cause_depth"], kind(std::uint32_t{0}));
    EXPECT_EQ(kinds["event_time"], kind(TimeUs{}));
    EXPECT_EQ(kinds["received_time"], kind(TimeUs{}));
    EXPECT_EQ(kinds["payload"], kind(RawJson{}));
    EXPECT_EQ(kinds["origin"], kind(RawJson{}));
    EXPECT_EQ(kinds["severity"], kind(std::string_view{}));
}

TEST(Describe, MakesTheJsonOfTheContract) {
    std::string out;
    json::append_object(out, whole_event());
    EXPECT_EQ(out, R"({"unique_index":17,"scid":-3,"event_time":"2026-01-02T03:04:05.000000Z","event_rule_id":4,)"
                   R"("event_name":"disk.full","event_rule":"free < 5 %","event_src":"df","spark_script":"report",)"
                   R"("spark_report_id":-1,"gem_full_path":"/data/gem.h5","spark_report_url":"https://reports/17",)"
                   R"("count":2,"severity":"critical","event_type":"dataset","event_id":"disk",)"
                   R"("description":"two\nlines","summary":"full","environment":"aws","payload":{"free":3},)"
                   R"("idempotency_key":"k1","received_time":"2026-01-02T03:04:06.000000Z","cause":16,"cause_depth":1,)"
                   R"("host":"alpha","host_index":5,"origin":{"transport":"http","uid":1000,"gid":100,"pid":4711,)"
                   R"("unit":"df.service","executable":"/usr/bin/df"}})");
}

TEST(Summary, DefaultsToNameAndSource) {
    Event event = small_event();
    EXPECT_EQ(effective_summary(event), "disk.full from df");
    event.summary = "mine";
    EXPECT_EQ(effective_summary(event), "mine");
}

TEST(Summary, OfADatasetListsItsFields) {
    Event event = small_event();
    event.event_type = EventType::dataset;
    event.event_id = "login";
    event.payload = R"({"user":"root \"x\"","duration":2.5,"ok":true,"tries":[1,"a"],"at":{"b":null}})";
    EXPECT_EQ(effective_summary(event), R"(login: user=root "x", duration=2.5, ok=true, tries=[1,"a"], at={"b":null})");
    event.payload = "{}";
    EXPECT_EQ(effective_summary(event), "login");
    event.payload.clear();
    EXPECT_EQ(effective_summary(event), "login");
    event.event_type = EventType::standard;
    EXPECT_EQ(effective_summary(event), "disk.full from df") << "an id alone makes no dataset";
}

TEST(Summary, OfADatasetIsCutBetweenCharacters) {
    Event event = small_event();
    event.event_type = EventType::dataset;
    event.event_id = "d";
    event.payload = "{\"a\":\"";
    for (std::size_t i = 0; i < limits::text_bytes; ++i) {
        event.payload += "ü";
    }
    event.payload += "\"}";
    const std::string summary = effective_summary(event);
    EXPECT_LE(summary.size(), limits::text_bytes);
    EXPECT_GT(summary.size(), limits::text_bytes - 8);
    EXPECT_TRUE(valid_utf8(summary));
    EXPECT_THAT(summary, testing::EndsWith("ü…"));
}

TEST(Origin, LeavesOutWhatIsUnknown) {
    EXPECT_EQ(origin_json({"notify"}), R"({"transport":"notify"})");
    EXPECT_EQ(origin_json({"dbus", 0, std::nullopt, 1}), R"({"transport":"dbus","uid":0,"pid":1})");
    EXPECT_EQ(origin_json({}), "{}");
}

TEST(Origin, StaysJsonWhateverAnExecutableIsCalled) {
    const std::string out = origin_json({"http", 1, 1, 1, "", "/tmp/\xFF\"x\n"});
    EXPECT_TRUE(json::minify(out)) << out;
    EXPECT_THAT(out, testing::HasSubstr(R"(/tmp/)"
                                        "\uFFFD"
                                        R"(\"x\n)"));
}

TEST(Size, CountsEveryText) {
    const Event base = small_event();
    for (std::string Event::* const text :
         {&Event::event_name, &Event::event_rule, &Event::event_src, &Event::spark_script, &Event::gem_full_path,
          &Event::spark_report_url, &Event::event_id, &Event::description, &Event::summary, &Event::environment,
          &Event::payload, &Event::idempotency_key, &Event::host}) {
        Event event = base;
        (event.*text).append(1000, 'x');
        EXPECT_EQ(size_of(event), size_of(base) + 1000);
    }
    EXPECT_GT(size_of(base), base.event_name.size() + base.event_src.size());
}

TEST(DaemonEvent, IsValidAndNamesItsSource) {
    const Event event =
        daemon_event("heartbeat.missed", 5'000'000, 9'000'000, R"({ "source": "backup" })", Severity::error);
    EXPECT_EQ(event.event_name, "heartbeat.missed");
    EXPECT_EQ(event.event_src, "tocsin");
    EXPECT_EQ(event.event_time_us, 5'000'000);
    EXPECT_EQ(event.received_time_us, 9'000'000);
    EXPECT_EQ(event.payload, R"({"source":"backup"})");
    EXPECT_EQ(event.severity, Severity::error);
    EXPECT_EQ(event.origin.transport, "daemon");
    EXPECT_EQ(daemon_event("daemon.started", 0, 0, "").payload, "");
}

TEST(DaemonEventDeathTest, IsNeverWrong) {
    EXPECT_DEATH(daemon_event("", 0, 0, "{}"), "an event of the daemon itself is invalid");
    EXPECT_DEATH(daemon_event("x", 0, 0, "{"), "payload");
}

} // namespace
} // namespace tocsin
