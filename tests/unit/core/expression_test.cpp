// SPDX-License-Identifier: Apache-2.0
#include "core/expression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

Event sample() {
    Event event;
    event.unique_index = 17;
    event.scid = -7;
    event.event_time_us = 1'767'322'804'000'000; // 2026-01-02T03:00:04Z
    event.received_time_us = 1'767'322'805'000'000;
    event.event_name = "sshd.login_failed";
    event.event_rule = "auth.fail > 3";
    event.event_src = "sshd";
    event.severity = Severity::error;
    event.environment = "aws";
    event.count = 3;
    event.origin.transport = "dbus";
    event.origin.uid = 1000;
    event.payload = R"({"user":"root","port":22,"ratio":0.5,"ok":true,"none":null,"big":9007199254740993,)"
                    R"("huge":18446744073709551615,"via":{"host":"192.0.2.4","hops":[10,20]},)"
                    R"("odd key":"yes","a-b":"dash","ä":"umlaut"})";
    return event;
}

bool matches(std::string_view text) {
    const auto expression = Expression::parse(text);
    EXPECT_TRUE(expression) << text << ": " << (expression ? "" : expression.error().detail());
    return expression && (*expression)->matches(sample());
}

std::string reason(std::string_view text) {
    const auto expression = Expression::parse(text);
    return expression ? "was taken" : expression.error().reason;
}

struct Case {
    std::string_view text;
    bool expected;
};

void check(const std::vector<Case>& cases) {
    for (const Case& entry : cases) {
        EXPECT_EQ(matches(entry.text), entry.expected) << entry.text;
    }
}

TEST(Expression, ExampleOfTheContract) {
    check({{R"(event_name == "sshd.login_failed" and payload.user != "probe")", true},
           {R"(event_name == "sshd.login_failed" and payload.user != "root")", false}});
}

TEST(Expression, ComparesStringsByBytes) {
    check({{R"(event_src == "sshd")", true},
           {R"(event_src == 'sshd')", true},
           {R"(event_src == "SSHD")", false},
           {R"(event_src != "sshd")", false},
           {R"(event_src < "sshe")", true},
           {R"(event_src <= "sshd")", true},
           {R"(event_src > "sshd")", false},
           {R"(event_src >= "ssh")", true},
           {R"(summary == "sshd.login_failed from sshd")", true}});
}

TEST(Expression, ComparesNumbersExactly) {
    check({{"scid == -7", true},
           {"scid < 0", true},
           {"scid <= -7.0", true},
           {"scid > -7.5", true},
           {"unique_index >= 17", true},
           {"unique_index > -1", true},
           {"count == 3", true},
           {"payload.port == 22.0", true},
           {"payload.ratio == 0.5", true},
           {"payload.ratio < 1", true},
           {"payload.ratio > 0", true},
           {"payload.ratio == 5e-1", true},
           {"payload.big == 9007199254740993", true},
           {"payload.big == 9007199254740992", false},
           {"payload.big > 9007199254740992.0", true},
           {"payload.big == 9007199254740992.0", false},
           {"payload.huge == 18446744073709551615", true},
           {"payload.huge > 9223372036854775807", true},
           {"payload.huge > -1", true},
           {"payload.huge < 18446744073709551616.0", true},
           {"payload.huge < 1e300", true},
           {"scid > -1e300", true}});
}

TEST(Expression, SeveritiesCompareByRank) {
    check({{R"(severity == "error")", true},
           {R"(severity == "err")", true},
           {R"(severity >= "error")", true},
           {R"(severity > "error")", false},
           {R"(severity < "critical")", true},
           {R"(severity != "info")", true},
           {R"(severity in ["info","high"])", true}});
    EXPECT_THAT(reason(R"(severity == "hihg")"), testing::HasSubstr("column 13"));
    EXPECT_THAT(reason("severity >= 2"), testing::HasSubstr("\"critical\""));
}

