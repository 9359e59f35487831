// SPDX-License-Identifier: Apache-2.0
#include "core/json.hpp"

#include <gmock/gmock.h>
#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

namespace tocsin::json {
namespace {

using std::string_view_literals::operator""sv;

std::string string_of(std::string_view text) {
    std::string out;
    append_string(out, text);
    return out;
}

std::string scalar_text(const Scalar& value) {
    std::string out;
    append_scalar(out, value);
    return out;
}

TEST(JsonString, EscapesOnlyWhatMustBe) {
    const std::vector<std::pair<std::string_view, std::string_view>> cases{
        {"", R"("")"},
        {"plain", R"("plain")"},
        {"a/b", R"("a/b")"},
        {"say \"hi\"", R"("say \"hi\"")"},
        {"back\\slash", R"("back\\slash")"},
        {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
        {"\x01\x1F"sv, R"("\u0001\u001f")"},
        {"a\0b"sv, R"("a\u0000b")"},
        {"\x7F", "\"\x7F\""},
        {"Grüße 日本語 🔔", "\"Grüße 日本語 🔔\""},
        {"0123456789abcdef\"0123456789abcdef", R"("0123456789abcdef\"0123456789abcdef")"},
    };
    for (const auto& [text, json] : cases) {
        EXPECT_EQ(string_of(text), json);
    }
}

TEST(JsonString, WhatIsNoUtf8IsReplaced) {
    EXPECT_EQ(string_of("a\xFFz"), "\"a\uFFFDz\"");
    EXPECT_EQ(string_of("\xC3"), "\"\uFFFD\"");
    EXPECT_EQ(string_of("ü\xFF\xFE日\xE6"), "\"ü\uFFFD\uFFFD日\uFFFD\"");
    EXPECT_EQ(string_of("\xED\xA0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");
}

// Every byte at every place of a word, so that the fast path and the slow one agree.
TEST(JsonString, SpecialBytesAreFoundWhereverTheyStand) {
    simdjson::dom::parser parser;
    for (unsigned byte = 1; byte < 0x80; ++byte) {
        for (std::size_t place = 0; place < 20; ++place) {
            std::string text(20, 'x');
            text[place] = static_cast<char>(byte);
            std::string json = string_of(text);
            std::string_view back;
            ASSERT_EQ(parser.parse(json).get(back), simdjson::SUCCESS) << json;
            ASSERT_EQ(back, text);
        }
    }
}

TEST(JsonString, RandomBytesAlwaysMakeJson) {
    simdjson::dom::parser parser;
    std::mt19937 random(7);
    for (int round = 0; round < 2'000; ++round) {
        std::string text(random() % 64, '\0');
        for (char& c : text) {
            c = static_cast<char>(random());
        }
        std::string json = string_of(text);
        std::string_view back;
        ASSERT_EQ(parser.parse(json).get(back), simdjson::SUCCESS) << testing::PrintToString(text);
        if (valid_utf8(text)) {
            ASSERT_EQ(back, text);
        }
    }
}

TEST(JsonScalar, WritesEveryKind) {
    EXPECT_EQ(scalar_text(std::monostate{}), "null");
    EXPECT_EQ(scalar_text(true), "true");
    EXPECT_EQ(scalar_text(false), "false");
    EXPECT_EQ(scalar_text(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
    EXPECT_EQ(scalar_text(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
    EXPECT_EQ(scalar_text((std::uint64_t{1} << 53U) + 1), "9007199254740993");
    EXPECT_EQ(scalar_text(std::uint32_t{7}), "7");
    EXPECT_EQ(scalar_text("a\"b"sv), R"("a\"b")");
    EXPECT_EQ(scalar_text(RawJson{R"({"a":[1]})"}), R"({"a":[1]})");
    EXPECT_EQ(scalar_text(TimeUs{1'767'323'045'000'001}), R"("2026-01-02T03:04:05.000001Z")");
    const std::array<std::int64_t, 2> two{1'767'323'045'000'001, 0};
    EXPECT_EQ(scalar_text(TimesUs{two}), R"(["2026-01-02T03:04:05.000001Z","1970-01-01T00:00:00.000000Z"])");
    EXPECT_EQ(scalar_text(TimesUs{}), "[]");
}

TEST(JsonReal, IsTheShortestThatStaysAReal) {
    const std::vector<std::pair<double, std::string_view>> cases{
        {0.0, "0.0"},      {-0.0, "-0.0"},     {1.0, "1.0"},    {1.5, "1.5"},
        {0.1, "0.1"},      {-2.25, "-2.25"},   {1e15, "1e+15"}, {123456.0, "123456.0"},
        {1e300, "1e+300"}, {5e-324, "5e-324"}, {1e-7, "1e-07"}, {0.30000000000000004, "0.30000000000000004"},
    };
    for (const auto& [value, text] : cases) {
        EXPECT_EQ(scalar_text(value), text);
    }
    EXPECT_EQ(scalar_text(std::nan("")), "null");
    EXPECT_EQ(scalar_text(std::numeric_limits<double>::infinity()), "null");
}

TEST(JsonReal, ReadsBackAsTheSameReal) {
    simdjson::dom::parser parser;
    std::mt19937_64 random(11);
    for (int round = 0; round < 20'000; ++round) {
        const auto value = std::bit_cast<double>(random());
        if (!std::isfinite(value)) {
            continue;
        }
        std::string text = "[" + scalar_text(value) + "]";
        simdjson::dom::element back;
        ASSERT_EQ(parser.parse(text).at(0).get(back), simdjson::SUCCESS) << text;
        ASSERT_TRUE(back.is_double()) << text;
        ASSERT_EQ(double(back), value) << text;
    }
}

// What the C++ library says of a real, made one that stays a real.
std::string by_the_library(double value) {
    std::array<char, 32> text{};
    std::string out(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
    return out.find_first_of(".e") == std::string::npos ? out + ".0" : out;
}

TEST(JsonReal, WithFewDecimalsIsWhatTheLibrarySays) {
    std::vector<double> values{99'999.999, 99'999.9995, 100'000, 100'000.5, 0.001, 0.0009995, 0.00099, 1e-3, 9999.9995};
    for (int thousandths = 0; thousandths < 200'000; ++thousandths) {
        values.push_back(thousandths / 1'000.0);
        values.push_back(thousandths);
    }
    std::mt19937_64 random(12);
    for (int round = 0; round < 200'000; ++round) {
        const std::uint64_t number = random();
        values.push_back(static_cast<double>(number % 100'000'000) / 1'000);
        values.push_back(static_cast<double>(number % 1'000'000'000) / 10'000);
        values.push_back(static_cast<double>(number) / 0x1p47); // up to 131,072, with all of its bits
    }
    for (const double value : values) {
        for (const double near : {value, std::nextafter(value, 0.0), std::nextafter(value, 1e6)}) {
            ASSERT_EQ(scalar_text(near), by_the_library(near));
            ASSERT_EQ(scalar_text(-near), by_the_library(-near));
        }
    }
}

struct Pair {
    std::string first;
    std::optional<std::int64_t> second{};
};

void describe(const Pair& pair, const FieldSink& sink) {
    sink("first", std::string_view(pair.first));
    if (pair.second) {
        sink("second", *pair.second);
    }
}

TEST(ObjectWriter, WritesBracesAndCommas) {
    std::string out = "x";
    ObjectWriter writer(out);
    writer.close();
    EXPECT_EQ(out, "x{}");

    std::string two;
    append_object(two, Pair{"a\n", 2});
    EXPECT_EQ(two, R"({"first":"a\n","second":2})");
    std::string one;
    append_object(one, Pair{"a"});
    EXPECT_EQ(one, R"({"first":"a"})");
}

} // namespace
} // namespace tocsin::json
