// SPDX-License-Identifier: Apache-2.0
#include "core/heartbeat.hpp"

#include "core/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::int64_t second = 1'000'000;

Result<Beat> build(const std::vector<std::pair<std::string_view, Scalar>>& options, std::string_view source = "pump") {
    BeatBuilder builder(source);
    for (const auto& [key, value] : options) {
        builder.set(key, value);
    }
    return builder.finish(77);
}

TEST(BeatBuilder, PlainBeat) {
    const Result<Beat> beat = build({});
    ASSERT_TRUE(beat) << beat.error().detail();
    EXPECT_EQ(beat->key, (WatchKey{"pump", 0}));
    EXPECT_EQ(beat->kind, BeatKind::ok);
    EXPECT_EQ(beat->interval_us, std::nullopt);
    EXPECT_EQ(beat->time_us, 77);
}

TEST(BeatBuilder, TypedOptionsOfTheBus) {
    const Result<Beat> beat = build({{"scid", std::int64_t{-3}},
                                     {"interval_usec", std::uint64_t{60'000'000}},
                                     {"grace_usec", std::uint32_t{500'000}},
                                     {"state", "start"sv},
                                     {"run", "r1"sv},
                                     {"status", "two\nlines"sv}});
    ASSERT_TRUE(beat) << beat.error().detail();
    EXPECT_EQ(beat->key.scid, -3);
    EXPECT_EQ(beat->interval_us, 60 * second);
    EXPECT_EQ(beat->grace_us, 500'000);
    EXPECT_EQ(beat->kind, BeatKind::start);
    EXPECT_EQ(beat->run, "r1");
    EXPECT_EQ(beat->status, "two\nlines");
}

TEST(BeatBuilder, DurationsOfAnAddress) {
    EXPECT_EQ(build({{"interval", "30s"sv}})->interval_us, 30 * second);
    EXPECT_EQ(build({{"interval", "1h30m"sv}})->interval_us, 5'400 * second);
    EXPECT_EQ(build({{"interval", "30"sv}})->interval_us, 30 * second) << "a plain number is seconds";
    EXPECT_EQ(build({{"interval", "0.5"sv}})->interval_us, 500'000);
    EXPECT_EQ(build({{"interval", std::int64_t{30}}})->interval_us, 30 * second);
    EXPECT_EQ(build({{"interval", 1.5}})->interval_us, 1'500'000);
    EXPECT_EQ(build({{"grace", "100ms"sv}})->grace_us, 100'000);
    EXPECT_EQ(build({{"scid", "12"sv}})->key.scid, 12);
    EXPECT_EQ(build({{"interval_usec", "100000"sv}})->interval_us, 100'000);
}

TEST(BeatBuilder, NullIsAbsent) {
    EXPECT_TRUE(build({{"interval", Scalar()}, {"schedule", Scalar()}}));
}

TEST(BeatBuilder, WrongOptionsAreNamed) {
    const std::string long_status(limits::status_bytes + 1, 'x');
    const std::string long_run(limits::run_bytes + 1, 'x');
    const std::vector<std::pair<std::string_view, Scalar>> wrong{
        {"scid", "x"sv},
        {"scid", 1.5},
        {"scid", std::uint64_t{1} << 63U},
        {"interval_usec", std::uint64_t{99'999}},
        {"interval_usec", std::int64_t{-1}},
        {"interval_usec", std::uint64_t{1} << 63U},
        {"interval_usec", "60s"sv},
        {"interval_usec", limits::interval_us_max + 1},
        {"grace_usec", std::uint32_t{0}},
        {"grace_usec", true},
        {"interval", "1ms"sv},
        {"interval", "soon"sv},
        {"interval", ""sv},
        {"interval", "nan"sv},
        {"interval", "1e300"sv},
        {"interval", "-5"sv},
        {"interval", 0.05},
        {"interval", true},
        {"interval", "400d"sv},
        {"grace", "0"sv},
        {"grace", "99ms"sv},
        {"state", "dead"sv},
        {"state", std::int64_t{1}},
        {"schedule", std::int64_t{3}},
        {"schedule", std::string_view(long_status)},
        {"zone", "\xff"sv},
        {"run", "a\nb"sv},
        {"run", std::string_view(long_run)},
        {"status", std::string_view(long_status)},
        {"status", "\xff"sv},
        {"status", "a\0b"sv},
        {"status", std::int64_t{5}},
        {"colour", "red"sv},
    };
    for (const auto& [key, value] : wrong) {
        const Result<Beat> beat = build({{key, value}});
        ASSERT_FALSE(beat) << key;
        EXPECT_EQ(beat.error().code, Code::invalid_argument) << key;
        EXPECT_EQ(beat.error().object, key);
        EXPECT_FALSE(beat.error().reason.empty());
    }
}

TEST(BeatBuilder, UnknownOptionsSuggestTheNearest) {
    EXPECT_THAT(build({{"intervall", "5s"sv}}).error().reason, testing::HasSubstr("\"interval\""));
}

TEST(BeatBuilder, SchedulesAndTheirZones) {
    const Result<Beat> beat = build({{"schedule", "0 3 * * *"sv}, {"zone", "Europe/Berlin"sv}, {"grace", "1h"sv}});
    ASSERT_TRUE(beat) << beat.error().detail();
    EXPECT_EQ(beat->schedule, "0 3 * * *");
    EXPECT_EQ(beat->zone, "Europe/Berlin");
    EXPECT_EQ(beat->calendar, nullptr) << "who keeps the watches knows what it means";
}

TEST(BeatBuilder, ContradictionsNameTheField) {
    const Error both = build({{"schedule", "@daily"sv}, {"interval", "1d"sv}}).error();
    EXPECT_EQ(both.code, Code::invalid_argument);
    EXPECT_EQ(both.object, "schedule");
    const Error lonely = build({{"zone", "Europe/Berlin"sv}}).error();
    EXPECT_EQ(lonely.code, Code::invalid_argument);
    EXPECT_EQ(lonely.object, "zone");
}

TEST(BeatBuilder, CarriesWhoSentIt) {
    BeatBuilder builder("pump");
    builder.from(Origin{.transport = "dbus", .uid = 1'000, .unit = "pump.service"});
    const Result<Beat> beat = builder.finish(1);
    EXPECT_EQ(beat->uid, 1'000U);
    EXPECT_EQ(beat->unit, "pump.service");
}

TEST(BeatBuilder, SourcesAreNames) {
    for (const std::string& bad : {std::string(), std::string(256, 'x'), std::string("a\nb"), std::string("\xff")}) {
        const Result<Beat> beat = build({}, bad);
        ASSERT_FALSE(beat);
        EXPECT_EQ(beat.error().object, "source");
    }
    EXPECT_TRUE(build({}, "a/b"));
    EXPECT_TRUE(build({}, std::string(255, 'x')));
}

} // namespace
} // namespace tocsin
