// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/watch_codec.hpp"

#include "core/limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin::heartbeats {
namespace {

Watch sample() {
    Watch watch;
    watch.key = {"pump", -3};
    watch.state = WatchState::down;
    watch.last_us = 1'767'322'804'000'000;
    watch.deadline_us = 1'767'322'864'000'000;
    watch.interval_us = 60'000'000;
    watch.grace_us = 30'000'000;
    watch.misses = 2;
    watch.status = "warm";
    watch.run = "r1";
    watch.configured = true;
    return watch;
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
    const auto read = decode_watch(encode_key(watch.key), encode_watch(watch));
    ASSERT_TRUE(read) << read.error().detail();
    EXPECT_EQ(*read, watch);
    Watch resting = sample();
    resting.state = WatchState::paused;
    for (const bool configured : {false, true}) {
        resting.configured = configured;
        resting.resting = true;
        EXPECT_EQ(decode_watch(encode_key(resting.key), encode_watch(resting)).value(), resting);
    }
    const Watch stray{.key = {"s", 0}};
    EXPECT_EQ(decode_watch(encode_key(stray.key), encode_watch(stray)).value(), stray);
}

TEST(WatchRows, BootTimeIsNotStored) {
    Watch watch = sample();
    watch.due_boot_us = 5;
    EXPECT_EQ(decode_watch(encode_key(watch.key), encode_watch(watch))->due_boot_us, 0);
}

TEST(WatchRows, EveryPrefixIsRefused) {
    const Watch watch = sample();
    const std::string row = encode_watch(watch);
    for (std::size_t size = 0; size < row.size(); ++size) {
        EXPECT_FALSE(decode_watch(encode_key(watch.key), row.substr(0, size))) << size;
    }
    EXPECT_FALSE(decode_watch(encode_key(watch.key), row + "x"));
    EXPECT_FALSE(decode_watch("pump", row)) << "a bad key";
}

TEST(WatchRows, ImpossibleValuesAreRefused) {
    const auto refused = [](const Watch& watch) { return !decode_watch(encode_key(watch.key), encode_watch(watch)); };
    Watch watch = sample();
    watch.interval_us = -1;
    EXPECT_TRUE(refused(watch));
    watch = sample();
    watch.grace_us = limits::interval_us_max + 1;
    EXPECT_TRUE(refused(watch));
    watch = sample();
    watch.status.assign(limits::status_bytes + 1, 'x');
    EXPECT_TRUE(refused(watch));
    watch = sample();
    watch.deadline_us = -1;
    EXPECT_TRUE(refused(watch));
    const std::string row = encode_watch(sample());
    for (const std::size_t place : {0U, 1U, 2U}) { // version, state, flags
        std::string changed = row;
        changed[place] = 9;
        EXPECT_FALSE(decode_watch(encode_key(sample().key), changed)) << place;
    }
}

// The bytes of version 1 never change: a store written by an older daemon must be read.
TEST(WatchRows, BytesOfVersionOne) {
    Watch watch{.key = {"p", 1}};
    watch.state = WatchState::up;
    watch.last_us = 1;
    watch.deadline_us = 2;
    watch.interval_us = 3;
    watch.grace_us = 4;
    watch.misses = 5;
    watch.status = "s";
    EXPECT_EQ(encode_key(watch.key), std::string("p\0\x80\0\0\0\0\0\0\x01", 10));
    EXPECT_EQ(encode_watch(watch),
              std::string("\x01\x01\0"
                          "\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0"
                          "\x05\0\0\0\0\0\0\0\x01\0s\0\0",
                          3 + 40 + 5));
}

} // namespace
} // namespace tocsin::heartbeats
