// SPDX-License-Identifier: Apache-2.0
// Datasets, redaction and the hash of what a sender said: what is decided when all fields are there.
#include "core/event.hpp"

#include <gmock/gmock.h>

namespace tocsin {
namespace {

using testing::HasSubstr;
using std::string_view_literals::operator""sv;

constexpr std::int64_t now_us = 1'767'323'045'000'000;

using Pair = std::pair<std::string_view, Scalar>;

Result<Event> build(const IntakeRules& rules, const std::vector<Pair>& fields, std::int64_t at_us = now_us) {
    EventBuilder builder(rules, at_us);
    builder.set("event_name", "login"sv);
    builder.set("event_src", "sshd"sv);
    for (const auto& [key, value] : fields) {
        builder.set(key, value);
    }
    return builder.finish();
}

IntakeRules login_rules() {
    IntakeRules rules;
    rules.datasets["login"] = {
        {"user", "User", "string"}, {"duration", "", "number"}, {"tries", "", "integer"}, {"ok", "", "boolean"}};
    return rules;
}

Result<Event> build_login(const IntakeRules& rules, std::string_view payload) {
    return build(rules, {{"event_type", "dataset"sv}, {"event_id", "login"sv}, {"payload", RawJson{payload}}});
}

TEST(Dataset, PayloadKeysEqualTheDeclaredOnes) {
    const IntakeRules rules = login_rules();
    for (const std::string_view payload :
         {R"({"user":"root","duration":1.5,"tries":3,"ok":true})", R"({"ok":false,"tries":3,"duration":2,"user":""})",
          R"({"user":"root","duration":18446744073709551615,"tries":18446744073709551615,"ok":true})"}) {
        const auto event = build_login(rules, payload);
        EXPECT_TRUE(event) << payload << ": " << event.error().detail();
    }
}

TEST(Dataset, WhatDoesNotFitIsNamed) {
    const IntakeRules rules = login_rules();
    const std::vector<std::pair<std::string_view, std::string>> cases{
        {R"({"user":"root","duration":1.5,"tries":3})", "lacks the key \"ok\""},
        {R"({"user":"root","duration":1.5,"tries":3,"ok":null})", "lacks the key \"ok\""},
        {R"({"user":"root","duration":1.5,"tries":3,"ok":true,"rhost":"x"})", "has the key \"rhost\""},
        {R"({"user":5,"duration":1.5,"tries":3,"ok":true})", "\"user\" is not of the declared type string"},
        {R"({"user":"root","duration":"1","tries":3,"ok":true})", "\"duration\" is not of the declared type number"},
        {R"({"user":"root","duration":1,"tries":3.0,"ok":true})", "\"tries\" is not of the declared type integer"},
        {R"({"user":"root","duration":1,"tries":3,"ok":"true"})", "\"ok\" is not of the declared type boolean"},
        {R"({"user":["root"],"duration":1,"tries":3,"ok":true})", "\"user\" is not of the declared type string"},
    };
    for (const auto& [payload, reason] : cases) {
        const auto event = build_login(rules, payload);
        ASSERT_FALSE(event) << payload;
        EXPECT_EQ(event.error().code, Code::invalid_event);
        ASSERT_EQ(event.error().fields.size(), 1U) << event.error().detail();
        EXPECT_EQ(event.error().fields[0].field, "payload");
        EXPECT_THAT(event.error().fields[0].reason, HasSubstr(reason));
    }
    EXPECT_EQ(build_login(rules, "{}").error().fields.size(), 4U) << "every missing key is told";
    EXPECT_EQ(build(rules, {{"event_id", "login"sv}}).error().fields.size(), 4U)
        << "without a payload, and whatever the event_type";
}

TEST(Dataset, UndeclaredOnesAreTakenUnlessStrict) {
    IntakeRules rules = login_rules();
    const std::vector<Pair> fields{{"event_type", "dataset"sv}, {"event_id", "logout"sv}};
    EXPECT_TRUE(build(rules, fields));
    rules.datasets_strict = true;
    const auto event = build(rules, fields);
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().fields[0].field, "event_id");
    EXPECT_THAT(event.error().detail(), HasSubstr("\"logout\" is not a declared dataset"));
    EXPECT_TRUE(build(rules, {})) << "strict says nothing about events without a dataset";
}

TEST(Dataset, NeedsAnIdToBeOne) {
    const auto event = build(IntakeRules{}, {{"event_type", "dataset"sv}, {"payload", RawJson{"{}"}}});
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().detail(), "event_id: is required: it names the dataset");
}

