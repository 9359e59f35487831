// SPDX-License-Identifier: Apache-2.0
// Lines are read the quick way where they are as most are. Whatever they are, an event read from a line is the one that
// a builder makes of its members one by one, or is refused for the same reasons.
#include "core/json.hpp"

#include <gmock/gmock.h>

#include <iterator>
#include <random>
#include <sstream>

namespace tocsin::json {
namespace {

constexpr std::int64_t now_us = 1'767'323'045'000'000;

const IntakeRules& rules() {
    static const IntakeRules made = [] {
        IntakeRules all;
        all.host = "a-host.example.org";
        all.redact = {"*password*", "tok?n"};
        all.datasets["login"] = {{"user"}, {"password"}, {"tries", "", "integer"}};
        return all;
    }();
    return made;
}

// By its members; nothing where the line is no object that could be taken apart.
std::optional<Result<Event>> by_members(std::string_view line) {
    EventBuilder builder(rules(), now_us);
    const auto set = [&builder](std::string_view key, const Scalar& value) { builder.set(key, value); };
    if (!Parser().object(line, set)) {
        return std::nullopt;
    }
    return builder.finish();
}

std::string wrong_fields(const Error& error) {
    std::string text;
    for (const FieldError& field : error.fields) {
        text += field.field + ": " + field.reason + "\n";
    }
    return text;
}

// True where the line is an event.
bool expect_same(const std::string& line) {
    const auto expected = by_members(line);
    const auto read = Parser().ndjson(line, rules(), now_us);
    if (!expected) {
        EXPECT_FALSE(read) << line;
        return false;
    }
    EXPECT_EQ(read.has_value(), expected->has_value()) << line;
    if (!read || !*expected) {
        EXPECT_EQ(read ? "" : wrong_fields(read.error()), *expected ? "" : wrong_fields(expected->error())) << line;
        return false;
    }
    EXPECT_EQ(read->front(), **expected) << line;
    return true;
}

std::string in_json(std::string_view text) {
    std::string out;
    append_string(out, text);
    return out;
}

std::string line_of(const std::vector<std::string>& members) {
    std::string line = "{";
    for (const std::string& member : members) {
        line += (line.size() > 1 ? "," : "") + member;
    }
    return line + "}";
}

// JSON, or nearly, that may stand for the value of any field; some take it.
constexpr std::string_view short_values = R"(
null true false tru nul NaN
0 -0 1 -1 1000000000 1000000001 9223372036854775807 -9223372036854775808 9223372036854775808
18446744073709551615 18446744073709551616 01 1. .5 - +1 0x1
0.0 -0.0 1.0 1.5 0.1 100000.0 99999.9 123456789012345678.5 1e3 1E+2 1e-7 1e308 1e309
[] [1] {} { [ " 1,2
"" "info" "Crit" "warn" "standard" "DATASET" "aws" "aws-cloud" "azure-cloud" "tocsin" "login" "1"
"2026-01-01T00:00:00Z" "2026-01-01T00:00" "2027-06-01T00:00:00Z" "1969-12-31T23:59:59Z"
"a/b" "../x" "report.sh" "a\u0000b" "\ud800" "\udc00x" "\ud83d\udd14" "\u0041" "a\nb" "a\tb" "\/\b\f\r\"\\"
"\q" "\u12" "unended "a","b" "café" "日本語"
{"a":1} {"a":1,"a":1} {"a":{"b":[1,{"c":null}]}} {"a":"\u0000"} {"a":"\ud800"} {"\udc00":1} {"a":{"b":1,"b":2}}
{"Password":1,"token":2,"tokens":3} {"a":18446744073709551615,"b":-9223372036854775808,"c":1e400}
{"a":1.50,"b":-0.0,"c":0.001,"d":1e5,"e":12345678.125,"f":0.1e1} {"a":true,"b":false,"c":null} {"":1} {"":1,"":2}
{"user":"u","password":"p","tries":1} {"user":"u","tries":1.5} {"a":"caf\u00e9","b":"café"}
{"a":"\u0001\u001f\u007f"} {"a":1}} {"a":[1,]} {"a":1,} {"a"1} {a:1}
{"a":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]} {"a":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}
)";

// The same and longer ones: at the limits, with bytes that no text has, and with many keys.
std::vector<std::string> odd_values() {
    std::istringstream words{std::string(short_values)};
    std::vector<std::string> values{std::istream_iterator<std::string>(words), {}};
    for (const std::string_view bytes : {"", " 7 ", "1 2", R"({ "a" : 1 , "b":[ ] })", "\xEF\xBB\xBF"}) {
        values.emplace_back(bytes);
    }
    for (const std::string_view bytes : {" ", "a\nb", "a\x7F", "\xC2\x80", "\xFF", "\xED\xA0\x80"}) {
        values.push_back('"' + std::string(bytes) + '"');
    }
    for (const std::size_t size :
         {1U, 7U, 8U, 9U, 15U, 16U, 17U, 64U, 255U, 256U, 4'096U, 4'097U, 16'384U, 16'385U, 65'500U, 65'536U}) {
        values.push_back(in_json(std::string(size, 'x')));
        values.push_back(R"({"a":)" + values.back() + "}");
    }
    for (const std::size_t keys : {15U, 16U, 17U, 40U, 62U, 63U, 64U}) {
        std::string many = "{";
        for (std::size_t i = 0; i < keys; ++i) {
            many += "\"k" + std::to_string(i * 7) + "\":" + std::to_string(i) + ",";
        }
        values.push_back(many + "\"last\":0}");
        values.push_back(many + "\"k7\":0}");
    }
    return values;
}

TEST(JsonEvents, EveryFieldTakesAndRefusesWhatABuilderDoes) {
    std::vector<std::string> keys;
    for (const std::string_view name : event_field_names()) {
        keys.push_back(in_json(name));
    }
    keys.insert(keys.end(),
                {R"("")", R"("other")", R"("Scid")", R"("sc\u0069d")", R"("scid\u0000")", R"("\ud800")", "scid"});
    std::size_t good = 0;
    std::size_t lines = 0;
    for (const std::string& key : keys) {
        for (const std::string& value : odd_values()) {
            const std::string member = key + ":" + value;
            const std::string name = R"("event_name":"disk.full")";
            const std::string source = R"("event_src":"df")";
            good += expect_same(line_of({name, source, member})) ? 1U : 0U;
            good += expect_same(line_of({member, name, source, R"("idempotency_key":"k")"})) ? 1U : 0U;
            good += expect_same(line_of({member, source, R"("scid":1)", member})) ? 1U : 0U;
            good +=
                expect_same(line_of({name, source, R"("event_id":"login","event_type":"dataset")", member})) ? 1U : 0U;
            lines += 4;
            ASSERT_FALSE(HasFailure()) << member;
        }
    }
    EXPECT_GT(good, lines / 40) << "most of them are hostile, but not all";
}

TEST(JsonEvents, NumbersOfAPayloadAreKeptAsABuilderKeepsThem) {
    std::vector<std::string> wholes{"0", "1", "9", "10", "00", "01", "99999", "100000", "123456", "99999999999999"};
    wholes.insert(wholes.end(), {"123456789012345", "1234567890123456", "999999999999999999", "1000000000000000000"});
    const std::vector<std::string> decimals{"",
                                            ".",
                                            ".0",
                                            ".00",
                                            ".1",
                                            ".10",
                                            ".5",
                                            ".01",
                                            ".001",
                                            ".0001",
                                            ".00012345",
                                            ".000",
                                            ".125",
                                            ".999",
                                            ".9999999",
                                            ".1234567890123",
                                            ".123456789012345"};
    std::mt19937 random(6);
    for (int round = 0; round < 200; ++round) {
        wholes.push_back(std::to_string(random() >> (round % 32)));
    }
    for (const std::string& whole : wholes) {
        for (const std::string& part : decimals) {
            for (const std::string_view exponent : {"", "e1", "E-5"}) {
                const std::string number = whole + part + std::string(exponent);
                expect_same(line_of({R"("event_name":"n","event_src":"s")", R"("payload":{"x":)" + number + "}"}));
                expect_same(line_of({R"("event_name":"n","event_src":"s")", R"("payload":{"x":[-)" + number + "]}"}));
                ASSERT_FALSE(HasFailure()) << number;
            }
        }
    }
}

// Lines that are read the quick way and lines that are not, in runs of any length: one parser reads them all.
TEST(JsonEvents, ALineIsReadTheSameWhateverWasBeforeIt) {
    std::mt19937 random(7);
    std::string batch;
    std::vector<Event> expected;
    while (expected.size() < 500) {
        const bool usual = random() % 2 == 0;
        for (auto run = random() % 30; run > 0; --run) {
            const std::string number = std::to_string(expected.size());
            const std::string line = line_of({R"("event_name":"n)" + number + '"', R"("event_src":"s")",
                                              usual ? R"("summary":"a")" : R"("summary":"\u00fc")",
                                              R"("payload":{"n":)" + number + (usual ? "}" : R"(,"token":1})")});
            batch += line + "\n";
            expected.push_back(by_members(line).value().value());
        }
    }
    const auto events = Parser().ndjson(batch, rules(), now_us);
    ASSERT_TRUE(events) << events.error().detail();
    EXPECT_EQ(*events, expected);
}

