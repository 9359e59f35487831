// SPDX-License-Identifier: Apache-2.0
// What the tests of schedules share: reading a schedule, asking it for several slots, and writing these as text.
#pragma once

#include "core/schedule.hpp"
#include "core/time.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace tocsin::schedule_test {

inline std::int64_t us(std::string_view text) {
    const auto read = parse_time_us(text, Zone::utc());
    EXPECT_TRUE(read) << text;
    return read.value_or(0);
}

inline std::shared_ptr<const Schedule> schedule(std::string_view expression, std::string_view zone = "") {
    auto read = Schedule::parse(expression, zone);
    EXPECT_TRUE(read) << expression << ": " << read.error().detail();
    return read ? *read : nullptr;
}

// "2026-03-29T01:00:00Z", with a fraction where there is one.
inline std::string shown(std::optional<std::int64_t> at) {
    if (!at) {
        return "none";
    }
    std::string text = format_time(*at);
    const auto whole = text.find(".000000Z");
    return whole == std::string::npos ? text : text.substr(0, whole) + "Z";
}

inline std::vector<std::string> next(const Schedule& schedule, std::string_view after, int count) {
    std::vector<std::string> slots;
    std::optional<std::int64_t> at = us(after);
    for (int i = 0; i < count && at; ++i) {
        at = schedule.next_after(*at);
        slots.push_back(shown(at));
    }
    return slots;
}

// The slots next() gives, asked for backwards: last_until() must name each at its instant, µs before the one after it.
inline void expect_same_backwards(const Schedule& schedule, std::string_view after, int count) {
    std::optional<std::int64_t> at = us(after);
    for (int i = 0; i < count && at; ++i) {
        const auto slot = schedule.next_after(*at);
        if (!slot) {
            return;
        }
        EXPECT_GT(*slot, *at);
        EXPECT_EQ(shown(schedule.last_until(*slot)), shown(slot)) << schedule.expression();
        const auto following = schedule.next_after(*slot);
        if (following) {
            EXPECT_EQ(shown(schedule.last_until(*following - 1)), shown(slot)) << schedule.expression();
        }
        at = slot;
    }
}

struct Slots {
    std::string_view expression;
    std::string_view zone;
    std::string_view after;
    std::vector<std::string> expected;
};

inline void expect_slots(const std::vector<Slots>& table) {
    for (const auto& [expression, zone, after, expected] : table) {
        const auto read = schedule(expression, zone);
        ASSERT_TRUE(read);
        EXPECT_EQ(next(*read, after, static_cast<int>(expected.size())), expected) << expression << " in " << zone;
        expect_same_backwards(*read, after, static_cast<int>(expected.size()));
    }
}

inline std::string problem(std::string_view expression, std::string_view zone = "") {
    const auto read = Schedule::parse(expression, zone);
    EXPECT_FALSE(read) << expression;
    if (!read) {
        EXPECT_EQ(read.error().code, Code::invalid_argument) << expression;
    }
    return read ? "" : read.error().detail();
}

} // namespace tocsin::schedule_test
