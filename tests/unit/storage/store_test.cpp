// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

namespace tocsin::storage::test {
namespace {

using ::testing::ElementsAre;

TEST(Store, GivesBackWhatWasAppended) {
    Fixture f;
    ASSERT_TRUE(f.open());
    std::mt19937_64 random(1);
    std::vector<Event> events;
    for (std::uint64_t i = 0; i < 3'000; ++i) {
        events.push_back(random_event(random, i));
    }
    const auto receipt = f.append(events);
    ASSERT_TRUE(receipt) << receipt.error().detail();
    ASSERT_EQ(receipt->indexes.size(), events.size());
    EXPECT_EQ(receipt->indexes.front(), 1U);
    EXPECT_EQ(receipt->indexes.back(), 3'000U);
    for (const std::uint64_t index : {1U, 2U, 777U, 1'024U, 1'025U, 2'999U, 3'000U}) {
        auto stored = f.get(index);
        ASSERT_TRUE(stored) << stored.error().detail();
        Event wanted = events[index - 1];
        wanted.unique_index = index;
        wanted.spark_report_id = wanted.spark_script.empty() ? std::optional<std::int64_t>{} : -1;
        EXPECT_EQ(*stored, wanted) << index;
    }
    EXPECT_EQ(f.get(0).error().code, Code::not_found);
    EXPECT_EQ(f.get(3'001).error().code, Code::not_found);
}

TEST(Store, KeepsEverythingOverAReopen) {
    Fixture f;
    ASSERT_TRUE(f.open());
    const std::string id = f.store->store_id();
    EXPECT_EQ(id.size(), 32U);
    ASSERT_TRUE(f.append_one(event("one")));
    ASSERT_TRUE(f.append({event("two"), event("three")}));
    f.reopen();
    EXPECT_EQ(f.store->store_id(), id);
    EXPECT_EQ(f.store->first_index(), 1U);
    EXPECT_EQ(f.store->last_index(), 3U);
    EXPECT_EQ(f.get(3)->event_name, "three");
    EXPECT_THAT(f.append_one(event("four"))->indexes, ElementsAre(4U));
}

} // namespace
} // namespace tocsin::storage::test
