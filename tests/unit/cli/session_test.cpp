// SPDX-License-Identifier: Apache-2.0
#include "cli/session.hpp"

#include "tests/unit/cli/fake.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace tocsin::cli::test {
namespace {

class SessionTest : public testing::Test {
protected:
    std::vector<std::size_t> pages(ListRequest request) {
        std::vector<std::size_t> sizes;
        const auto more = each_page(session, std::move(request),
                                    [&sizes](const Value::Array& items) { sizes.push_back(items.size()); });
        has_more = more ? std::optional(*more) : std::nullopt;
        return sizes;
    }

    FakeDaemon daemon;
    MemoryOutput out;
    MemoryOutput err;
    Session session{.client = daemon, .out = out, .err = err};
    std::optional<bool> has_more{}; // nullopt: an error
};

TEST_F(SessionTest, PagesEndWithTheList) {
    daemon.say(200, R"({"items":[1,2],"next":"a&b"})");
    daemon.say(200, R"({"items":[3]})");
    EXPECT_EQ(pages({.path = "/l", .parameters = {{"k", "v w"}}, .page = 2}), (std::vector<std::size_t>{2, 1}));
    EXPECT_EQ(has_more, false);
    EXPECT_EQ(daemon.requests[0].target, "/l?k=v%20w&limit=2");
    EXPECT_EQ(daemon.requests[1].target, "/l?k=v%20w&limit=2&cursor=a%26b");
}

TEST_F(SessionTest, PagesEndWithTheLimit) {
    daemon.say(200, R"({"items":[1,2],"next":"a"})");
    daemon.say(200, R"({"items":[3],"next":"b"})");
    EXPECT_EQ(pages({.path = "/l", .limit = 3, .page = 2}), (std::vector<std::size_t>{2, 1}));
    EXPECT_EQ(has_more, true);
    EXPECT_EQ(daemon.requests[1].target, "/l?limit=1&cursor=a");
}

TEST_F(SessionTest, AShortPageWithMoreBehindIsNotTheEnd) {
    daemon.say(200, R"({"items":[1],"next":"a"})"); // it ended early for its bytes
    daemon.say(200, R"({"items":[],"next":"b"})");
    daemon.say(200, R"({"items":[2]})");
    EXPECT_EQ(pages({.path = "/l", .limit = 5}), (std::vector<std::size_t>{1, 0, 1}));
    EXPECT_EQ(has_more, false);
}

TEST_F(SessionTest, ASearchThatGoesOnSaysSoOnATerminal) {
    const auto search = [this] {
        daemon.say(200, R"({"items":[],"next":"a"})");
        daemon.say(200, R"({"items":[1]})");
        pages({.path = "/l"});
        return std::exchange(err.text, {});
    };
    EXPECT_EQ(search(), "") << "a program reads it";
    err.terminal = true;
    EXPECT_EQ(search(), "\rnothing more found yet, searching for 0 s\x1b[K\r\x1b[K") << "and is gone before the rows";
    session.format = Format::json;
    EXPECT_EQ(search(), "");
}

TEST_F(SessionTest, ARefusedPageIsAnError) {
    daemon.say(200, R"({"items":[1],"next":"a"})");
    daemon.refuse(503, "Unavailable", "stopping");
    EXPECT_EQ(pages({.path = "/l"}).size(), 1U);
    EXPECT_EQ(has_more, std::nullopt);
}

TEST_F(SessionTest, NobodyReadsNobodyAsks) {
    out.close();
    EXPECT_TRUE(pages({.path = "/l"}).empty());
    EXPECT_TRUE(daemon.requests.empty());
}

TEST_F(SessionTest, AnswersAreShownOrPrinted) {
    const auto show = [](Session& in, const Value& value) { in.out.line("a is " + value["a"].text()); };
    const Response good{.status = 200, .body = R"({"a": 1})"};
    EXPECT_EQ(answer(session, good, show), 0);
    session.format = Format::json;
    EXPECT_EQ(answer(session, good, show), 0);
    out.flush();
    EXPECT_EQ(out.text, "a is 1\n{\"a\": 1}\n");
}

TEST_F(SessionTest, AnAnswerWithoutABodyIsNoMistake) {
    bool shown = false;
    const auto show = [&shown](Session&, const Value& value) { shown = value.is_null(); };
    EXPECT_EQ(answer(session, Response{.status = 204}, show), 0);
    EXPECT_TRUE(shown);
}

TEST_F(SessionTest, RefusalsAreErrorsAlsoWithJson) {
    session.format = Format::json;
    const auto refused = answer(session, Response{.status = 404, .body = R"({"code":"NotFound","detail":"x"})"}, {});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Code::not_found);
    out.flush();
    EXPECT_TRUE(out.text.empty());
}

TEST_F(SessionTest, BodiesEndWithOneNewline) {
    write_body(session, "{}");
    write_body(session, "{}\n");
    out.flush();
    EXPECT_EQ(out.text, "{}\n{}\n");
}

TEST_F(SessionTest, PostsSayWhatTheySend) {
    daemon.say(200, "{}");
    daemon.say(200, "{}");
    static_cast<void>(post(session, "/a"));
    EXPECT_EQ(daemon.last().content_type, "");
    static_cast<void>(post(session, "/a", "{}"));
    EXPECT_EQ(daemon.last().content_type, "application/json");
    EXPECT_EQ(daemon.last().method, "POST");
}

TEST_F(SessionTest, IdsAreDigits) {
    EXPECT_EQ(id_argument("JOB", "007"), "007");
    for (const std::string_view wrong : {"", "-1", "+1", "1a", "1/2", "..", "999999999999999999999"}) {
        const auto id = id_argument("JOB", wrong);
        ASSERT_FALSE(id.has_value()) << wrong;
        EXPECT_EQ(id.error().code, Code::invalid_argument);
        EXPECT_EQ(id.error().object, "JOB");
    }
}

} // namespace
} // namespace tocsin::cli::test