TEST(Redaction, RemovesKeysAtAnyDepth) {
    IntakeRules rules;
    rules.redact = {"*password*", "token"};
    const auto event =
        build(rules, {{"payload", RawJson{R"({"user":"root","Password":"x","tokens":1,"token":"t",)"
                                          R"("deep":[{"my_passwords":{"a":1},"b":2}],"PASSWORD2":[1]})"}}});
    ASSERT_TRUE(event) << event.error().detail();
    EXPECT_EQ(event->payload, R"({"user":"root","tokens":1,"deep":[{"b":2}]})");
    EXPECT_EQ(build(rules, {{"payload", RawJson{R"({"token":"t"})"}}})->payload, "{}");
}

// Keys as short as a glob allows, and shorter ones that match nothing.
TEST(Redaction, TakesTheShortestKeysOfAGlob) {
    IntakeRules rules;
    const auto left = [&rules](std::string glob, std::string_view payload) {
        rules.redact = {"none-of-them-is-as-long", std::move(glob)};
        return build(rules, {{"payload", RawJson{payload}}})->payload;
    };
    const std::string_view keys = R"({"":0,"a":1,"ab":2,"ABC":3,"*":4,"a*":5,"\\":6})";
    EXPECT_EQ(left("*", keys), "{}");
    EXPECT_EQ(left("*a*", keys), R"({"":0,"*":4,"\\":6})");
    EXPECT_EQ(left("a?", keys), R"({"":0,"a":1,"ABC":3,"*":4,"\\":6})");
    EXPECT_EQ(left("\\*", keys), R"({"":0,"a":1,"ab":2,"ABC":3,"a*":5,"\\":6})");
    EXPECT_EQ(left("a\\*", keys), R"({"":0,"a":1,"ab":2,"ABC":3,"*":4,"\\":6})");
    EXPECT_EQ(left("\\\\", keys), R"({"":0,"a":1,"ab":2,"ABC":3,"*":4,"a*":5})");
    EXPECT_EQ(left("", keys), R"({"a":1,"ab":2,"ABC":3,"*":4,"a*":5,"\\":6})");
    EXPECT_EQ(left("**b**c**", keys), R"({"":0,"a":1,"ab":2,"*":4,"a*":5,"\\":6})");
}

TEST(Redaction, MakesRoomBeforeTheSizeIsMeasured) {
    IntakeRules rules;
    rules.redact = {"secret"};
    const std::string payload = R"({"secret":")" + std::string(70'000, 'x') + R"(","kept":1})";
    EXPECT_EQ(build(rules, {{"payload", RawJson{payload}}})->payload, R"({"kept":1})");
}

TEST(Redaction, ADeclaredFieldThatIsRemovedIsNotMissed) {
    IntakeRules rules;
    rules.datasets["login"] = {{"user"}, {"password"}};
    rules.redact = {"*pass*"};
    const auto event = build_login(rules, R"({"user":"root","password":"x"})");
    ASSERT_TRUE(event) << event.error().detail();
    EXPECT_EQ(event->payload, R"({"user":"root"})");
}

std::uint64_t hash_with(const std::vector<Pair>& fields, const IntakeRules& rules = {}, std::int64_t at_us = now_us) {
    std::vector<Pair> all{{"idempotency_key", "k"sv}};
    all.insert(all.end(), fields.begin(), fields.end());
    const auto event = build(rules, all, at_us);
    EXPECT_TRUE(event) << event.error().detail();
    return event ? event->content_hash : 0;
}

