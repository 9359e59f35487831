// SPDX-License-Identifier: Apache-2.0
#include "core/json.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace tocsin::json {
namespace {

using testing::HasSubstr;

// Writes what it visits as JSON again.
class Echo : public Visitor {
public:
    void begin_object() override { open('{'); }
    void key(std::string_view name) override {
        comma();
        append_string(out, name);
        out += ':';
        first = true;
    }
    void end_object() override { close('}'); }
    void begin_array() override { open('['); }
    void end_array() override { close(']'); }
    void scalar(const Scalar& value) override {
        comma();
        append_scalar(out, value);
    }
    std::string out{};

private:
    void comma() {
        if (!first) {
            out += ',';
        }
        first = false;
    }
    void open(char brace) {
        comma();
        out += brace;
        first = true;
    }
    void close(char brace) {
        out += brace;
        first = false;
    }
    bool first = true;
};

TEST(JsonWalk, VisitsEverythingInOrder) {
    for (const std::string_view text :
         {R"({"a":1,"b":[true,null,{"c":"x","d":[]}],"e":{},"f":-2.5,"g":18446744073709551615})", "[]", "{}", "5",
          R"("text")", R"([[1,2],[3,[4]],"ü\n"])"}) {
        Echo echo;
        ASSERT_TRUE(walk(text, echo)) << text;
        EXPECT_EQ(echo.out, text);
    }
}

TEST(JsonWalk, RefusesWhatIsNoJson) {
    for (const std::string_view text : {"", "{", "[1,]", "nul", "{} x", "\xFF", "[1e999]"}) {
        Echo echo;
        const auto walked = walk(text, echo);
        ASSERT_FALSE(walked) << text;
        EXPECT_EQ(walked.error().code, Code::invalid_argument);
        EXPECT_EQ(echo.out, "") << "nothing is visited of a text that is not whole";
    }
}

std::optional<std::string> at(std::string_view payload, const std::vector<std::string>& path) {
    std::optional<std::string> found;
    const bool there = with_path(payload, path, [&found](const Scalar& value) {
        std::string text;
        append_scalar(text, value);
        found = text;
    });
    EXPECT_EQ(there, found.has_value());
    return found;
}

TEST(JsonPath, LeadsToMembersAndItems) {
    constexpr std::string_view payload =
        R"({"rhost":"192.0.2.4","user":{"name":"root","id":0},"items":[10,{"x":2.5},"a\nb"],"a.b":true,"0":7})";
    EXPECT_EQ(at(payload, {"rhost"}), R"("192.0.2.4")");
    EXPECT_EQ(at(payload, {"user", "name"}), R"("root")");
    EXPECT_EQ(at(payload, {"user", "id"}), "0");
    EXPECT_EQ(at(payload, {"items", "0"}), "10");
    EXPECT_EQ(at(payload, {"items", "1", "x"}), "2.5");
    EXPECT_EQ(at(payload, {"items", "2"}), R"("a\nb")");
    EXPECT_EQ(at(payload, {"a.b"}), "true");
    EXPECT_EQ(at(payload, {"0"}), "7");
    EXPECT_EQ(at(payload, {"user"}), R"({"name":"root","id":0})");
    EXPECT_EQ(at(payload, {"items"}), R"([10,{"x":2.5},"a\nb"])");
}

TEST(JsonPath, EndsWhereThereIsNothing) {
    constexpr std::string_view payload = R"({"user":{"name":"root"},"items":[10],"n":null})";
    EXPECT_EQ(at(payload, {"nobody"}), std::nullopt);
    EXPECT_EQ(at(payload, {"User"}), std::nullopt);
    EXPECT_EQ(at(payload, {"user", "name", "first"}), std::nullopt);
    EXPECT_EQ(at(payload, {"user", "0"}), std::nullopt);
    EXPECT_EQ(at(payload, {"items", "1"}), std::nullopt);
    EXPECT_EQ(at(payload, {"items", "-1"}), std::nullopt);
    EXPECT_EQ(at(payload, {"items", "0x"}), std::nullopt);
    EXPECT_EQ(at(payload, {"items", ""}), std::nullopt);
    EXPECT_EQ(at(payload, {"items", "99999999999999999999"}), std::nullopt);
    EXPECT_EQ(at(payload, {"n"}), std::nullopt) << "null is absent";
    EXPECT_EQ(at("", {"user"}), std::nullopt);
    EXPECT_EQ(at("{", {"user"}), std::nullopt);
}

TEST(JsonPath, StringsComeUnescaped) {
    std::string seen;
    with_path(R"({"a":"x\"\u00fc\\"})", std::vector<std::string>{"a"},
              [&seen](const Scalar& value) { seen = std::get<std::string_view>(value); });
    EXPECT_EQ(seen, "x\"ü\\");
}

