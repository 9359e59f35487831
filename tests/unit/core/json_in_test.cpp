// SPDX-License-Identifier: Apache-2.0
#include "core/json.hpp"

#include <gmock/gmock.h>

namespace tocsin::json {
namespace {

using testing::HasSubstr;

constexpr std::int64_t now_us = 1'767'323'045'000'000;
constexpr std::string_view good = R"({"event_name":"disk.full","event_src":"df"})";

const IntakeRules& plain_rules() {
    static const IntakeRules rules;
    return rules;
}

Result<std::vector<Event>> read(std::string_view text, const IntakeRules& rules = plain_rules()) {
    return Parser().events(text, rules, now_us);
}

// The members of an event beside its name and source.
std::string with(std::string_view members) {
    return R"({"event_name":"disk.full","event_src":"df",)" + std::string(members) + "}";
}

struct Bad {
    std::string text;
    Code code;
    std::string field; // of an invalid_event
    std::string detail;
};

void expect_refused(const std::vector<Bad>& table) {
    for (const Bad& bad : table) {
        const auto events = read(bad.text);
        ASSERT_FALSE(events) << bad.text;
        const Error& error = events.error();
        EXPECT_EQ(error.code, bad.code) << bad.text << ": " << error.detail();
        EXPECT_THAT(error.detail(), HasSubstr(bad.detail)) << bad.text;
        if (bad.code == Code::invalid_event) {
            ASSERT_FALSE(error.fields.empty()) << bad.text;
            EXPECT_EQ(error.fields[0].field, bad.field) << bad.text;
        }
    }
}

TEST(JsonEvents, OneObjectIsOneEvent) {
    bool was_array = true;
    const auto events = Parser().events(" \n" + std::string(good) + "\r\n ", plain_rules(), now_us, &was_array);
    ASSERT_TRUE(events) << events.error().detail();
    EXPECT_FALSE(was_array);
    ASSERT_EQ(events->size(), 1U);
    EXPECT_EQ(events->front().event_name, "disk.full");
    EXPECT_EQ(events->front().received_time_us, now_us);
}

TEST(JsonEvents, AnArrayKeepsItsOrder) {
    bool was_array = false;
    std::string text = "[";
    for (int i = 0; i < 100; ++i) {
        text += (i > 0 ? " ,\n" : "") + with("\"scid\":" + std::to_string(i));
    }
    const auto events = Parser().events(text + "]", plain_rules(), now_us, &was_array);
    ASSERT_TRUE(events) << events.error().detail();
    EXPECT_TRUE(was_array);
    ASSERT_EQ(events->size(), 100U);
    for (std::size_t i = 0; i < events->size(); ++i) {
        EXPECT_EQ((*events)[i].scid, static_cast<std::int64_t>(i));
    }
}

TEST(JsonEvents, ReadsEveryFieldOfASender) {
    const auto events =
        read(R"({"scid":-7,"event_time":"2026-01-01T00:00:00Z","event_rule_id":3,)"
             R"("event_name":"caf\u00e9 \ud83d\udd14","event_rule":"a\nb","event_src":"df","spark_script":"report",)"
             R"("gem_full_path":"/d","count":9,"severity":"CRIT","event_type":"dataset","event_id":"i",)"
             R"("description":"d","summary":"s","environment":"aws-cloud",)"
             R"("payload":{"b":[1,{"c":null}],"a":"\u00fc"},"idempotency_key":"k"})");
    ASSERT_TRUE(events) << events.error().detail();
    const Event& event = events->front();
    EXPECT_EQ(event.scid, -7);
    EXPECT_EQ(event.event_time_us, 1'767'225'600'000'000);
    EXPECT_EQ(event.event_rule_id, 3);
    EXPECT_EQ(event.event_name, "café 🔔");
    EXPECT_EQ(event.event_rule, "a\nb");
    EXPECT_EQ(event.spark_script, "report");
    EXPECT_EQ(event.gem_full_path, "/d");
    EXPECT_EQ(event.count, 9U);
    EXPECT_EQ(event.severity, Severity::critical);
    EXPECT_EQ(event.event_type, EventType::dataset);
    EXPECT_EQ(event.event_id, "i");
    EXPECT_EQ(event.description, "d");
    EXPECT_EQ(event.summary, "s");
    EXPECT_EQ(event.environment, "aws");
    EXPECT_EQ(event.payload, R"({"b":[1,{"c":null}],"a":"ü"})");
    EXPECT_EQ(event.idempotency_key, "k");
}

TEST(JsonEvents, EscapedKeysAreTheSameKeys) {
    EXPECT_EQ(read(R"({"event\u005fname":"n","event_src":"s"})")->front().event_name, "n");
    EXPECT_FALSE(read(R"({"event\u005fname":"n","event_name":"n","event_src":"s"})"));
}

TEST(JsonEvents, NullIsAbsent) {
    const auto events = read(with(R"("scid":null,"payload":null,"severity":null,"cause":null,"event_time":null)"));
    ASSERT_TRUE(events) << events.error().detail();
    EXPECT_EQ(events->front(), read(good)->front());
}

TEST(JsonEvents, UnreadableJsonIsAnInvalidArgument) {
    expect_refused({
        {"", Code::invalid_argument, "", "the JSON is empty, at byte 0"},
        {" \n ", Code::invalid_argument, "", "the JSON is empty"},
        {"{", Code::invalid_argument, "", "at byte 1"},
        {"nope", Code::invalid_argument, "", "has something that is no value, at byte 0"},
        {R"({"event_name":"n","event_src":"s"} x)", Code::invalid_argument, "", "something after its end, at byte 35"},
        {R"({"event_name":"n","event_src":"s"}{})", Code::invalid_argument, "", "something after its end, at byte 34"},
        {R"({"event_name":"n" "event_src":"s"})", Code::invalid_argument, "",
         "lacks a comma or a closing brace, at byte 18"},
        {R"({"event_name":"n",})", Code::invalid_argument, "", "lacks a key in double quotes, at byte 18"},
        {R"({event_name:"n"})", Code::invalid_argument, "", "lacks a key in double quotes, at byte 1"},
        {R"({"event_name"="n"})", Code::invalid_argument, "", "lacks a colon after a key, at byte 13"},
        {R"({'event_name':'n'})", Code::invalid_argument, "", "lacks a key in double quotes"},
        {R"({"event_name":"n)", Code::invalid_argument, "", "ends inside a string"},
        {"{\"event_name\":\"a\nb\"}", Code::invalid_argument, "",
         "has a control character inside a string, at byte 16"},
        {R"({"event_name":"\q"})", Code::invalid_argument, "", "has an unknown escape in a string"},
        {R"({"event_name":"\u12g4"})", Code::invalid_argument, "", "without four hexadecimal digits"},
        {"{\"event_name\":\"\xFF\"}", Code::invalid_argument, "", "the JSON is not valid UTF-8, at byte 15"},
        {"\xEF\xBB\xBF{}", Code::invalid_argument, "", "at byte 0"},
        {R"({"scid":01})", Code::invalid_argument, "", "malformed number"},
        {R"({"scid":1.})", Code::invalid_argument, "", "without digits after its point"},
        {R"({"scid":1e})", Code::invalid_argument, "", "without digits in its exponent"},
        {R"({"scid":-})", Code::invalid_argument, "", "a number without digits"},
        {R"({"scid":+1})", Code::invalid_argument, "", "no value"},
        {R"({"scid":NaN})", Code::invalid_argument, "", "no value"},
        {R"({"scid":Infinity})", Code::invalid_argument, "", "no value"},
        {R"({"scid":0x10})", Code::invalid_argument, "", "malformed number"},
        {R"({"scid":truex})", Code::invalid_argument, "", "at byte 12"},
        {R"({"payload":{"a":[1,2}})", Code::invalid_argument, "", "lacks a comma or a closing bracket, at byte 20"},
        {R"([{"event_name":"n","event_src":"s"},])", Code::invalid_argument, "", "no value, at byte 36"},
        {R"([{"event_name":"n","event_src":"s"})", Code::invalid_argument, "", "lacks a comma or a closing bracket"},
        {"[]", Code::invalid_argument, "", "there are no events in it"},
        {"/* c */{}", Code::invalid_argument, "", "at byte 0"},
    });
}

TEST(JsonEvents, AWrongFieldIsAnInvalidEvent) {
    expect_refused({
        {"{}", Code::invalid_event, "event_name", "event_name: is required (and 1 more)"},
        {"5", Code::invalid_event, "", "is an integer, not an event object"},
        {"\"text\"", Code::invalid_event, "", "is a string, not an event object"},
        {"null", Code::invalid_event, "", "is null, not an event object"},
        {with(R"("severity":"hihg")"), Code::invalid_event, "severity",
         "severity: \"hihg\" is not one of info, warning, error, critical"},
        {with(R"("severity":3)"), Code::invalid_event, "severity", "is an integer, not a string"},
        {with(R"("scid":"1")"), Code::invalid_event, "scid", "is a string, not an integer"},
        {with(R"("scid":1.0)"), Code::invalid_event, "scid", "is a real number, not an integer"},
        {with(R"("scid":true)"), Code::invalid_event, "scid", "is a boolean, not an integer"},
        {with(R"("scid":{"a":1})"), Code::invalid_event, "scid", "is an object, not an integer"},
        {with(R"("scid":[1])"), Code::invalid_event, "scid", "is an array, not an integer"},
        {with(R"("scid":9223372036854775808)"), Code::invalid_event, "scid", "does not fit a signed 64-bit integer"},
        {with(R"("scid":18446744073709551616)"), Code::invalid_event, "scid", "does not fit 64 bits, at byte 50"},
        {with(R"("count":-1)"), Code::invalid_event, "count", "is not between 1 and 1000000000"},
        {with(R"("payload":[1])"), Code::invalid_event, "payload", "is an array, not an object"},
        {with(R"("payload":"x")"), Code::invalid_event, "payload", "is a string, not an object"},
        {with(R"("payload":{"a":{"b":18446744073709551616}})"), Code::invalid_event, "payload", "does not fit 64 bits"},
        {with(R"("payload":{"a":-1e400})"), Code::invalid_event, "payload", "too large for a double"},
        {with(R"("payload":{"a":"\u0000"})"), Code::invalid_event, "payload", "has the character U+0000"},
        {with(R"("payload":{"a":"\udc00"})"), Code::invalid_event, "payload", "half of a surrogate pair"},
        {with(R"("summary":"\ud800x")"), Code::invalid_event, "summary", "half of a surrogate pair"},
        {with(R"("summary":"\ud800\u0041")"), Code::invalid_event, "summary", "half of a surrogate pair"},
        {with(R"("payload":{"a":1,"a":1})"), Code::invalid_event, "payload", "has the key \"a\" twice"},
        {with(R"("payload":{},"payload":{})"), Code::invalid_event, "payload", "is given twice"},
        {with(R"("payload":null,"payload":{})"), Code::invalid_event, "payload", "is given twice"},
        {with(R"("scid":1,"scid":1)"), Code::invalid_event, "scid", "is given twice"},
        {with(R"("event_name":"n")"), Code::invalid_event, "event_name", "is given twice"},
        {with(R"("event_nmae":"n")"), Code::invalid_event, "event_nmae", "did you mean \"event_name\"?"},
        {with(R"("unique_index":1)"), Code::invalid_event, "unique_index", "is set by the daemon"},
        {with(R"("origin":{"uid":0})"), Code::invalid_event, "origin", "is set by the daemon"},
        {with(R"("summary":"a\u0000b")"), Code::invalid_event, "summary", "has the character U+0000"},
        {with(R"("environment":"a\u0007b")"), Code::invalid_event, "environment", "has a control character"},
        {with(R"("event_time":"yesterday")"), Code::invalid_event, "event_time", "\"yesterday\" is not a time"},
        {with(R"("event_time":1.5)"), Code::invalid_event, "event_time", "is a real number, not a time"},
        {with(R"("spark_script":"../x")"), Code::invalid_event, "spark_script", ""},
        {R"({"event_name":"n","event_src":"tocsin"})", Code::invalid_event, "event_src", "the daemon's own name"},
        {R"({"event_name":"a\tb","event_src":"s"})", Code::invalid_event, "event_name", "has a control character"},
    });
}

TEST(JsonEvents, DepthIsToldAsTheFieldsMistake) {
    for (const std::size_t depth : {17U, 900U, 1'100U, 100'000U}) {
        std::string nested;
        for (std::size_t i = 0; i < depth; ++i) {
            nested += "{\"a\":";
        }
        nested += "1" + std::string(depth, '}');
        expect_refused({{with("\"payload\":" + nested), Code::invalid_event, "payload", "is nested deeper than"}});
    }
}

TEST(JsonEvents, EveryBadEventOfAnArrayIsListed) {
    const auto events = read("[" + std::string(good) + ",{},5," + with(R"("severity":"x","count":0)") + "]");
    ASSERT_FALSE(events);
    const Error& error = events.error();
    EXPECT_EQ(error.code, Code::invalid_event);
    std::vector<std::pair<std::size_t, std::string>> found;
    for (const FieldError& field : error.fields) {
        found.emplace_back(field.index, field.field);
    }
    EXPECT_THAT(found,
                testing::ElementsAre(testing::Pair(1, "event_name"), testing::Pair(1, "event_src"),
                                     testing::Pair(2, ""), testing::Pair(3, "severity"), testing::Pair(3, "count")));
    EXPECT_EQ(error.detail(), "event 1: event_name: is required (and 4 more)");
}

TEST(JsonEvents, TheListOfBadEventsIsBounded) {
    std::string text = "[1";
    for (int i = 0; i < 500; ++i) {
        text += ",1";
    }
    const auto events = read(text + "]");
    ASSERT_FALSE(events);
    EXPECT_EQ(events.error().fields.size(), limits::errors_listed);
    EXPECT_THAT(events.error().detail(), HasSubstr("(and at least 99 more)"));
}

TEST(JsonEvents, ANumberWithoutRoomNamesEventAndField) {
    const auto events =
        read("[" + std::string(good) + "," + with(R"("payload":{"x":{"y":99999999999999999999}})") + "]");
    ASSERT_FALSE(events);
    ASSERT_EQ(events.error().fields.size(), 1U);
    EXPECT_EQ(events.error().fields[0].index, 1U);
    EXPECT_EQ(events.error().fields[0].field, "payload");
    EXPECT_THAT(events.error().detail(),
                testing::StartsWith("event 1: payload: has a number that does not fit 64 bits"));
}

std::string array_of(std::size_t count) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) {
        text += (i > 0 ? "," : "") + std::string(good);
    }
    return text + "]";
}

TEST(JsonEvents, BatchesAreBounded) {
    EXPECT_EQ(read(array_of(limits::batch_events))->size(), limits::batch_events);
    const auto over = read(array_of(limits::batch_events + 1));
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Code::limit_exceeded);
    EXPECT_EQ(over.error().http_status(), 413U);
    const auto long_text = read("[" + std::string(limits::batch_bytes, ' ') + std::string(good) + "]");
    ASSERT_FALSE(long_text);
    EXPECT_EQ(long_text.error().http_status(), 413U);
}

