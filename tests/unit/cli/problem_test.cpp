// SPDX-License-Identifier: Apache-2.0
#include "cli/problem.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin::cli {
namespace {

Response problem(unsigned status, std::string body) {
    return {.status = status, .content_type = "application/problem+json", .body = std::move(body)};
}

TEST(Problem, CodesAreExitCodes) {
    for (const CodeInfo& row : all_codes()) {
        const Error error =
            problem_of(problem(row.http_status, "{\"code\":\"" + std::string(row.name) + "\",\"detail\":\"why\"}"));
        EXPECT_EQ(error.code, row.code);
        EXPECT_EQ(exit_code(error), row.exit_code);
        EXPECT_EQ(error.reason, "why");
    }
}

TEST(Problem, AStatusWithoutACodeHasItsClass) {
    const std::vector<std::pair<unsigned, Code>> wanted{
        {400, Code::invalid_argument}, {401, Code::not_authorized},   {403, Code::not_authorized},
        {404, Code::not_found},        {405, Code::not_found},        {409, Code::conflict},
        {413, Code::limit_exceeded},   {418, Code::invalid_argument}, {422, Code::invalid_event},
        {429, Code::limit_exceeded},   {500, Code::unavailable},      {502, Code::unavailable},
        {503, Code::unavailable},      {507, Code::storage_full},     {302, Code::unavailable},
    };
    for (const auto& [status, code] : wanted) {
        EXPECT_EQ(problem_of(problem(status, "<html>")).code, code) << status;
        EXPECT_NE(problem_of(problem(status, "<html>")).reason.find(std::to_string(status)), std::string::npos);
    }
}

TEST(Problem, KeepsFieldsAndRetry) {
    Response response =
        problem(422, R"({"code":"InvalidEvent","detail":"severity: no","errors":[)"
                     R"({"index":3,"field":"severity","reason":"no"},{"index":4,"field":"","reason":"odd"}]})");
    response.retry_after_s = 7;
    const Error error = problem_of(response);
    ASSERT_EQ(error.fields.size(), 2U);
    EXPECT_EQ(error.fields[0].index, 3U);
    EXPECT_EQ(error.fields[0].field, "severity");
    EXPECT_EQ(error.retry_after_s, 7U);
    EXPECT_TRUE(problem_of(problem(413, "{}")).too_large);
}

TEST(Problem, ReadsHowFarABodyCame) {
    const Progress progress = progress_of(problem(422, R"({"accepted":20000,"first":17,"last":20041})"));
    EXPECT_EQ(progress.accepted, 20'000U);
    EXPECT_EQ(progress.first, 17U);
    EXPECT_EQ(progress.last, 20'041U);
    EXPECT_EQ(progress_of(problem(500, "no")).accepted, 0U);
}

TEST(Problem, AnAnswerThatIsNotJsonIsUnavailable) {
    const auto value = value_of(Response{.status = 200, .body = "hello"});
    ASSERT_FALSE(value.has_value());
    EXPECT_EQ(value.error().code, Code::unavailable);
    EXPECT_TRUE(value_of(Response{.status = 201, .body = "{}"}).has_value());
    EXPECT_FALSE(value_of(Response{.status = 404, .body = "{}"}).has_value());
}

TEST(Render, SaysWhatAndWhatToDo) {
    const Error missing{Code::invalid_argument, "usage", "--name", "is required"};
    EXPECT_EQ(render(missing, "submit"),
              "tocsinctl: submit: --name: is required\n  \"tocsinctl submit --help\" shows what it takes\n");
    EXPECT_EQ(render(missing, ""), "tocsinctl: --name: is required\n  \"tocsinctl --help\" shows what it takes\n");
}

TEST(Render, EveryCodeOfARefusalNamesANextStep) {
    for (const CodeInfo& row : all_codes()) {
        for (const std::string_view verb : {"", "query", "submit", "jobs run", "heartbeats pause", "reload"}) {
            const std::string text = render({row.code, "daemon", "x", "why"}, verb);
            const std::string before = verb.empty() ? "" : std::string(verb) + ": ";
            ASSERT_TRUE(text.starts_with("tocsinctl: " + before + "x: why\n  ")) << text;
            EXPECT_TRUE(text.ends_with('\n') && std::ranges::count(text, '\n') == 2) << text;
        }
    }
    Error busy{Code::unavailable, "daemon", "", "inbox full"};
    busy.retry_after_s = 3;
    EXPECT_NE(render(busy, "").find("try again in 3 s"), std::string::npos);
    busy.reason = "schedules are not available in this version";
    EXPECT_EQ(render(busy, "").find("try again"), std::string::npos);
}

TEST(Render, WhatIsNotThereIsFoundSomewhere) {
    for (const auto& [verb, wanted] :
         std::vector<std::pair<std::string_view, std::string_view>>{{"query", "tocsinctl query"},
                                                                    {"heartbeats forget", "tocsinctl heartbeats"},
                                                                    {"jobs output", "\"tocsinctl jobs\""},
                                                                    {"jobs run", "tocsinctl jobs lint"},
                                                                    {"histogram", "tocsinctl stats"}}) {
        EXPECT_NE(render({Code::not_found, "daemon", "x", "why"}, verb).find(wanted), std::string::npos) << verb;
    }
    EXPECT_NE(render({Code::conflict, "daemon", "", "why"}, "submit").find("--key"), std::string::npos);
    EXPECT_NE(render({Code::conflict, "daemon", "", "why"}, "jobs cancel").find("jobs show"), std::string::npos);
}

TEST(Render, NoDaemonSaysHowToStartIt) {
    const std::string text =
        render({Code::unavailable, std::string(context_connect), "/x.sock", "no daemon listens there"}, "status");
    for (const std::string_view word : {"/x.sock", "systemctl start tocsind", "make run", "--socket"}) {
        EXPECT_NE(text.find(word), std::string::npos) << word;
    }
    const std::string denied =
        render({Code::not_authorized, std::string(context_connect), "/x.sock", "Permission denied"}, "status");
    EXPECT_NE(denied.find("group"), std::string::npos);
    EXPECT_EQ(denied.find("systemctl"), std::string::npos);
}

TEST(Render, ListsTheFieldsOfABatch) {
    Error error{Code::invalid_event, "daemon", "", "severity: no (and 24 more)"};
    for (std::size_t i = 0; i < 25; ++i) {
        error.fields.push_back({.index = i, .field = "severity", .reason = "no"});
    }
    const std::string text = render(error, "submit");
    EXPECT_NE(text.find("  event 0: severity: no\n"), std::string::npos);
    EXPECT_NE(text.find("  event 19: severity: no\n"), std::string::npos);
    EXPECT_EQ(text.find("event 20:"), std::string::npos);
    EXPECT_NE(text.find("and 5 more"), std::string::npos);
}

TEST(Render, OneFieldIsNotToldTwice) {
    Error error{Code::invalid_event, "daemon", "", "severity: no"};
    error.fields.push_back({.index = 0, .field = "severity", .reason = "no"});
    EXPECT_EQ(render(error, "submit"),
              "tocsinctl: submit: severity: no\n  correct it and send it again; \"tocsinctl submit --help\" "
              "shows what there is\n");
}

TEST(Render, IsHarmless) {
    const std::string text = render({Code::not_found, "daemon", "a\x1b[2J", "b\nc"}, "jobs");
    EXPECT_TRUE(text.starts_with("tocsinctl: jobs: a\\x1b[2J: b\\nc\n")) << text;
}

TEST(RenderJson, IsAProblemDocument) {
    Error error{Code::invalid_event, "daemon", "", "severity: no"};
    error.fields.push_back({.index = 5, .field = "severity", .reason = "no \"x\""});
    const Progress progress{.accepted = 9, .first = 1, .last = 9};
    const auto document = Value::parse(render_json(error, &progress));
    ASSERT_TRUE(document.has_value());
    EXPECT_EQ((*document)["type"].text(), "urn:tocsin:error:InvalidEvent");
    EXPECT_EQ((*document)["status"].number(), 422U);
    EXPECT_EQ((*document)["accepted"].number(), 9U);
    EXPECT_EQ((*document)["errors"].items().front()["reason"].text(), "no \"x\"");
    EXPECT_TRUE((*Value::parse(render_json(error)))["accepted"].is_null());
}

} // namespace
} // namespace tocsin::cli