TEST(Expression, TimesTakeStringsAndIntegers) {
    check({{R"(event_time == "2026-01-02T03:00:04Z")", true},
           {R"(event_time >= "2026-01-02 03:00:04")", true},
           {R"(event_time < "2026-01-02T04:00:04.5+01:00")", true},
           {"event_time == 1767322804", true},
           {"event_time == 1767322804000", true},
           {"received_time > 1767322804000000", true},
           {R"(event_time in ["2026-01-02T03:00:04Z", 5])", true}});
    EXPECT_THAT(reason(R"(event_time > "soon")"), testing::StartsWith("column 14: "));
    EXPECT_THAT(reason("event_time > 1.5"), testing::StartsWith("column 14: "));
    EXPECT_THAT(reason(R"(event_time ~ "2026")"), testing::HasSubstr("has no text"));
}

TEST(Expression, PathsIntoThePayload) {
    check({{R"(payload.via.host == "192.0.2.4")", true},
           {"payload.via.hops.1 == 20", true},
           {"payload.via.hops.2 == 20", false},
           {R"(payload["odd key"] == "yes")", true},
           {R"(payload.via["host"] == "192.0.2.4")", true},
           {R"(payload['via'].host == "192.0.2.4")", true},
           {R"(payload.a-b == "dash")", true},
           {R"(payload.ä == "umlaut")", true},
           {"payload.ok == true", true},
           {"payload.ok == false", false},
           {R"(origin.transport == "dbus" and origin.uid == 1000)", true}});
}

TEST(Expression, WithoutAValueOnlyUnequalHolds) {
    for (const std::string field : {"payload.nobody", "payload.none", "payload.user.name"}) {
        for (const std::string op : {"==", "<", "<=", ">", ">="}) {
            EXPECT_FALSE(matches(field + " " + op + " 1")) << field << op;
        }
        EXPECT_TRUE(matches(field + " != 1")) << field;
        EXPECT_FALSE(matches(field + R"( ~ "")")) << field;
        EXPECT_FALSE(matches(field + R"( glob "*")")) << field;
        EXPECT_FALSE(matches(field + " in [1]")) << field;
        EXPECT_TRUE(matches("not " + field + " == 1")) << field;
    }
    check({{R"(host == "")", false},
           {R"(host != "alpha")", true},
           {"event_rule_id == 0", false},
           {"cause != 0", true},
           {R"(host glob "*")", false}});
}

TEST(Expression, EventWithoutPayloadHasNoPayloadValues) {
    const auto expression = Expression::parse(R"(payload.user != "root")");
    ASSERT_TRUE(expression);
    EXPECT_TRUE((*expression)->matches(Event()));
}

TEST(Expression, DifferentKindsAreNeverEqual) {
    check({{R"(payload.port == "22")", false},
           {R"(payload.port != "22")", true},
           {R"(payload.port < "9")", false},
           {"payload.user == 1", false},
           {"payload.user > 1", false},
           {"payload.ok == 1", false},
           {"payload.via == 1", false},
           {R"(payload.port ~ "2")", false},
           {R"(payload.user in [1, true, "root"])", true}});
}

TEST(Expression, KindsOfFieldsAreKnownBeforehand) {
    EXPECT_THAT(reason("event_name == 5"), testing::HasSubstr("event_name is a string"));
    EXPECT_THAT(reason(R"(scid == "5")"), testing::HasSubstr("scid is a number"));
    EXPECT_THAT(reason("scid == true"), testing::HasSubstr("scid is a number"));
    EXPECT_THAT(reason(R"(scid glob "5*")"), testing::HasSubstr("has no text"));
    EXPECT_THAT(reason(R"(severity ~ "err")"), testing::HasSubstr("has no text"));
    EXPECT_THAT(reason(R"(event_type == "datasets")"), testing::HasSubstr("\"dataset\""));
    check({{R"(event_type == "standard")", true},
           {R"(environment == "aws-cloud")", true},
           {R"(environment in ["gcp","aws-cloud"])", true}});
}

TEST(Expression, InIsAnyOf) {
    check({{R"(event_src in ["cron", "sshd"])", true},
           {R"(event_src in ["cron"])", false},
           {"scid in [-7,8]", true},
           {"payload.port in[21,22.0]", true}});
}

