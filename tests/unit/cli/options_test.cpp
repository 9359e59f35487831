// SPDX-License-Identifier: Apache-2.0
#include "cli/options.hpp"

#include "cli/verbs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace tocsin::cli {
namespace {

Result<int> nothing(Session&, const Arguments&) {
    return 0;
}

constexpr std::array options = std::to_array<Option>({
    {.name = "name", .value = "NAME", .letter = 'n', .alias = "event-name", .repeats = true},
    {.name = "limit", .value = "N", .letter = 'l'},
    {.name = "all", .letter = 'a'},
    {.name = "bare", .letter = 'b'},
});
constexpr std::array verbs = std::to_array<Verb>({
    {.name = "find",
     .arguments = "[WORD…]",
     .summary = "find",
     .options = {options},
     .arguments_max = 2,
     .run = nothing},
    {.name = "watch", .summary = "watch", .run = nothing},
    {.name = "watch pause", .arguments = "WHO", .summary = "p", .arguments_min = 1, .arguments_max = 1, .run = nothing},
    {.name = "later"},
});

Result<Arguments> parse(std::initializer_list<std::string_view> words) {
    const std::vector<std::string_view> all(words);
    return parse_words(all, verbs);
}

std::string reason(std::initializer_list<std::string_view> words) {
    const auto parsed = parse(words);
    EXPECT_FALSE(parsed.has_value());
    if (parsed) {
        return {};
    }
    EXPECT_EQ(parsed.error().code, Code::invalid_argument);
    return parsed.error().detail();
}

TEST(Options, TakesEverySpelling) {
    for (const auto& words : std::vector<std::vector<std::string_view>>{
             {"find", "--limit", "5"}, {"find", "--limit=5"}, {"find", "-l", "5"}, {"find", "-l5"}}) {
        const auto parsed = parse_words(words, verbs);
        ASSERT_TRUE(parsed.has_value());
        EXPECT_EQ(parsed->value("limit"), "5");
    }
}

TEST(Options, ValuesMayBeginWithADash) {
    const auto parsed = parse({"find", "--name", "-1h", "-n", "--all"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->values("name").size(), 2U);
    EXPECT_EQ(parsed->values("name")[1], "--all");
    EXPECT_FALSE(parsed->has("all"));
}

TEST(Options, AliasesAndUnderscoresAreTheSameOption) {
    const auto parsed = parse({"find", "--event_name", "a", "--event-name=b", "--name", "c"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->values("name").size(), 3U);
    EXPECT_EQ(parsed->value("name"), "c");
}

TEST(Options, EmptyValuesAreValues) {
    const auto parsed = parse({"find", "--limit="});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->value("limit"), "");
}

TEST(Options, SwitchesMayBeJoined) {
    const auto parsed = parse({"find", "-abl7"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(parsed->has("all") && parsed->has("bare"));
    EXPECT_EQ(parsed->value("limit"), "7");
}

TEST(Options, CommonOptionsStandAnywhere) {
    const auto parsed = parse({"--socket", "/a b", "find", "--json", "word"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->value("socket"), "/a b");
    EXPECT_TRUE(parsed->has("json"));
    EXPECT_EQ(parsed->positional, (std::vector<std::string>{"word"}));
}

TEST(Options, DoubleDashEndsOptions) {
    const auto parsed = parse({"find", "--", "--all", "-x"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->positional, (std::vector<std::string>{"--all", "-x"}));
}

TEST(Options, ASingleDashIsAnArgument) {
    const auto parsed = parse({"find", "-"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->positional, (std::vector<std::string>{"-"}));
}

TEST(Options, FindsTheLongestVerb) {
    const auto parsed = parse({"watch", "pause", "pause"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->verb->name, "watch pause");
    EXPECT_EQ(parsed->positional, (std::vector<std::string>{"pause"}));
    EXPECT_EQ(parse({"watch"})->verb->name, "watch");
}

TEST(Options, NothingBehindALaterVerbIsJudged) {
    const auto parsed = parse({"later", "--whatever", "x", "y"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->verb->name, "later");
}

TEST(Options, SuggestsTheNearest) {
    EXPECT_NE(reason({"fnd"}).find("did you mean \"find\""), std::string::npos);
    EXPECT_NE(reason({"find", "--nam", "x"}).find("did you mean \"--name\""), std::string::npos);
    EXPECT_NE(reason({"find", "--sokcet", "x"}).find("\"--socket\""), std::string::npos);
    EXPECT_NE(reason({"watch", "puase", "x"}).find("did you mean \"pause\""), std::string::npos);
    EXPECT_EQ(reason({"zzzzzz"}).find("did you mean"), std::string::npos);
}

TEST(Options, SaysWhatIsWrong) {
    EXPECT_NE(reason({"find", "--limit"}).find("--limit: needs a value"), std::string::npos);
    EXPECT_NE(reason({"find", "--all=yes"}).find("--all: takes no value"), std::string::npos);
    EXPECT_NE(reason({"find", "-l", "1", "-l", "2"}).find("given twice"), std::string::npos);
    EXPECT_NE(reason({"find", "-x"}).find("-x: is not an option"), std::string::npos);
    EXPECT_NE(reason({"find", "a", "b", "c"}).find("one argument too many"), std::string::npos);
    EXPECT_NE(reason({"watch", "pause"}).find("needs WHO"), std::string::npos);
    EXPECT_NE(reason({}).find("a verb is missing"), std::string::npos);
}

TEST(Options, ErrorsNameTheirVerb) {
    EXPECT_EQ(parse({"watch", "pause", "--no"}).error().context, "watch pause");
    EXPECT_EQ(parse({"fnd"}).error().context, "");
}

TEST(Options, HelpNeedsNothingElse) {
    EXPECT_TRUE(parse({"--help"}).has_value());
    EXPECT_TRUE(parse({"watch", "pause", "-h"}).has_value());
    EXPECT_TRUE(parse({"-V"}).has_value());
}

TEST(Options, ReadsIntegersInBounds) {
    const auto parsed = parse({"find", "--limit", "12"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(*parsed->integer("limit", 1, 12), 12);
    EXPECT_FALSE(parsed->integer("limit", 13, 20).has_value());
    EXPECT_FALSE(parsed->integer("absent", 1, 2)->has_value());
    for (const std::string_view wrong : {"", "x", "1x", " 1", "99999999999999999999", "1.5"}) {
        EXPECT_FALSE(parse({"find", "--limit", wrong})->integer("limit", 0, 100).has_value()) << wrong;
    }
}

TEST(Options, TooManyWordsAreRefused) {
    std::vector<std::string_view> words(5'000, "find");
    EXPECT_FALSE(parse_words(words, verbs).has_value());
}

TEST(Options, WhatStandsBehindTheDashesIsTheSystemsMatter) {
    std::vector<std::string_view> words(6'000, "x");
    words.insert(words.begin(), {"run", "a", "--"});
    const auto parsed = parse_words(words, all_verbs());
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->positional.size(), 6'001U);
}

// ---- the real table ----

TEST(Verbs, AllOfTheContractAreKnown) {
    for (const std::string_view name :
         {"status",     "submit",    "query",     "follow",       "stats",    "histogram",   "heartbeats", "run",
          "jobs",       "apis",      "predict",   "alerts",       "silences", "maintenance", "rules",      "inputs",
          "handlers",   "fleet",     "config",    "backup",       "verify",   "export",      "import",     "capture",
          "replay",     "anomalies", "journeys",  "environments", "detect",   "forecast",    "report",     "reload",
          "completion", "doctor",    "dashboard", "demo"}) {
        EXPECT_TRUE(std::ranges::any_of(all_verbs(), [name](const Verb& verb) { return verb.name == name; })) << name;
    }
}

TEST(Verbs, NoNameOrOptionIsGivenTwice) {
    std::set<std::string_view> names;
    for (const Verb& verb : all_verbs()) {
        EXPECT_TRUE(names.insert(verb.name).second) << verb.name;
        std::set<std::string_view> options_of_verb;
        std::set<char> letters;
        for (const auto& table : {verb.options[0], verb.options[1], common_options()}) {
            for (const Option& option : table) {
                EXPECT_TRUE(options_of_verb.insert(option.name).second) << verb.name << " --" << option.name;
                EXPECT_TRUE(option.alias.empty() || options_of_verb.insert(option.alias).second) << option.alias;
                EXPECT_TRUE(option.letter == 0 || letters.insert(option.letter).second)
                    << verb.name << " -" << option.letter;
                EXPECT_FALSE(option.help.empty()) << verb.name << " --" << option.name;
            }
        }
    }
}

TEST(Verbs, AllThatRunSayWhatTheyDo) {
    for (const Verb& verb : all_verbs()) {
        if (verb.run != nullptr) {
            EXPECT_FALSE(verb.summary.empty()) << verb.name;
            EXPECT_TRUE(verb.summary.front() >= 'a' && verb.summary.front() <= 'z') << verb.name;
            EXPECT_EQ(verb.arguments_min > 0 || verb.arguments_max > 0, !verb.arguments.empty()) << verb.name;
        }
    }
}

} // namespace
} // namespace tocsin::cli
