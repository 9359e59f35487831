// SPDX-License-Identifier: Apache-2.0
#include "core/filter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace tocsin {
namespace {

using std::string_view_literals::operator""sv;

Event sshd_event() {
    Event event;
    event.unique_index = 17;
    event.scid = 7;
    event.event_time_us = 1'000'000;
    event.received_time_us = 2'000'000;
    event.event_rule_id = 42;
    event.event_name = "sshd.login_failed";
    event.event_src = "sshd";
    event.severity = Severity::warning;
    event.environment = "aws";
    event.event_id = "logins";
    event.host = "alpha";
    event.payload = R"({"user":"root","try":{"port":2222,"from":"192.0.2.4"}})";
    return event;
}

Filter with(const std::function<void(Filter&)>& change) {
    Filter filter;
    change(filter);
    return filter;
}

TEST(NamePattern, StarAtTheEndIsAPrefix) {
    EXPECT_EQ(parse_name_pattern("sshd.*"), (NamePattern{"sshd.", true}));
    EXPECT_EQ(parse_name_pattern("*"), (NamePattern{"", true}));
    EXPECT_EQ(parse_name_pattern("a*b"), (NamePattern{"a*b", false})) << "a star elsewhere is itself";
    EXPECT_EQ(parse_name_pattern("**"), (NamePattern{"*", true}));
}

TEST(NamePattern, BackslashMakesStarAndBackslashLiteral) {
    EXPECT_EQ(parse_name_pattern(R"(a\*)"), (NamePattern{"a*", false}));
    EXPECT_EQ(parse_name_pattern(R"(a\\*)"), (NamePattern{R"(a\)", true}));
    EXPECT_EQ(parse_name_pattern(R"(a\b)"), (NamePattern{R"(a\b)", false})) << "before anything else it stays";
    EXPECT_EQ(parse_name_pattern(R"(a\)"), (NamePattern{R"(a\)", false}));
}

TEST(NamePattern, Matches) {
    EXPECT_TRUE(parse_name_pattern("sshd.*").matches("sshd.login"));
    EXPECT_TRUE(parse_name_pattern("sshd.*").matches("sshd."));
    EXPECT_FALSE(parse_name_pattern("sshd.*").matches("sshd"));
    EXPECT_TRUE(parse_name_pattern(R"(a\*)").matches("a*"));
    EXPECT_FALSE(parse_name_pattern(R"(a\*)").matches("ab"));
}

TEST(Filter, NothingAskedMatchesEverything) {
    EXPECT_TRUE(Filter().matches(sshd_event()));
    EXPECT_TRUE(Filter().empty());
    EXPECT_TRUE(with([](Filter& f) { f.order = Order::oldest; }).empty()) << "an order alone asks nothing";
}

struct MatchCase {
    std::string_view key;
    std::function<void(Filter&)> wanted;
    std::function<void(Filter&)> other;
};

const std::vector<MatchCase>& match_cases() {
    static const std::vector<MatchCase> cases{
        {"since", [](Filter& f) { f.since_us = 1'000'000; }, [](Filter& f) { f.since_us = 1'000'001; }},
        {"until", [](Filter& f) { f.until_us = 1'000'001; }, [](Filter& f) { f.until_us = 1'000'000; }},
        {"received_since", [](Filter& f) { f.received_since_us = 2'000'000; },
         [](Filter& f) { f.received_since_us = 2'000'001; }},
        {"received_until", [](Filter& f) { f.received_until_us = 2'000'001; },
         [](Filter& f) { f.received_until_us = 2'000'000; }},
        {"event_name", [](Filter& f) { f.event_name = {{"x", false}, {"sshd.", true}}; },
         [](Filter& f) { f.event_name = {{"sshd.", false}}; }},
        {"event_src", [](Filter& f) { f.event_src = {"cron", "sshd"}; }, [](Filter& f) { f.event_src = {"ssh"}; }},
        {"scid", [](Filter& f) { f.scid = {1, 7}; }, [](Filter& f) { f.scid = {0}; }},
        {"event_rule_id", [](Filter& f) { f.event_rule_id = {42}; }, [](Filter& f) { f.event_rule_id = {0}; }},
        {"severity", [](Filter& f) { f.severity = {Severity::info, Severity::warning}; },
         [](Filter& f) { f.severity = {Severity::error}; }},
        {"min_severity", [](Filter& f) { f.min_severity = Severity::warning; },
         [](Filter& f) { f.min_severity = Severity::error; }},
        {"environment", [](Filter& f) { f.environment = {"gcp", "aws"}; }, [](Filter& f) { f.environment = {"AWS"}; }},
        {"event_type", [](Filter& f) { f.event_type = {EventType::standard}; },
         [](Filter& f) { f.event_type = {EventType::dataset}; }},
        {"event_id", [](Filter& f) { f.event_id = {"logins"}; }, [](Filter& f) { f.event_id = {"login"}; }},
        {"host", [](Filter& f) { f.host = {"alpha"}; }, [](Filter& f) { f.host = {"beta"}; }},
        {"has_report", [](Filter& f) { f.has_report = false; }, [](Filter& f) { f.has_report = true; }},
        {"text", [](Filter& f) { f.text = {"nowhere", "192.0.2.4"}; }, [](Filter& f) { f.text = {"192.0.2.5"}; }},
        {"where", [](Filter& f) { f.where = {Expression::parse("scid == 7").value()}; },
         [](Filter& f) { f.where = {Expression::parse("scid == 8").value()}; }},
    };
    return cases;
}

TEST(Filter, EachKeyAloneDecides) {
    for (const MatchCase& entry : match_cases()) {
        EXPECT_TRUE(with(entry.wanted).matches(sshd_event())) << entry.key;
        EXPECT_FALSE(with(entry.other).matches(sshd_event())) << entry.key;
        EXPECT_FALSE(with(entry.wanted).empty()) << entry.key;
    }
}

TEST(Filter, EveryKeyIsCovered) {
    EXPECT_EQ(match_cases().size() + 1, filter_keys().size()) << "order is no condition";
}

TEST(Filter, DifferentKeysMustAllHold) {
    Filter filter;
    for (const MatchCase& entry : match_cases()) {
        entry.wanted(filter);
    }
    EXPECT_TRUE(filter.matches(sshd_event()));
    for (const MatchCase& entry : match_cases()) {
        Filter spoiled = filter;
        entry.other(spoiled);
        EXPECT_FALSE(spoiled.matches(sshd_event())) << entry.key;
    }
}

TEST(Filter, AbsentRuleIdIsNotZero) {
    Event event = sshd_event();
    event.event_rule_id.reset();
    EXPECT_FALSE(with([](Filter& f) { f.event_rule_id = {0}; }).matches(event));
}

TEST(Filter, ReportIsThereOnlyWhenDone) {
    Event event = sshd_event();
    const Filter done = with([](Filter& f) { f.has_report = true; });
    event.spark_report_id = -1;
    EXPECT_FALSE(done.matches(event)) << "asked for, not done";
    event.spark_report_id = 17;
    EXPECT_TRUE(done.matches(event));
}

TEST(Filter, TextLooksIntoSummaryKeysAndValues) {
    Event event = sshd_event();
    EXPECT_TRUE(with([](Filter& f) { f.text = {"sshd.login_failed from sshd"}; }).matches(event))
        << "the default summary";
    EXPECT_TRUE(with([](Filter& f) { f.text = {"use"}; }).matches(event)) << "a key";
    EXPECT_TRUE(with([](Filter& f) { f.text = {"2222"}; }).matches(event)) << "a number";
    EXPECT_FALSE(with([](Filter& f) { f.text = {"ROOT"}; }).matches(event)) << "bytes, not letters";
    event.summary = "three strikes";
    EXPECT_TRUE(with([](Filter& f) { f.text = {"strike"}; }).matches(event));
    EXPECT_FALSE(with([](Filter& f) { f.text = {"login_failed"}; }).matches(event));
}

TEST(Filter, SinceAfterUntilMatchesNothing) {
    EXPECT_FALSE(with([](Filter& f) { f.since_us = 2'000'000, f.until_us = 1'000'000; }).matches(sshd_event()));
}

TEST(FilterHash, TellsEveryKeyAndValueApart) {
    std::vector<std::uint64_t> hashes{Filter().hash()};
    for (const MatchCase& entry : match_cases()) {
        hashes.push_back(with(entry.wanted).hash());
        hashes.push_back(with(entry.other).hash());
    }
    for (const Order order : {Order::oldest, Order::index}) {
        hashes.push_back(with([order](Filter& f) { f.order = order; }).hash());
    }
    std::ranges::sort(hashes);
    EXPECT_EQ(std::ranges::adjacent_find(hashes), hashes.end());
}

TEST(FilterHash, ValuesOfDifferentKeysDoNotMix) {
    const auto source = with([](Filter& f) { f.event_src = {"a"}; });
    const auto host = with([](Filter& f) { f.host = {"a"}; });
    EXPECT_NE(source.hash(), host.hash());
    EXPECT_NE(with([](Filter& f) { f.event_name = {{"a", true}}; }).hash(),
              with([](Filter& f) { f.event_name = {{"a", false}}; }).hash());
}

TEST(FilterHash, OrderAndRepetitionOfValuesDoNotCount) {
    const Filter one = with([](Filter& f) { f.event_src = {"a", "b"}, f.scid = {1, 2}; });
    const Filter two = with([](Filter& f) { f.event_src = {"b", "a", "b"}, f.scid = {2, 1}; });
    EXPECT_EQ(one.hash(), two.hash());
}

// A cursor given out by an older process must be known to a newer one.
TEST(FilterHash, IsTheSameInEveryProcess) {
    EXPECT_EQ(Filter().hash(), 2921582299636980786ULL);
    EXPECT_EQ(with([](Filter& f) { f.event_src = {"sshd"}, f.severity = {Severity::error}; }).hash(),
              15302748994573649836ULL);
}

// ---- reading a filter ----

Result<Filter> read(const std::vector<std::pair<std::string_view, Scalar>>& pairs) {
    const Zone zone = Zone::utc();
    FilterBuilder builder(zone);
    for (const auto& [key, value] : pairs) {
        builder.add(key, value);
    }
    return builder.finish();
}

Error error_of(std::string_view key, const Scalar& value) {
    const Result<Filter> filter = read({{key, value}});
    return filter ? fail(Code::conflict, "", "", "was taken").error() : filter.error();
}

TEST(FilterBuilder, TakesTimesInEveryForm) {
    for (const std::string_view key : {"since"sv, "until"sv, "received_since"sv, "received_until"sv}) {
        EXPECT_TRUE(read({{key, "2026-01-02T03:00:04Z"sv}})) << key;
    }
    EXPECT_EQ(read({{"since", "2026-01-02T03:00:04Z"sv}})->since_us, 1'767'322'804'000'000);
    EXPECT_EQ(read({{"since", "2026-01-02 03:00:04"sv}})->since_us, 1'767'322'804'000'000);
    EXPECT_EQ(read({{"since", "02-Jan-2026 03:00:04"sv}})->since_us, 1'767'322'804'000'000);
    EXPECT_EQ(read({{"since", "1767322804"sv}})->since_us, 1'767'322'804'000'000);
    EXPECT_EQ(read({{"since", std::int64_t{1'767'322'804'000}}})->since_us, 1'767'322'804'000'000) << "ms";
    EXPECT_EQ(read({{"since", std::uint64_t{1'767'322'804'000'000}}})->since_us, 1'767'322'804'000'000) << "µs";
    EXPECT_EQ(read({{"until", TimeUs{5}}})->until_us, 5);
}

TEST(FilterBuilder, TakesStringsAndTypedValues) {
    const Result<Filter> filter = read({{"scid", "-7"sv},
                                        {"scid", std::int64_t{8}},
                                        {"scid", std::uint32_t{9}},
                                        {"event_rule_id", std::uint64_t{10}},
                                        {"has_report", true},
                                        {"order", "index"sv}});
    ASSERT_TRUE(filter) << filter.error().detail();
    EXPECT_THAT(filter->scid, testing::ElementsAre(-7, 8, 9));
    EXPECT_THAT(filter->event_rule_id, testing::ElementsAre(10));
    EXPECT_EQ(filter->has_report, true);
    EXPECT_EQ(filter->order, Order::index);
}

TEST(FilterBuilder, TakesAliases) {
    const Result<Filter> filter = read(
        {{"severity", "notice"sv}, {"severity", "err"sv}, {"min_severity", "WARN"sv}, {"environment", "aws-cloud"sv}});
    ASSERT_TRUE(filter) << filter.error().detail();
    EXPECT_THAT(filter->severity, testing::ElementsAre(Severity::info, Severity::error));
    EXPECT_EQ(filter->min_severity, Severity::warning);
    EXPECT_THAT(filter->environment, testing::ElementsAre("aws"));
}

TEST(FilterBuilder, ArraysAreAlternatives) {
    const Result<Filter> filter = read({{"event_name", RawJson{R"(["a","b*",null])"}}, {"scid", RawJson{"[1,\"2\"]"}}});
    ASSERT_TRUE(filter) << filter.error().detail();
    EXPECT_THAT(filter->event_name, testing::ElementsAre(NamePattern{"a", false}, NamePattern{"b", true}));
    EXPECT_THAT(filter->scid, testing::ElementsAre(1, 2));
}

TEST(FilterBuilder, NullIsAbsent) {
    EXPECT_TRUE(read({{"since", Scalar()}, {"event_src", Scalar()}})->empty());
}

TEST(FilterBuilder, ReportTrueOrFalseAsksNothing) {
    for (const std::string_view yes : {"true"sv, "1"sv}) {
        EXPECT_EQ(read({{"has_report", yes}})->has_report, true);
    }
    for (const std::string_view no : {"false"sv, "0"sv}) {
        EXPECT_EQ(read({{"has_report", no}})->has_report, false);
    }
    EXPECT_EQ(read({{"has_report", std::int64_t{1}}})->has_report, true);
    EXPECT_EQ(read({{"has_report", true}, {"has_report", false}, {"has_report", true}})->has_report, std::nullopt);
}

TEST(FilterBuilder, SomeKeysComeOnce) {
    for (const std::string_view key : {"since"sv, "until"sv, "received_since"sv, "received_until"sv}) {
        EXPECT_EQ(read({{key, "1"sv}, {key, "1"sv}}).error().object, key);
    }
    EXPECT_EQ(read({{"min_severity", "info"sv}, {"min_severity", "error"sv}}).error().object, "min_severity");
    EXPECT_EQ(read({{"order", "index"sv}, {"order", "index"sv}}).error().reason, "is given twice");
}

TEST(FilterBuilder, WrongValuesNameTheKey) {
    const std::vector<std::pair<std::string_view, Scalar>> wrong{
        {"since", "yesterday"sv},
        {"since", 1.5},
        {"until", true},
        {"received_since", std::uint64_t{1} << 63U},
        {"event_name", std::int64_t{5}},
        {"event_src", "\xff"sv},
        {"scid", "7x"sv},
        {"scid", ""sv},
        {"scid", " 7"sv},
        {"scid", "99999999999999999999"sv},
        {"scid", std::uint64_t{1} << 63U},
        {"scid", 7.0},
        {"event_rule_id", false},
        {"severity", "hihg"sv},
        {"severity", std::int64_t{2}},
        {"min_severity", ""sv},
        {"event_type", "datasets"sv},
        {"has_report", "yes"sv},
        {"has_report", std::int64_t{2}},
        {"text", std::int64_t{5}},
        {"where", "event_name =="sv},
        {"where", true},
        {"order", "newest first"sv},
        {"order", std::int64_t{1}},
        {"event_src", RawJson{R"({"a":"b"})"}},
        {"event_src", RawJson{R"([["a"]])"}},
        {"event_src", RawJson{R"([{"a":"b"}])"}},
        {"event_src", RawJson{"[\"a\""}},
    };
    for (const auto& [key, value] : wrong) {
        const Error error = error_of(key, value);
        EXPECT_EQ(error.object, key) << error.reason;
        EXPECT_EQ(error.code, Code::invalid_argument);
        EXPECT_FALSE(error.reason.empty());
    }
}

TEST(FilterBuilder, UnknownKeysAreNamedWithTheNearest) {
    const Error error = error_of("sevrity", "error"sv);
    EXPECT_EQ(error.object, "sevrity");
    EXPECT_THAT(error.reason, testing::HasSubstr("did you mean \"severity\"?"));
    EXPECT_THAT(error.reason, testing::HasSubstr("received_until"));
    EXPECT_THAT(error_of("zzzzzz", ""sv).reason, testing::Not(testing::HasSubstr("did you mean")));
}

TEST(FilterBuilder, FirstMistakeIsTold) {
    EXPECT_EQ(read({{"scid", "x"sv}, {"order", "y"sv}}).error().object, "scid");
}

TEST(FilterBuilder, Bounds) {
    std::vector<std::pair<std::string_view, Scalar>> many(limits::filter_values, {"event_src", "a"sv});
    EXPECT_TRUE(read(many));
    many.emplace_back("event_src", "a"sv);
    EXPECT_EQ(read(many).error().object, "event_src");
    const std::string longest(limits::filter_text_bytes, 'x');
    EXPECT_TRUE(read({{"text", std::string_view(longest)}}));
    EXPECT_EQ(error_of("text", std::string_view(longest + "x")).object, "text");
    const std::vector<std::pair<std::string_view, Scalar>> wheres(11, {"where", "scid == 1"sv});
    EXPECT_EQ(read(wheres).error().object, "where");
}

TEST(FilterBuilder, WhereIsParsedAndAlternative) {
    const Result<Filter> filter = read({{"where", "scid == 1"sv}, {"where", "scid == 7"sv}});
    ASSERT_TRUE(filter) << filter.error().detail();
    EXPECT_TRUE(filter->matches(sshd_event()));
    EXPECT_THAT(error_of("where", "scid = 7"sv).reason, testing::StartsWith("column 6: "));
}

} // namespace
} // namespace tocsin