TEST(Expression, RegularExpressionsAreUnanchoredAndCaseSensitive) {
    check({{R"(event_name ~ "login")", true},
           {R"(event_name ~ "^login")", false},
           {R"(event_name ~ "LOGIN")", false},
           {R"(event_name ~ "(?i)LOGIN")", true},
           {R"(payload.via.host ~ "^\d+\.0\.2\.4$")", true},
           {R"(payload.via.host ~ "^\\d+\\.0\\.2\\.4$")", true},
           {R"(summary ~ "from sshd$")", true}});
    EXPECT_THAT(reason(R"(event_name ~ "(")"), testing::HasSubstr("column 14: is not a regular expression"));
    EXPECT_THAT(reason(R"(event_name ~ "(x{1000}){1000}")"), testing::HasSubstr("is not a regular expression"));
}

TEST(Expression, GlobCoversTheWholeText) {
    check({{R"(event_name glob "sshd.*")", true},
           {R"(event_name glob "login*")", false},
           {R"(event_name glob "*login?failed")", true}});
}

TEST(Expression, PrecedenceIsNotAndOr) {
    check({{R"(scid == 1 and scid == 2 or scid == -7)", true},
           {R"(scid == -7 or scid == 1 and scid == 2)", true},
           {R"((scid == -7 or scid == 1) and scid == 2)", false},
           {R"(not scid == 1 and scid == 2)", false},
           {R"(not (scid == 1 and scid == 2))", true},
           {R"(not not scid == -7)", true},
           {R"(not scid == -7 or scid == -7)", true},
           {"\n(\tscid==-7\r)  ", true}});
}

TEST(Expression, StringsTakeEscapes) {
    Event event;
    event.summary = "say \"hi\"\n\tback\\slash 'x'";
    for (const std::string_view text :
         {R"(summary == "say \"hi\"\n\tback\\slash 'x'")", R"(summary == 'say "hi"\n\tback\\slash \'x\'')"}) {
        const auto expression = Expression::parse(text);
        ASSERT_TRUE(expression) << expression.error().detail();
        EXPECT_TRUE((*expression)->matches(event)) << text;
    }
}

TEST(Expression, ErrorsSayWhereAndWhat) {
    const std::vector<std::pair<std::string_view, std::string_view>> wrong{
        {"", "column 1: expected a field, \"not\" or \"(\", found the end"},
        {"event_name ==", "column 14: expected a value: a string in quotes, a number, true or false, found the end"},
        {"event_name", "column 11: expected one of == != < <= > >= in ~ glob, found the end"},
        {"event_name is \"a\"", "column 12: expected one of == != < <= > >= in ~ glob, found \"is\""},
        {"scid == 1 scid == 2", "column 11: expected \"and\", \"or\" or the end, found \"scid\""},
        {"(scid == 1", "column 11: expected \"and\", \"or\" or \")\", found the end"},
        {"scid == 1)", "column 10: expected \"and\", \"or\" or the end, found \")\""},
        {"scid == and", "column 9: expected a value: a string in quotes, a number, true or false, found \"and\""},
        {"and scid == 1", "column 1: expected a field, \"not\" or \"(\", found \"and\""},
        {"scid == 1 and", "column 14: expected a field, \"not\" or \"(\", found the end"},
        {"scid = 1", "column 6: write == to compare"},
        {"scid == 1 && scid == 2", "column 11: write and, or, not in words"},
        {"!scid == 1", "column 1: write and, or, not in words"},
        {"scid == 1 # no", "column 11: unexpected character"},
        {"event_name == \"open", "column 15: the string that begins here has no end"},
        {"event_name == \"open\\", "column 15: the string that begins here has no end"},
        {"scid == 12ab", "column 9: \"12ab\" is not a number of 64 bits"},
        {"scid == 1.2.3", "column 9: \"1.2.3\" is not a number of 64 bits"},
        {"scid == 99999999999999999999", "column 9: \"99999999999999999999\" is not a number of 64 bits"},
        {"scid in 5", "column 9: expected \"[\" and values, found \"5\""},
        {"scid in []", "column 10: expected a value: a string in quotes, a number, true or false, found \"]\""},
        {"scid in [5", "column 11: expected \",\" or \"]\", found the end"},
        {"scid in [5,]", "column 12: expected a value: a string in quotes, a number, true or false, found \"]\""},
        {"event_name ~ 5", "column 14: expected a pattern in quotes, found \"5\""},
        {"payload == 1", "column 1: name a key of the payload, as in payload.user"},
        {"payload. == 1", "column 9: expected a key after the dot; write [\"…\"] around odd ones"},
        {"payload[5] == 1", "column 9: expected a key in quotes after ["},
        {"payload[\"a\" == 1", "column 12: expected ] after the key"},
        {"sevrity == \"info\"", "column 1: \"sevrity\" is not a field; did you mean \"severity\"?"},
        {"nosuch == 1", "column 1: \"nosuch\" is not a field"},
        {"event_name.x == 1", "column 1: \"event_name.x\" is not a field; did you mean \"event_name\"?"},
        {"origin.pud == 1", "column 1: \"origin.pud\" is not a field; did you mean \"origin.pid\"?"},
    };
    for (const auto& [text, expected] : wrong) {
        const auto expression = Expression::parse(text);
        ASSERT_FALSE(expression) << text;
        EXPECT_EQ(expression.error().reason, expected) << text;
        EXPECT_EQ(expression.error().code, Code::invalid_argument);
        EXPECT_EQ(expression.error().object, "where");
    }
}

std::string repeat(std::string_view text, std::size_t times) {
    std::string result;
    for (std::size_t i = 0; i < times; ++i) {
        result += text;
    }
    return result;
}

TEST(Expression, Bounds) {
    EXPECT_TRUE(Expression::parse(repeat("(", 31) + "scid == 1" + repeat(")", 31)));
    EXPECT_THAT(reason(repeat("(", 100)), testing::HasSubstr("nested deeper"));
    EXPECT_THAT(reason(repeat("not ", 100) + "scid == 1"), testing::HasSubstr("nested deeper"));
    EXPECT_THAT(reason("scid == 1" + repeat(" or scid == 1", 300)), testing::HasSubstr("more than 256 parts"));
    EXPECT_THAT(reason("scid in [1" + repeat(",1", 300) + "]"), testing::HasSubstr("more than 256 parts"));
    EXPECT_THAT(reason(repeat(" ", limits::where_bytes) + "scid == 1"), testing::HasSubstr("longer than"));
    EXPECT_THAT(reason(R"(event_name ~ "a")" + repeat(R"( or event_name ~ "a")", 20)),
                testing::HasSubstr("more than 16 regular"));
    EXPECT_THAT(reason("event_name == \"\xff\""), testing::HasSubstr("UTF-8"));
}

TEST(Expression, KeepsItsText) {
    EXPECT_EQ(Expression::parse(" scid==1 ").value()->text(), " scid==1 ");
}

TEST(Expression, EveryDocumentedFieldIsKnown) {
    for (const std::string_view name : event_field_names()) {
        if (name == "payload" || name == "origin") {
            continue; // objects: their members are
        }
        const std::string text(name);
        const bool known = Expression::parse(text + " == 1") || Expression::parse(text + " == \"x\"") ||
                           Expression::parse(text + " == \"info\"") || Expression::parse(text + " == \"standard\"");
        EXPECT_TRUE(known) << name;
    }
}

TEST(Glob, Patterns) {
    struct GlobCase {
        std::string_view pattern;
        std::string_view text;
        bool expected;
    };
    const std::vector<GlobCase> cases{
        {"", "", true},          {"", "a", false},         {"*", "", true},          {"*", "anything", true},
        {"a*", "a", true},       {"a*c", "abc", true},     {"a*c", "abcd", false},   {"*b*", "abc", true},
        {"?", "a", true},        {"?", "", false},         {"??", "a", false},       {"a?c", "abc", true},
        {"**a", "bba", true},    {R"(\*)", "*", true},     {R"(\*)", "a", false},    {R"(\?)", "?", true},
        {R"(\\)", R"(\)", true}, {R"(a\)", R"(a\)", true}, {"*ab", "aab", true},     {"*aab*", "aaaab", true},
        {"[a]", "[a]", true},    {"abc", "abd", false},    {"*.log", "x.log", true}, {"*.log", "x.logs", false},
    };
    for (const GlobCase& entry : cases) {
        EXPECT_EQ(glob_match(entry.pattern, entry.text), entry.expected) << entry.pattern << " on " << entry.text;
    }
}

TEST(Glob, ManyStarsStayCheap) {
    const std::string text(20'000, 'a');
    EXPECT_FALSE(glob_match(repeat("a*", 200) + "b", text)) << "would take for ever by trying every way";
}

} // namespace
} // namespace tocsin