TEST(JsonEvents, OneEventIsBounded) {
    const std::string wide = with("\"scid\":1" + std::string(limits::event_bytes, ' '));
    expect_refused({{wide, Code::invalid_event, "", "an event is at most 262144 bytes"}});
    expect_refused({{with("\"description\":\"" + std::string(limits::event_bytes, 'x') + "\""), Code::invalid_event,
                     "description", "is longer than 16384 bytes"}});
}

TEST(JsonEvent, ErrorsCarryTheGivenIndex) {
    Parser parser;
    std::vector<Event> events;
    const auto wrong = parser.append(events, with(R"("scid":"x")"), plain_rules(), now_us, 41);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().fields[0].index, 41U);
    const auto unreadable = parser.append(events, "{", plain_rules(), now_us, 42);
    ASSERT_FALSE(unreadable);
    EXPECT_EQ(unreadable.error().code, Code::invalid_argument);
    ASSERT_EQ(unreadable.error().fields.size(), 1U);
    EXPECT_EQ(unreadable.error().fields[0].index, 42U);
    EXPECT_TRUE(events.empty()) << "what is wrong leaves nothing";
    EXPECT_TRUE(parser.append(events, good, plain_rules(), now_us, 43)) << "a parser is as good as new after an error";
    EXPECT_EQ(events.size(), 1U);
    EXPECT_FALSE(parser.append(events, "[" + std::string(good) + "]", plain_rules(), now_us)) << "a line is one event";
}

