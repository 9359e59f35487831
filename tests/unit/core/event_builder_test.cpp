// SPDX-License-Identifier: Apache-2.0
#include "core/event.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace tocsin {
namespace {

using testing::HasSubstr;
using std::string_view_literals::operator""sv;

constexpr std::int64_t now_us = 1'767'323'045'000'000; // 2026-01-02T03:04:05Z
constexpr std::int64_t day_us = 86'400LL * 1'000'000;

using Pair = std::pair<std::string_view, Scalar>;

const IntakeRules& plain_rules() {
    static const IntakeRules rules;
    return rules;
}

// An event of a valid name and source and these fields.
Result<Event> build(const std::vector<Pair>& fields, const IntakeRules& rules = plain_rules()) {
    EventBuilder builder(rules, now_us);
    builder.set("event_name", "disk.full"sv);
    builder.set("event_src", "df"sv);
    for (const auto& [key, value] : fields) {
        builder.set(key, value);
    }
    return builder.finish();
}

void expect_refused(const std::vector<Pair>& fields, std::string_view field, const std::string& reason,
                    const IntakeRules& rules = plain_rules()) {
    const auto event = build(fields, rules);
    ASSERT_FALSE(event) << field << " should have been refused: " << reason;
    EXPECT_EQ(event.error().code, Code::invalid_event);
    ASSERT_EQ(event.error().fields.size(), 1U) << event.error().detail();
    EXPECT_EQ(event.error().fields[0].field, field);
    EXPECT_THAT(event.error().fields[0].reason, HasSubstr(reason));
    EXPECT_EQ(event.error().object, field);
}

TEST(EventBuilder, FillsInTheDefaults) {
    IntakeRules rules;
    rules.host = "alpha";
    const auto event = build({}, rules);
    ASSERT_TRUE(event) << event.error().detail();
    Event want;
    want.event_name = "disk.full";
    want.event_src = "df";
    want.event_time_us = now_us;
    want.received_time_us = now_us;
    want.host = "alpha";
    EXPECT_EQ(*event, want);
    EXPECT_EQ(event->count, 1U);
    EXPECT_EQ(event->severity, Severity::info);
    EXPECT_EQ(event->event_type, EventType::standard);
}

TEST(EventBuilder, TakesEveryFieldOfASender) {
    const auto event = build({{"scid", std::int64_t{-7}},
                              {"event_time", "2026-01-01T00:00:00Z"sv},
                              {"event_rule_id", std::int64_t{3}},
                              {"event_rule", "free\n< 5 %"sv},
                              {"spark_script", "report.sh"sv},
                              {"gem_full_path", "/data/gem.h5"sv},
                              {"count", std::int64_t{5}},
                              {"severity", "High"sv},
                              {"event_type", "dataset"sv},
                              {"event_id", "disk"sv},
                              {"description", "tab\tand\nline"sv},
                              {"summary", "full"sv},
                              {"environment", "gcp-cloud"sv},
                              {"payload", RawJson{R"( { "b" : 1 , "a" : [ ] } )"}},
                              {"idempotency_key", "k"sv}});
    ASSERT_TRUE(event) << event.error().detail();
    EXPECT_EQ(event->scid, -7);
    EXPECT_EQ(event->event_time_us, 1'767'225'600'000'000);
    EXPECT_EQ(event->event_rule_id, 3);
    EXPECT_EQ(event->event_rule, "free\n< 5 %");
    EXPECT_EQ(event->spark_script, "report.sh");
    EXPECT_EQ(event->gem_full_path, "/data/gem.h5");
    EXPECT_EQ(event->count, 5U);
    EXPECT_EQ(event->severity, Severity::error);
    EXPECT_EQ(event->event_type, EventType::dataset);
    EXPECT_EQ(event->event_id, "disk");
    EXPECT_EQ(event->description, "tab\tand\nline");
    EXPECT_EQ(event->summary, "full");
    EXPECT_EQ(event->environment, "gcp");
    EXPECT_EQ(event->payload, R"({"b":1,"a":[]})");
    EXPECT_EQ(event->idempotency_key, "k");
    EXPECT_NE(event->content_hash, 0U);
}

TEST(EventBuilder, StringsAreCopied) {
    EventBuilder builder(plain_rules(), now_us);
    {
        std::string name = "a name that is longer than any small string";
        builder.set("event_name", std::string_view(name));
        builder.set("event_src", "df"sv);
        name.assign(name.size(), '!');
    }
    EXPECT_EQ(builder.finish()->event_name, "a name that is longer than any small string");
}

TEST(EventBuilder, NullAndEmptyStringsAreAbsent) {
    for (const std::string_view key : event_field_names()) {
        if (key == "event_name" || key == "event_src") {
            continue;
        }
        EXPECT_TRUE(build({{key, std::monostate{}}})) << key;
        EXPECT_TRUE(build({{key, ""sv}})) << key;
    }
    const auto event = build({{"severity", ""sv}, {"count", std::monostate{}}, {"event_time", ""sv}});
    EXPECT_EQ(event->severity, Severity::info);
    EXPECT_EQ(event->count, 1U);
    EXPECT_EQ(event->event_time_us, now_us);
}

TEST(EventBuilder, NameAndSourceAreRequired) {
    EventBuilder nothing(plain_rules(), now_us);
    const auto event = nothing.finish();
    ASSERT_FALSE(event);
    ASSERT_EQ(event.error().fields.size(), 2U);
    EXPECT_EQ(event.error().detail(), "event_name: is required (and 1 more)");
    EXPECT_EQ(event.error().fields[1].field, "event_src");

    EventBuilder empty(plain_rules(), now_us);
    empty.set("event_name", ""sv);
    empty.set("event_src", std::monostate{});
    EXPECT_EQ(empty.finish().error().fields.size(), 2U);
}

TEST(EventBuilder, AWrongNameIsToldOnce) {
    EventBuilder builder(plain_rules(), now_us);
    builder.set("event_name", "a\nb"sv);
    builder.set("event_src", "df"sv);
    const auto event = builder.finish();
    ASSERT_EQ(event.error().fields.size(), 1U);
    EXPECT_EQ(event.error().detail(), "event_name: has a control character");
}

TEST(EventBuilder, AllWrongFieldsAreTold) {
    const auto event = build({{"severity", "hihg"sv}, {"scid", "x"sv}, {"nonsense", true}, {"count", std::int64_t{0}}});
    ASSERT_FALSE(event);
    std::vector<std::string> fields;
    for (const FieldError& error : event.error().fields) {
        fields.push_back(error.field);
    }
    EXPECT_THAT(fields, testing::ElementsAre("severity", "scid", "nonsense", "count"));
    EXPECT_EQ(event.error().detail(), "severity: \"hihg\" is not one of info, warning, error, critical (and 3 more)");
}

TEST(EventBuilder, TheListOfWrongFieldsIsBounded) {
    EventBuilder builder(plain_rules(), now_us);
    for (int i = 0; i < 10'000; ++i) {
        builder.set("field" + std::to_string(i), true);
    }
    EXPECT_EQ(builder.finish().error().fields.size(), limits::errors_listed);
}

TEST(EventBuilder, UnknownFieldsAreNamedWithASuggestion) {
    expect_refused({{"sevirity", "info"sv}}, "sevirity", "did you mean \"severity\"?");
    expect_refused({{"Event_Name", "x"sv}}, "Event_Name", "is not a field of an event");
    expect_refused({{"", "x"sv}}, "", "is not a field of an event");
    expect_refused({{"nothing_like_it_at_all", std::monostate{}}}, "nothing_like_it_at_all",
                   "is not a field of an event");
    const std::string long_key(10'000, 'k');
    expect_refused({{long_key, true}}, std::string(255, 'k'), "is not a field of an event");
}

TEST(EventBuilder, EveryFieldMayBeGivenOnce) {
    for (const std::string_view key : event_field_names()) {
        EventBuilder builder(plain_rules(), now_us);
        builder.set("event_name", "n"sv);
        builder.set("event_src", "s"sv);
        builder.set(key, std::monostate{});
        builder.set(key, std::monostate{});
        const auto event = builder.finish();
        ASSERT_FALSE(event) << key;
        EXPECT_EQ(event.error().fields[0].field, key);
        EXPECT_EQ(event.error().fields[0].reason, "is given twice");
    }
}

TEST(EventBuilder, FieldsOfTheDaemonAreRefused) {
    for (const std::string_view key : {"unique_index", "spark_report_id", "spark_report_url", "received_time", "cause",
                                       "cause_depth", "host", "host_index", "origin"}) {
        expect_refused({{key, "1"sv}}, key, "is set by the daemon");
        expect_refused({{key, std::int64_t{1}}}, key, "is set by the daemon");
    }
}

TEST(EventBuilder, TheDaemonsNameIsItsOwn) {
    EventBuilder builder(plain_rules(), now_us);
    builder.set("event_name", "alert.firing"sv);
    builder.set("event_src", "tocsin"sv);
    const auto event = builder.finish();
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().fields[0].field, "event_src");
    EXPECT_THAT(event.error().detail(), HasSubstr("the daemon's own name"));

    EventBuilder own(plain_rules(), now_us);
    own.set("event_name", "alert.firing"sv);
    own.set("event_src", "tocsin"sv);
    EXPECT_TRUE(own.finish(true));
}

TEST(EventBuilder, FacesMayRefuseFieldsThemselves) {
    EventBuilder builder(plain_rules(), now_us);
    builder.set("event_name", "n"sv);
    builder.set("event_src", "s"sv);
    builder.refuse("payload", "has a file descriptor");
    EXPECT_EQ(builder.finish().error().detail(), "payload: has a file descriptor");
}

struct TextLimit {
    std::string_view key;
    std::size_t max_bytes;
};

TEST(EventBuilderLimits, TextsAreTakenAtTheirLimitAndRefusedBeyond) {
    for (const auto& [key, max_bytes] : std::vector<TextLimit>{{"event_rule", 16 * 1024},
                                                               {"description", 16 * 1024},
                                                               {"summary", 16 * 1024},
                                                               {"gem_full_path", 4 * 1024},
                                                               {"event_id", 255},
                                                               {"environment", 255},
                                                               {"spark_script", 255},
                                                               {"idempotency_key", 255}}) {
        const std::string at(max_bytes, 'x');
        EXPECT_TRUE(build({{key, std::string_view(at)}})) << key;
        const std::string over(max_bytes + 1, 'x');
        expect_refused({{key, std::string_view(over)}}, key, "is longer than " + std::to_string(max_bytes) + " bytes");
    }
}

TEST(EventBuilderLimits, NamesAreTakenAtTheirLimitAndRefusedBeyond) {
    for (const std::string_view key : {"event_name", "event_src"}) {
        for (const std::size_t size : {1U, 255U, 256U}) {
            EventBuilder builder(plain_rules(), now_us);
            const std::string text(size, 'x');
            builder.set(key, std::string_view(text));
            builder.set(key == "event_name" ? "event_src" : "event_name", "other/name"sv);
            EXPECT_EQ(builder.finish().has_value(), size <= 255) << key << " " << size;
        }
    }
}

TEST(EventBuilderLimits, ControlCharactersAreRefusedInNamesAndPaths) {
    for (const std::string_view key : {"event_id", "environment", "spark_script", "gem_full_path", "idempotency_key"}) {
        for (const std::string_view text : {"a\nb"sv, "a\0b"sv, "a\x7F"sv, "a\xC2\x85"sv}) {
            expect_refused({{key, text}}, key, "control character");
        }
    }
}

TEST(EventBuilderLimits, TextsHaveLinesButNoZeroCharacter) {
    for (const std::string_view key : {"event_rule", "description", "summary"}) {
        EXPECT_TRUE(build({{key, "a\nb\t\x1B[0m"sv}})) << key;
        expect_refused({{key, "a\0b"sv}}, key, "has the character U+0000");
    }
}

TEST(EventBuilderLimits, EveryTextMustBeUtf8) {
    for (const std::string_view key : {"event_rule", "description", "summary", "gem_full_path", "event_id",
                                       "environment", "spark_script", "idempotency_key"}) {
        expect_refused({{key, "a\xFF"sv}}, key, "is not valid UTF-8");
        EXPECT_TRUE(build({{key, "日本語 🔔"sv}})) << key;
    }
}

TEST(EventBuilderLimits, ScriptsAreNamesAndNeverPaths) {
    for (const std::string_view text : {"../report", "/bin/sh", "a/b", "..", "a..b"}) {
        const auto event = build({{"spark_script", text}});
        ASSERT_FALSE(event) << text;
        EXPECT_EQ(event.error().fields[0].field, "spark_script");
    }
    EXPECT_TRUE(build({{"spark_script", "report.v2-final"sv}}));
}

TEST(EventBuilderTypes, IntegersOfAnyWidthAreTaken) {
    for (const std::string_view key : {"scid", "event_rule_id", "count", "event_time"}) {
        EXPECT_TRUE(build({{key, std::int64_t{5}}})) << key;
        EXPECT_TRUE(build({{key, std::uint64_t{5}}})) << key;
        EXPECT_TRUE(build({{key, std::uint32_t{5}}})) << key;
    }
    const auto min = build({{"scid", std::numeric_limits<std::int64_t>::min()}});
    EXPECT_EQ(min->scid, std::numeric_limits<std::int64_t>::min());
    const auto max = build({{"scid", static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())}});
    EXPECT_EQ(max->scid, std::numeric_limits<std::int64_t>::max());
    expect_refused({{"scid", std::uint64_t{1} << 63U}}, "scid", "does not fit a signed 64-bit integer");
    expect_refused({{"event_rule_id", std::uint64_t{1} << 63U}}, "event_rule_id", "does not fit");
    expect_refused({{"event_time", std::uint64_t{1} << 63U}}, "event_time", "is too large for a time");
}

TEST(EventBuilderTypes, EachFieldHasItsKind) {
    for (const std::string_view key : {"scid", "event_rule_id", "count"}) {
        expect_refused({{key, "5"sv}}, key, "is a string, not an integer");
        expect_refused({{key, 5.0}}, key, "is a real number, not an integer");
        expect_refused({{key, true}}, key, "is a boolean, not an integer");
        expect_refused({{key, RawJson{"[]"}}}, key, "is an array, not an integer");
        expect_refused({{key, TimeUs{1}}}, key, "is a time, not an integer");
    }
    for (const std::string_view key : {"event_rule", "spark_script", "gem_full_path", "severity", "event_type",
                                       "event_id", "description", "summary", "environment", "idempotency_key"}) {
        expect_refused({{key, std::int64_t{5}}}, key, "is an integer, not a string");
        expect_refused({{key, false}}, key, "is a boolean, not a string");
        expect_refused({{key, RawJson{"{}"}}}, key, "is an object, not a string");
    }
    expect_refused({{"event_time", 1.5}}, "event_time", "is a real number, not a time");
    expect_refused({{"event_time", true}}, "event_time", "is a boolean, not a time");
    expect_refused({{"payload", "{}"sv}}, "payload", "is a string, not an object");
    expect_refused({{"payload", std::int64_t{1}}}, "payload", "is an integer, not an object");
    expect_refused({{"payload", RawJson{"[1]"}}}, "payload", "is an array, not an object");
    expect_refused({{"event_type", "data"sv}}, "event_type", "\"data\" is not one of standard, dataset");
}

TEST(EventBuilderLimits, CountIsFromOneToABillion) {
    EXPECT_EQ(build({{"count", std::int64_t{1'000'000'000}}})->count, 1'000'000'000U);
    for (const Scalar& count :
         std::vector<Scalar>{std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'000'000'001}, std::uint64_t{1} << 63U}) {
        expect_refused({{"count", count}}, "count", "is not between 1 and 1000000000");
    }
}

TEST(EventBuilderTime, IsTakenInEveryForm) {
    for (const Scalar& time : std::vector<Scalar>{
             TimeUs{now_us - 5'000'000}, std::int64_t{1'767'323'040}, std::uint64_t{1'767'323'040'000},
             std::uint64_t{1'767'323'040'000'000}, std::int64_t{1'767'323'040'000'000'000},
             "2026-01-02T04:04:00+01:00"sv, "2026-01-02 03:04:00"sv, "02-Jan-2026 03:04:00"sv, "1767323040"sv}) {
        const auto event = build({{"event_time", time}});
        ASSERT_TRUE(event) << event.error().detail();
        EXPECT_EQ(event->event_time_us, now_us - 5'000'000);
    }
    IntakeRules rules;
    rules.zone = *Zone::find("Europe/Berlin");
    EXPECT_EQ(build({{"event_time", "2026-01-02 04:04:00"sv}}, rules)->event_time_us, now_us - 5'000'000);
}

TEST(EventBuilderTime, IsBounded) {
    EXPECT_TRUE(build({{"event_time", TimeUs{now_us + day_us}}}));
    expect_refused({{"event_time", TimeUs{now_us + day_us + 1}}}, "event_time", "is more than 24 h ahead");
    EXPECT_EQ(build({{"event_time", TimeUs{0}}})->event_time_us, 0) << "1970 itself is taken";
    expect_refused({{"event_time", TimeUs{-1}}}, "event_time", "is before 1970");
    expect_refused({{"event_time", "1969-12-31T23:59:59Z"sv}}, "event_time", "is before 1970");
    expect_refused({{"event_time", "soon"sv}}, "event_time", "\"soon\" is not a time");
}

TEST(EventBuilderPayload, IsMinifiedAndChecked) {
    EXPECT_EQ(build({{"payload", RawJson{"{}"}}})->payload, "{}");
    EXPECT_EQ(build({{"payload", RawJson{R"({"r": 1.50, "e": 1e2, "u": 18446744073709551615, "z": -0.0})"}}})->payload,
              R"({"r":1.5,"e":100.0,"u":18446744073709551615,"z":-0.0})");
    expect_refused({{"payload", RawJson{"{\"a\":1"}}}, "payload", "is not JSON");
    expect_refused({{"payload", RawJson{"{\"a\":NaN}"}}}, "payload", "is not JSON");
    expect_refused({{"payload", RawJson{"{\"a\":18446744073709551616}"}}}, "payload", "does not fit 64 bits");
    expect_refused({{"payload", RawJson{"{\"a\":-9223372036854775809}"}}}, "payload", "does not fit 64 bits");
    expect_refused({{"payload", RawJson{"{\"a\":1e999}"}}}, "payload", "too large for a double");
    expect_refused({{"payload", RawJson{R"({"a":"\u0000"})"}}}, "payload", "has the character U+0000");
    expect_refused({{"payload", RawJson{R"({"\u0000":1})"}}}, "payload", "has the character U+0000");
    expect_refused({{"payload", RawJson{R"({"a":"\udc00"})"}}}, "payload", "half of a surrogate pair");
    expect_refused({{"payload", RawJson{R"({"a":1,"b":2,"a":3})"}}}, "payload", "has the key \"a\" twice");
    expect_refused({{"payload", RawJson{R"({"o":[{"a":1,"\u0061":3}]})"}}}, "payload", "has the key \"a\" twice");
}

std::string nested(unsigned depth) {
    std::string text;
    for (unsigned i = 0; i < depth; ++i) {
        text += "{\"a\":";
    }
    text += "1";
    return text + std::string(depth, '}');
}

TEST(EventBuilderPayload, IsTakenAtItsLimitsAndRefusedBeyond) {
    const std::string deep = nested(16);
    EXPECT_TRUE(build({{"payload", RawJson{deep}}}));
    const std::string deeper = nested(17);
    expect_refused({{"payload", RawJson{deeper}}}, "payload", "is nested deeper than 16");
    const std::string deepest = nested(5'000);
    expect_refused({{"payload", RawJson{deepest}}}, "payload", "is nested deeper than");

    const std::string frame = R"({"a":""})";
    const std::string at = R"({"a":")" + std::string(64 * 1024 - frame.size(), 'x') + "\"}";
    EXPECT_EQ(build({{"payload", RawJson{at}}})->payload.size(), 64 * 1024);
    const std::string spaced = at + std::string(1'000, ' ');
    EXPECT_TRUE(build({{"payload", RawJson{spaced}}})) << "what counts is the minified size";
    const std::string over = R"({"a":")" + std::string(64 * 1024 - frame.size() + 1, 'x') + "\"}";
    expect_refused({{"payload", RawJson{over}}}, "payload", "is larger than 65536 bytes");
}

TEST(EventBuilderPayload, ManyKeysAreComparedToo) {
    std::string text = "{";
    for (int i = 0; i < 1'000; ++i) {
        text += "\"k" + std::to_string(i) + "\":1,";
    }
    const std::string good = text + "\"last\":1}";
    EXPECT_TRUE(build({{"payload", RawJson{good}}}));
    const std::string twice = text + "\"k500\":1}";
    expect_refused({{"payload", RawJson{twice}}}, "payload", "has the key \"k500\" twice");
}

} // namespace
} // namespace tocsin
