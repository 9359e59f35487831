// SPDX-License-Identifier: Apache-2.0
#include "storage/tail.hpp"
#include "tests/unit/storage/support.hpp"

namespace tocsin::storage::test {
namespace {

TEST(StringStore, GivesOneCodeToEqualStrings) {
    StringStore strings(1'000);
    const auto a = strings.intern("alpha");
    EXPECT_NE(a, no_code);
    EXPECT_NE(strings.intern("beta"), a);
    EXPECT_EQ(strings.intern("alpha"), a);
    EXPECT_EQ(strings.at(a), "alpha");
    EXPECT_EQ(strings.at(no_code), "");
    EXPECT_EQ(strings.count(), 2U);
}

TEST(StringStore, NeverMovesAString) {
    StringStore strings(100'000);
    const auto first = strings.intern("the first");
    const char* place = strings.at(first).data();
    for (int i = 0; i < 50'000; ++i) {
        strings.intern("string-" + std::to_string(i));
    }
    EXPECT_EQ(strings.at(first).data(), place);
    EXPECT_EQ(strings.at(strings.intern("string-49999")), "string-49999");
    EXPECT_EQ(strings.count(), 50'001U);
}

TEST(StringStore, TakesBackWhatAFailedCommitBrought) {
    StringStore strings(100'000);
    const auto kept = strings.intern("kept");
    const auto mark = strings.mark();
    const std::size_t bytes = strings.bytes();
    for (int i = 0; i < 5'000; ++i) {
        strings.intern("lost-" + std::string(200, 'x') + std::to_string(i));
    }
    EXPECT_GT(strings.bytes(), bytes);
    strings.rollback(mark);
    EXPECT_EQ(strings.count(), 1U);
    EXPECT_EQ(strings.intern("kept"), kept);
    EXPECT_EQ(strings.intern("new"), kept + 1);
    EXPECT_EQ(strings.at(kept + 1), "new");
}

TEST(Segment, HoldsWhatFiltersAsk) {
    Segment segment(100, 5'000);
    std::mt19937_64 random(4);
    std::vector<Event> events;
    for (std::uint64_t i = 0; i < 3'000; ++i) {
        events.push_back(random_event(random, i));
        segment.append(events.back());
    }
    ASSERT_EQ(segment.rows(), 3'000U);
    EXPECT_EQ(segment.room(), 2'000U);
    for (std::size_t i = 0; i < events.size(); ++i) {
        const Columns& c = segment.columns(i / rows_per_chunk);
        const std::size_t row = i % rows_per_chunk;
        ASSERT_EQ(c.event_time_us[row], events[i].event_time_us);
        ASSERT_EQ(c.received_time_us[row], events[i].received_time_us);
        ASSERT_EQ(segment.string(c.name[row]), events[i].event_name);
        ASSERT_EQ(segment.string(c.source[row]), events[i].event_src);
        ASSERT_EQ(segment.string(c.environment[row]), events[i].environment);
        ASSERT_EQ(segment.string(c.event_id[row]), events[i].event_id);
        ASSERT_EQ(segment.string(c.host[row]), events[i].host);
        ASSERT_EQ(c.scid[row], events[i].scid);
        ASSERT_EQ(c.count[row], events[i].count);
        ASSERT_EQ((c.bits[row] & bits::event_rule_id) != 0, events[i].event_rule_id.has_value());
        const TimeRange range = segment.range(i / rows_per_chunk);
        ASSERT_LE(range.min_us, events[i].event_time_us);
        ASSERT_GE(range.max_us, events[i].event_time_us);
    }
}

TEST(Segment, TakesRowsBack) {
    Segment segment(1, 5'000);
    segment.append(event("kept"));
    const auto mark = segment.mark();
    for (int i = 0; i < 2'000; ++i) {
        segment.append(event("lost-" + std::to_string(i)));
    }
    segment.rollback(mark);
    EXPECT_EQ(segment.rows(), 1U);
    segment.append(event("next"));
    EXPECT_EQ(segment.string(segment.columns(0).name[0]), "kept");
    EXPECT_EQ(segment.string(segment.columns(0).name[1]), "next");
}

} // namespace
} // namespace tocsin::storage::test