TEST(JsonNdjson, ReadsLinesAndSkipsEmptyOnes) {
    Parser parser;
    const std::string line(good);
    for (const std::string& text :
         {line + "\n" + line, line + "\r\n\r\n  \n" + line + "\n", "\n\n" + line + "\n" + line}) {
        const auto events = parser.ndjson(text, plain_rules(), now_us);
        ASSERT_TRUE(events) << events.error().detail();
        EXPECT_EQ(events->size(), 2U);
    }
}

TEST(JsonNdjson, IsAllOrNothing) {
    Parser parser;
    const std::string line(good);
    const auto wrong = parser.ndjson(line + "\n\n{}\n" + with(R"("scid":"x")"), plain_rules(), now_us);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Code::invalid_event);
    EXPECT_EQ(wrong.error().detail(), "event 1: event_name: is required (and 2 more)");
    EXPECT_EQ(wrong.error().fields[2].index, 2U);

    const auto unreadable = parser.ndjson(line + "\n" + line + "\n{\n" + line, plain_rules(), now_us);
    ASSERT_FALSE(unreadable);
    EXPECT_EQ(unreadable.error().code, Code::invalid_argument);
    EXPECT_THAT(unreadable.error().detail(), testing::StartsWith("event 2: the JSON ends too early"));

    const auto two_in_one = parser.ndjson(line + line, plain_rules(), now_us);
    ASSERT_FALSE(two_in_one);
    const auto broken = parser.ndjson("{\"event_name\":\"n\",\n\"event_src\":\"s\"}", plain_rules(), now_us);
    ASSERT_FALSE(broken) << "an event may not go over two lines";
    EXPECT_FALSE(parser.ndjson("", plain_rules(), now_us));
    EXPECT_FALSE(parser.ndjson("\n \n", plain_rules(), now_us));
}

