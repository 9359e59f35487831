// SPDX-License-Identifier: Apache-2.0
// Problem documents and CSV, byte by byte.
#include "ipc/http/csv.hpp"
#include "ipc/http/problem.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin::ipc::http {
namespace {

TEST(HttpProblem, IsExactlyAsDocumented) {
    const Error error = field_error("severity", "\"hihg\" is not one of info, warning, error, critical", 3);
    const Response response = problem(error);
    EXPECT_EQ(response.status, 422U);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(response.body,
              R"({"type":"urn:tocsin:error:InvalidEvent","title":"Invalid event","status":422,"code":"InvalidEvent",)"
              R"("detail":"severity: \"hihg\" is not one of info, warning, error, critical",)"
              R"("errors":[{"index":3,"field":"severity",)"
              R"("reason":"\"hihg\" is not one of info, warning, error, critical"}]})");
}

TEST(HttpProblem, EveryCodeHasItsStatus) {
    for (const CodeInfo& code : all_codes()) {
        const Response response = problem({.code = code.code, .context = "x", .object = "o", .reason = "r"});
        EXPECT_EQ(response.status, code.http_status);
        EXPECT_EQ(response.refused, code.code);
        const bool again = code.code == Code::unavailable || code.code == Code::limit_exceeded;
        EXPECT_EQ(response.headers.size(), again ? 1U : 0U) << code.name;
    }
    Error error{.code = Code::limit_exceeded, .context = "x", .object = "o", .reason = "r"};
    error.retry_after_s = 30;
    EXPECT_EQ(problem(error).headers.front().second, "30");
}

TEST(HttpProblem, ErrorsAreBounded) {
    Error error{.code = Code::invalid_event, .context = "submit", .object = {}, .reason = "r"};
    for (std::size_t i = 0; i < 1'000; ++i) {
        error.fields.push_back({.index = i, .field = "description", .reason = std::string(16'000, 'x')});
    }
    EXPECT_LT(problem(error).body.size(), limits::page_bytes + 20'000);
}

TEST(HttpCsv, RowsHaveAsManyCellsAsTheHeader) {
    Event event;
    event.unique_index = 7;
    event.event_name = "x";
    event.event_src = "s";
    event.origin.transport = "http";
    std::string header;
    append_csv_header(header);
    std::string row;
    append_csv_row(row, event);
    event.origin = {};
    std::string bare;
    append_csv_row(bare, event);
    EXPECT_EQ(std::ranges::count(header, ','), std::ranges::count(row, ','));
    EXPECT_EQ(std::ranges::count(header, ','), std::ranges::count(bare, ','));
    EXPECT_TRUE(row.ends_with(",\"{\"\"transport\"\":\"\"http\"\"}\"\r\n")) << row;
}

TEST(HttpCsv, CellsAreQuotedWhereTheyMustBe) {
    const auto cell = [](std::string_view text) {
        std::string out;
        append_csv_cell(out, text);
        return out;
    };
    EXPECT_EQ(cell(""), "");
    EXPECT_EQ(cell("plain text"), "plain text");
    EXPECT_EQ(cell("a,b"), "\"a,b\"");
    EXPECT_EQ(cell("say \"hi\""), "\"say \"\"hi\"\"\"");
    EXPECT_EQ(cell("two\nlines"), "\"two\nlines\"");
    EXPECT_EQ(cell("cr\r"), "\"cr\r\"");
    EXPECT_EQ(cell(" led"), "\" led\"");
    EXPECT_EQ(cell("trailed "), "\"trailed \"");
}

} // namespace
} // namespace tocsin::ipc::http