TEST(JsonEvents, AnySpoiltLineIsWhatABuilderSaysOfIt) {
    const std::string line =
        R"({"event_name":"disk.full","event_src":"df","scid":12,"severity":"error","event_rule_id":7,)"
        R"("environment":"aws","summary":"95 % of /var","count":3,"event_time":"2026-01-01T00:00:00Z",)"
        R"("payload":{"value":95.5,"limit":90,"unit":"%","on":true,"of":[{"path":"/var"},-1.25e3,null],"token":"t"}})";
    ASSERT_TRUE(expect_same(line));
    constexpr std::string_view odd = "\"\\{}[]:,.-+eE01 \t\rntfu/\x01\x7F\xC3\xFF*";
    for (std::size_t place = 0; place < line.size(); ++place) {
        for (const char c : odd) {
            std::string spoilt = line;
            spoilt[place] = c;
            expect_same(spoilt);
            expect_same(std::string(line).insert(place, 1, c));
        }
        expect_same(line.substr(0, place));
        expect_same(std::string(line).erase(place, 1));
        ASSERT_FALSE(HasFailure()) << place;
    }
}

TEST(JsonEvents, TwiceSpoiltLinesAreWhatABuilderSaysOfThem) {
    const std::string line = R"({"event_name":"a","event_src":"b","count":10,"payload":{"x":0.5,"y":[1,"z"],"xy":{}}})";
    std::mt19937 random(5);
    const auto below = [&random](std::size_t end) { return random() % end; };
    for (int round = 0; round < 8'000; ++round) {
        std::string spoilt = line;
        for (int change = 0; change < 2; ++change) {
            const std::size_t from = below(spoilt.size());
            const std::string piece = spoilt.substr(below(spoilt.size()), 1 + below(6));
            spoilt.replace(from, below(4), piece);
        }
        expect_same(spoilt);
        ASSERT_FALSE(HasFailure()) << spoilt;
    }
}

} // namespace
} // namespace tocsin::json