TEST(JsonNdjson, IsBounded) {
    Parser parser;
    std::string text;
    for (std::size_t i = 0; i < limits::batch_events; ++i) {
        text += std::string(good) + "\n";
    }
    EXPECT_EQ(parser.ndjson(text, plain_rules(), now_us)->size(), limits::batch_events);
    text += good;
    EXPECT_EQ(parser.ndjson(text, plain_rules(), now_us).error().http_status(), 413U);
    EXPECT_EQ(parser.ndjson(std::string(limits::batch_bytes + 1, '\n'), plain_rules(), now_us).error().http_status(),
              413U);
}

TEST(JsonObject, GivesItsMembersInOrder) {
    Parser parser;
    std::string seen;
    const auto read_object = parser.object(R"( {"b":1,"a":{ "x" : [ 1 ] },"c":null,"d":"t\n","e":[ ],"f":2.5} )",
                                           [&seen](std::string_view key, const Scalar& value) {
                                               seen += key;
                                               seen += '=';
                                               append_scalar(seen, value);
                                               seen += std::holds_alternative<RawJson>(value) ? "* " : " ";
                                           });
    ASSERT_TRUE(read_object) << read_object.error().detail();
    EXPECT_EQ(seen, R"(b=1 a={"x":[1]}* c=null d="t\n" e=[]* f=2.5 )");
}

