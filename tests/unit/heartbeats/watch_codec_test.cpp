// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/watch_codec.hpp"

#include "core/limits.hpp"
#include "tests/unit/core/fake_schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin::heartbeats {
namespace {

Calendars& calendars() {
    static Calendars known(fake_schedule);
    return known;
}

Watch sample() {
    Watch watch;
    watch.key = {"pump", -3};
    watch.state = WatchState::down;
    watch.last_us = 1'767'322'804'000'000;
    watch.deadline_us = 1'767'322'864'000'000;
    watch.interval_us = 60'000'000;
    watch.grace_us = 30'000'000;
    watch.made_by = 1000;
    watch.misses = 2;
    watch.status = "warm";
    watch.configured = true;
    watch.held = true;
    WatchPlan plan{.schedule = calendars().find("every 1h", "UTC").value(), .early_us = 5, .run_limit_us = 6};
    plan.runs = Runs{.last = "r1", .under_way = {{.id = "r1", .since_us = 7}, {.id = "", .since_us = 8, .told = true}}};
    watch.plan = plan;
    return watch;
}

Result<Watch> decoded(const std::string& key, const std::string& value) {
    return decode_watch(key, value, calendars());
}

TEST(WatchKeys, ComeBackAndSortBySourceAndScid) {
    std::vector<WatchKey> keys{{"a", INT64_MIN}, {"a", -1}, {"a", 0}, {"a", 1}, {"a", INT64_MAX}, {"a!", 0}, {"b", -5}};
    std::vector<std::string> encoded;
    for (const WatchKey& key : keys) {
        const auto read = decode_key(encode_key(key));
        ASSERT_TRUE(read) << key.source << key.scid;
        EXPECT_EQ(*read, key);
        encoded.push_back(encode_key(key));
    }
    EXPECT_TRUE(std::ranges::is_sorted(encoded));
}

TEST(WatchKeys, FitTheStore) {
    EXPECT_LE(encode_key({std::string(limits::name_bytes, 'x'), 0}).size(), 500U);
}

TEST(WatchKeys, DamageIsAnError) {
    const std::string good = encode_key({"pump", 1});
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(decode_key(good.substr(0, size))) << size;
    }
    EXPECT_FALSE(decode_key(good + "x"));
    EXPECT_FALSE(decode_key(std::string(9, '\0'))) << "no source";
    EXPECT_FALSE(decode_key(encode_key({std::string(256, 'x'), 0})));
}

TEST(WatchRows, ComeBackWhole) {
    const Watch watch = sample();
    const auto read = decoded(encode_key(watch.key), encode_watch(watch));
    ASSERT_TRUE(read) << read.error().detail();
    EXPECT_EQ(*read, watch);
    Watch resting = sample();
    resting.state = WatchState::paused;
    for (const bool configured : {false, true}) {
        resting.configured = configured;
        resting.resting = true;
        EXPECT_EQ(decoded(encode_key(resting.key), encode_watch(resting)).value(), resting);
    }
    const Watch stray{.key = {"s", 0}};
    EXPECT_EQ(decoded(encode_key(stray.key), encode_watch(stray)).value(), stray);
}

TEST(WatchRows, BootTimeIsNotStored) {
    Watch watch = sample();
    watch.due_boot_us = 5;
    EXPECT_EQ(decoded(encode_key(watch.key), encode_watch(watch))->due_boot_us, 0);
}

TEST(WatchRows, EveryPrefixIsRefused) {
    const Watch watch = sample();
    const std::string row = encode_watch(watch);
    for (std::size_t size = 0; size < row.size(); ++size) {
        EXPECT_FALSE(decoded(encode_key(watch.key), row.substr(0, size))) << size;
    }
    EXPECT_FALSE(decoded(encode_key(watch.key), row + "x"));
    EXPECT_FALSE(decoded("pump", row)) << "a bad key";
}