TEST(ContentHash, IsOnlyMadeWithAKey) {
    EXPECT_EQ(build(IntakeRules{}, {})->content_hash, 0U);
    EXPECT_NE(hash_with({}), 0U);
}

TEST(ContentHash, DiffersWithEveryField) {
    const std::vector<Pair> changes{{"scid", std::int64_t{1}},
                                    {"event_time", TimeUs{now_us}},
                                    {"event_rule_id", std::int64_t{0}},
                                    {"event_rule", "x"sv},
                                    {"spark_script", "x"sv},
                                    {"gem_full_path", "x"sv},
                                    {"count", std::int64_t{2}},
                                    {"severity", "warning"sv},
                                    {"event_id", "x"sv},
                                    {"description", "x"sv},
                                    {"summary", "x"sv},
                                    {"environment", "x"sv},
                                    {"payload", RawJson{R"({"a":1})"}},
                                    {"payload", RawJson{R"({"a":2})"}},
                                    {"payload", RawJson{R"({"a":1.0})"}},
                                    {"payload", RawJson{R"({"a":"1"})"}},
                                    {"payload", RawJson{R"({"a":true})"}},
                                    {"payload", RawJson{R"({"a":null})"}},
                                    {"payload", RawJson{R"({"b":1})"}},
                                    {"payload", RawJson{R"({"a":[1,2]})"}},
                                    {"payload", RawJson{R"({"a":[2,1]})"}},
                                    {"payload", RawJson{R"({"a":{"b":1}})"}},
                                    {"payload", RawJson{"{}"}}};
    std::map<std::uint64_t, std::size_t> seen{{hash_with({}), changes.size()}};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const auto [place, fresh] = seen.emplace(hash_with({changes[i]}), i);
        EXPECT_TRUE(fresh) << i << " (" << changes[i].first << ") hashes like " << place->second;
    }
    EXPECT_NE(hash_with({{"event_type", "dataset"sv}, {"event_id", "x"sv}}), hash_with({{"event_id", "x"sv}}));
}

TEST(ContentHash, IsOfWhatWasMeant) {
    EXPECT_EQ(hash_with({{"severity", "high"sv}}), hash_with({{"severity", "error"sv}}));
    EXPECT_EQ(hash_with({{"environment", "aws-cloud"sv}}), hash_with({{"environment", "aws"sv}}));
    EXPECT_EQ(hash_with({{"count", std::int64_t{1}}}), hash_with({}));
    EXPECT_EQ(hash_with({{"summary", ""sv}}), hash_with({}));
    EXPECT_EQ(hash_with({{"event_time", "2026-01-01T01:00:00+01:00"sv}}),
              hash_with({{"event_time", std::int64_t{1'767'225'600}}}));
    EXPECT_EQ(hash_with({{"payload", RawJson{R"({"a":1,"b":{"c":2,"d":[3]}})"}}}),
              hash_with({{"payload", RawJson{R"({ "b":{"d":[3],"c":2}, "a":1 })"}}}));
}

TEST(ContentHash, LeavesOutWhatTheDaemonAdds) {
    EXPECT_EQ(hash_with({}, {}, now_us), hash_with({}, {}, now_us + 3'600'000'000)) << "a defaulted time";
    IntakeRules elsewhere;
    elsewhere.host = "beta";
    EXPECT_EQ(hash_with({}), hash_with({}, elsewhere));
}

TEST(ContentHash, IsOfTheRedactedPayload) {
    IntakeRules rules;
    rules.redact = {"secret"};
    EXPECT_EQ(hash_with({{"payload", RawJson{R"({"a":1,"secret":"x"})"}}}, rules),
              hash_with({{"payload", RawJson{R"({"a":1,"secret":"y"})"}}}, rules));
}

// On disk for as long as the idempotency window: the same in every version.
TEST(ContentHash, NeverChanges) {
    EXPECT_EQ(hash_with({{"event_time", std::int64_t{1'767'225'600}},
                         {"payload", RawJson{R"({"a":[1,"x",2.5,true,null]})"}}}),
              0x9ec50a91cde3db64ULL);
}

} // namespace
} // namespace tocsin