TEST(JsonObject, RefusesEverythingElse) {
    Parser parser;
    for (const std::string_view text : {"", "[]", "5", "null", "{", R"({"a":1,"a":2})", R"({"a":{"b":1,"b":2}})",
                                        R"({"a":"\u0000"})", "{} {}", R"({"a":1e999})"}) {
        const auto read_object = parser.object(text, [](std::string_view, const Scalar&) {});
        ASSERT_FALSE(read_object) << text;
        EXPECT_EQ(read_object.error().code, Code::invalid_argument) << text;
    }
}

// What goes out can come in again, but for what the daemon sets, and is then the same event.
TEST(JsonRoundTrip, AnEventReadsBack) {
    const auto first =
        read(R"({"scid":-7,"event_time":"2026-01-01T00:00:00.000001Z","event_rule_id":0,)"
             R"("event_name":"caf\u00e9 \"quoted\"","event_rule":"a\n\\b","event_src":"df","spark_script":"report",)"
             R"("gem_full_path":"/d \ud83d\udd14","count":9,"severity":"warn","event_type":"dataset","event_id":"i",)"
             R"("description":"d\t","summary":"s","environment":"aws-cloud",)"
             R"("payload":{"b":[1,-1,18446744073709551615,1.0,1e-300,true,null,"\u001f\u00fc"],"a":{}},)"
             R"("idempotency_key":"k"})");
    ASSERT_TRUE(first) << first.error().detail();
    std::string out;
    Event copy = first->front();
    copy.received_time_us = 0;
    append_object(out, copy);
    const auto second = read(out);
    ASSERT_TRUE(second) << out << "\n" << second.error().detail();
    EXPECT_EQ(second->front(), first->front());
}

} // namespace
} // namespace tocsin::json
