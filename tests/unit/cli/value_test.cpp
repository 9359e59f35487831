// SPDX-License-Identifier: Apache-2.0
#include "cli/value.hpp"

#include "cli/metrics.hpp"

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

Value parse(std::string_view text) {
    auto value = Value::parse(text);
    EXPECT_TRUE(value.has_value()) << text;
    return value ? *value : Value();
}

TEST(Value, ReadsEveryKind) {
    const Value value = parse(R"({"s":"ä\n","i":-5,"u":18446744073709551615,"d":1.5,"t":true,"f":false,"n":null,)"
                              R"("a":[1,"x",[]],"o":{"k":{}}})");
    EXPECT_EQ(value["s"].text(), "ä\n");
    EXPECT_EQ(value["i"].text(), "-5");
    EXPECT_EQ(value["u"].text(), "18446744073709551615");
    EXPECT_EQ(value["u"].number(), 18446744073709551615ULL);
    EXPECT_EQ(value["d"].real(), 1.5);
    EXPECT_TRUE(value["t"].truth());
    EXPECT_FALSE(value["f"].truth());
    EXPECT_EQ(value["t"].text(), "true");
    EXPECT_TRUE(value["n"].is_null());
    EXPECT_EQ(value["a"].items().size(), 3U);
    EXPECT_EQ(value["o"].text(), R"({"k":{}})");
}

TEST(Value, WritesWhatItRead) {
    for (const std::string_view text :
         {R"({"a":[1,-2,true,null,"x\"y"],"b":{"c":"ä"}})", "[]", "{}", "null", R"(["\u001b"])", "[[[]]]"}) {
        EXPECT_EQ(parse(text).json(), text);
    }
}

TEST(Value, WhatIsMissingIsEmpty) {
    const Value value = parse(R"({"a":"text"})");
    EXPECT_TRUE(value["b"].is_null());
    EXPECT_EQ(value["b"]["c"].text(), "");
    EXPECT_EQ(value["a"].number(), 0U);
    EXPECT_EQ(value["a"].real(), 0.0);
    EXPECT_TRUE(value["a"].items().empty());
    EXPECT_TRUE(value["a"].members().empty());
}

TEST(Value, NegativeIsNoNumberHere) {
    EXPECT_EQ(parse("-1").number(), 0U);
    EXPECT_EQ(parse("-1").real(), -1.0);
}

TEST(Value, RefusesWhatIsNotJson) {
    for (const std::string_view text : {"", "{", "{\"a\":}", "nul", "[1,]", "\"\xFF\"", "{} {}"}) {
        const auto value = Value::parse(text);
        ASSERT_FALSE(value.has_value()) << text;
        EXPECT_EQ(value.error().code, Code::invalid_argument);
    }
}

TEST(Metrics, ReadsOneMetricByOneLabel) {
    const auto counts = labelled_counts("# HELP tocsin_heartbeats x\n"
                                        "tocsin_heartbeats{state=\"up\"} 3\n"
                                        "tocsin_heartbeats_other{state=\"up\"} 9\n"
                                        "tocsin_heartbeats{zone=\"a\",state=\"down\"} 1e1\n"
                                        "tocsin_heartbeats{zone=\"a\"} 4\n"
                                        "tocsin_heartbeats{state=\"odd\"} x\n"
                                        "tocsin_heartbeats{state=\"last\"} 2",
                                        "tocsin_heartbeats", "state");
    const LabelledCounts wanted{{"up", 3}, {"down", 10}, {"last", 2}};
    EXPECT_EQ(counts, wanted);
}

} // namespace
} // namespace tocsin::cli