TEST(WatchRows, ImpossibleValuesAreRefused) {
    const auto refused = [](const Watch& watch) { return !decoded(encode_key(watch.key), encode_watch(watch)); };
    Watch watch = sample();
    watch.interval_us = -1;
    EXPECT_TRUE(refused(watch));
    watch = sample();
    watch.grace_us = limits::interval_us_max + 1;
    EXPECT_TRUE(refused(watch));
    watch = sample();
    watch.status = std::string(limits::status_bytes + 1, 'x');
    EXPECT_TRUE(refused(watch));
    watch = sample();
    watch.deadline_us = -1;
    EXPECT_TRUE(refused(watch));
    watch = sample();
    watch.plan.edit([](WatchPlan& plan) { plan.run_limit_us = limits::run_us_max + 1; });
    EXPECT_TRUE(refused(watch));
    watch = sample();
    watch.rhythm = Rhythm{.count = Rhythm::gaps_max + 1};
    EXPECT_TRUE(refused(watch));
    watch = sample();
    const Runs many{.under_way = std::vector<tocsin::Run>(limits::runs_max + 1)};
    watch.plan.edit([&many](WatchPlan& plan) { plan.runs = many; });
    EXPECT_TRUE(refused(watch));
    const std::string row = encode_watch(sample());
    for (const std::size_t place : {0U, 1U, 2U}) { // version, state, flags
        std::string changed = row;
        changed[place] = 99;
        EXPECT_FALSE(decoded(encode_key(sample().key), changed)) << place;
    }
}

TEST(WatchRows, ARhythmComesBack) {
    Watch watch{.key = {"s", 0}};
    watch.rhythm = Rhythm{.gaps_ms = {1, 2, 3}, .waited_ms = 4, .count = 3, .at = 3, .starts = true};
    EXPECT_EQ(decoded(encode_key(watch.key), encode_watch(watch)).value(), watch);
}

TEST(WatchRows, TheSameScheduleIsTheSameObject) {
    const std::string row = encode_watch(sample());
    const Watch one = decoded(encode_key(sample().key), row).value();
    EXPECT_EQ(one.schedule(), decoded(encode_key({"other", 0}), row)->schedule());
    EXPECT_EQ(one.schedule()->zone(), "UTC");
}

TEST(WatchRows, AScheduleThatCannotBeReadNowIsNoDamage) {
    Calendars none([](std::string_view, std::string_view) -> Result<std::shared_ptr<const Schedule>> {
        return fail(Code::invalid_argument, "schedule", "zone", "is not known");
    });
    const auto read = decode_watch(encode_key(sample().key), encode_watch(sample()), none);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::unavailable);
    EXPECT_EQ(decode_watch("x", "", none).error().code, Code::invalid_event);
}

// A store written by an older daemon must be read.
TEST(WatchRows, BytesOfVersionOne) {
    Watch watch{.key = {"p", 1}};
    watch.last_us = 1;
    watch.deadline_us = 2;
    watch.interval_us = 3;
    watch.grace_us = 4;
    watch.status = "s";
    watch.plan = WatchPlan{.runs = Runs{.last = "r"}};
    watch.misses = 5;
    watch.state = WatchState::up;
    watch.configured = true;
    watch.resting = true;
    EXPECT_EQ(encode_key(watch.key), std::string("p\0\x80\0\0\0\0\0\0\x01", 10));
    const std::string row("\x01\x01\x03"
                          "\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0"
                          "\x05\0\0\0\0\0\0\0\x01\0s\x01\0r",
                          3 + 40 + 6);
    EXPECT_EQ(decoded(encode_key(watch.key), row).value(), watch);
}

// Neither do the bytes of version 2 ever change.
TEST(WatchRows, BytesOfVersionTwo) {
    Watch watch{.key = {"p", 1}, .last_us = 1, .deadline_us = 2, .interval_us = 3, .grace_us = 4, .status = {"s"}};
    watch.misses = 5;
    watch.state = WatchState::up;
    watch.held = true;
    const std::string bare("\x02\x01\x04"
                           "\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0"
                           "\x05\0\x01\0s",
                           3 + 32 + 5);
    EXPECT_EQ(encode_watch(watch), bare);
    watch.plan = WatchPlan{.early_us = 6, .run_limit_us = 7, .runs = Runs{.last = "r", .under_way = {{.id = "r"}}}};
    std::string planned = bare;
    planned[2] = '\x0c';
    planned += std::string("\x06\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\x01\0r\x01\x01\0r\0\0\0\0\0\0\0\0\0",
                           16 + 4 + 3 + 1 + 3 + 9);
    EXPECT_EQ(encode_watch(watch), planned);
    watch.plan = WatchPlan{};
    watch.made_by = 0x01020304;
    std::string made = bare + "\x04\x03\x02\x01";
    made[2] = '\x24';
    EXPECT_EQ(encode_watch(watch), made);
}

} // namespace
} // namespace tocsin::heartbeats