TEST(JsonPath, MayBeAskedInsideOfAWalk) {
    class Asking : public Echo {
    public:
        void scalar(const Scalar& value) override {
            Echo::scalar(value);
            EXPECT_EQ(at(R"({"other":{"tree":"that is longer than the one outside"}})", {"other", "tree"}),
                      R"("that is longer than the one outside")");
        }
    } asking;
    ASSERT_TRUE(walk(R"(["a","b",["c"]])", asking));
    EXPECT_EQ(asking.out, R"(["a","b",["c"]])");
}

TEST(JsonContains, LooksAtKeysAndScalars) {
    constexpr std::string_view payload =
        R"({"rhost":"192.0.2.4","deep":[{"tries":42,"ok":true,"say":"a \"b\"\nc","x":null}]})";
    for (const std::string_view needle :
         {"rhost", "192.0", "eep", "42", "4", "true", "a \"b\"", "\"\nc", "\n", "", "2.4"}) {
        EXPECT_TRUE(contains_text(payload, needle)) << needle;
    }
    for (const std::string_view needle :
         {"RHOST", "192.0.2.5", "\":\"", "{", "rhost\"", "null", "\\n", "true,", "4x"}) {
        EXPECT_FALSE(contains_text(payload, needle)) << needle;
    }
    EXPECT_FALSE(contains_text("", ""));
    EXPECT_FALSE(contains_text("{\"a", "a"));
}

TEST(JsonMinify, TakesOnlyOneWholeValue) {
    EXPECT_EQ(minify(" { \"a\" : [ 1 , 2.50 , \"\\u00fc\\/\" ] } \n"), R"({"a":[1,2.5,"ü/"]})");
    EXPECT_EQ(minify("7"), "7");
    EXPECT_EQ(minify("\"x\""), "\"x\"");
    for (const std::string_view text : {"", "   ", "{}{}", "[1] 2", "{\"a\":1,\"a\":2}", "\"\\u0000\"", "[01]", "[1.]",
                                        "[.5]", "[+1]", "['a']", "[\"\t\"]", "[\"\\x\"]", "{a:1}", "[1 2]", "[tru]"}) {
        EXPECT_FALSE(minify(text)) << text;
    }
}

TEST(JsonMinify, BoundsTheDepth) {
    const std::string deep = std::string(16, '[') + std::string(16, ']');
    EXPECT_EQ(minify(deep), deep);
    const std::string deeper = "[" + deep + "]";
    const auto refused = minify(deeper);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail(), HasSubstr("nested deeper than 16"));
    EXPECT_EQ(minify(deeper, 17), deeper);
    EXPECT_TRUE(minify("1", 0));
    EXPECT_FALSE(minify("[]", 0));
}

// Each thread reads with buffers of its own, of any size.
TEST(JsonThreads, DoNotShareBuffers) {
    std::vector<std::jthread> threads;
    std::array<int, 4> good{};
    for (std::size_t t = 0; t < good.size(); ++t) {
        threads.emplace_back([t, &count = good[t]] {
            for (std::size_t i = 0; i < 300; ++i) {
                const std::string text = "{\"k\":\"" + std::string((i * 37 * (t + 1)) % 5'000, 'x') + "\"}";
                count += minify(text) == text ? 1 : 0;
            }
        });
    }
    threads.clear();
    EXPECT_THAT(good, testing::Each(300));
}

TEST(JsonBuffers, ShrinkAgainAfterALargeText) {
    const std::string large = "[\"" + std::string(3 * limits::MiB, 'x') + "\"]";
    EXPECT_EQ(minify(large), large);
    EXPECT_EQ(minify("[1]"), "[1]");
    EXPECT_EQ(minify(large), large);
}

} // namespace
} // namespace tocsin::json
