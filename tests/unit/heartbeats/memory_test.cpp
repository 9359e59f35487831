// SPDX-License-Identifier: Apache-2.0
// What 100,000 watches with names of 20 bytes take, as the allocator counts it.
#include "heartbeats/watch_set.hpp"

#include "fakes.hpp"

#include <gtest/gtest.h>

#include <malloc.h>

namespace tocsin::heartbeats {
namespace {

constexpr std::size_t many = 100'000;
constexpr std::size_t most_bytes = 256; // of each

std::size_t in_use() {
    return mallinfo2().uordblks;
}

template <typename Make> void beat_all(WatchSet& set, const FakeClock& clock, const Make& make) {
    for (std::size_t i = 0; i < many; ++i) {
        char name[21];
        std::snprintf(name, sizeof name, "watch-with-name-%04zu", i % 10'000);
        Beat beat = make_beat(name, clock.wall, std::nullopt);
        beat.key.scid = static_cast<std::int64_t>(i / 10'000);
        make(beat);
        EXPECT_TRUE(set.beat(beat, {}, clock.now()));
    }
}

// Of each watch; 0 where the allocator does not count, as under a sanitizer.
template <typename Make> std::size_t bytes_each(const Make& make, int beats = 1) {
    const std::size_t before = in_use();
    WatchSet set;
    FakeClock clock;
    for (int round = 0; round < beats; ++round) {
        beat_all(set, clock, make);
        clock.go(second);
    }
    return (in_use() - before) / many;
}

TEST(WatchMemory, ByAnInterval) {
    const std::size_t bytes = bytes_each([](Beat& beat) { beat.interval_us = 3'600 * second; });
    RecordProperty("bytes_each", static_cast<int>(bytes));
    EXPECT_LE(bytes, most_bytes);
}

TEST(WatchMemory, WithAStatus) {
    const std::size_t bytes = bytes_each([](Beat& beat) {
        beat.interval_us = 3'600 * second;
        beat.status = "all is well";
    });
    RecordProperty("bytes_each", static_cast<int>(bytes));
    EXPECT_LE(bytes, most_bytes);
}

TEST(WatchMemory, ByASchedule) {
    const auto schedule = fake_schedule("every 1h", "").value();
    const std::size_t bytes = bytes_each([&schedule](Beat& beat) { beat.calendar = schedule; });
    RecordProperty("bytes_each", static_cast<int>(bytes));
    EXPECT_LE(bytes, most_bytes);
}

// Each beats twice: with one gap it has a rhythm.
TEST(WatchMemory, NewOnes) {
    const std::size_t bytes = bytes_each([](const Beat&) {}, 2);
    RecordProperty("bytes_each", static_cast<int>(bytes));
    EXPECT_LE(bytes, most_bytes);
}

} // namespace
} // namespace tocsin::heartbeats
