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

// Appends, checkpoints, pages, follows and counts at the same time; run under TSan.
TEST(Store, IsWholeForReadersWhileItGrows) {
    Fixture f({.readers = 3, .tail_events = 90});
    ASSERT_TRUE(f.open());
    constexpr std::uint64_t batches = 120;
    std::uint64_t appended = 0;
    std::uint64_t answered = 0;
    std::uint64_t asked = 0;
    std::mt19937_64 random(6);
    for (std::uint64_t i = 0; i < batches; ++i) {
        std::vector<Event> batch;
        for (std::uint64_t n = 0; n < 1 + i % 30; ++n) {
            batch.push_back(random_event(random, i));
        }
        f.store->append(std::move(batch), {}, [&appended](const Result<Receipt>& r) { appended += r ? 1U : 0U; });
        const std::uint64_t last = f.store->last_index();
        Filter filter;
        filter.order = static_cast<Order>(i % 3);
        if (i % 2 == 0) {
            filter.event_src = {"src-1"};
        }
        asked += 3;
        f.store->query(filter, 50, "", [&answered, last, filter](const Result<Page>& page) {
            ASSERT_TRUE(page) << page.error().detail();
            EXPECT_TRUE(!filter.empty() || page->events.size() >= std::min<std::uint64_t>(last, 50));
            ++answered;
        });
        f.store->count(filter, [&answered, last, filter](const Result<std::uint64_t>& count) {
            ASSERT_TRUE(count) << count.error().detail();
            EXPECT_TRUE(!filter.empty() || *count >= last);
            ++answered;
        });
        f.store->read_after(last / 2, {}, 1'000, [&answered, last](const Result<Slice>& slice) {
            ASSERT_TRUE(slice) << slice.error().detail();
            EXPECT_TRUE(slice->upto > last / 2 || last == 0) << "a slice ends early on a busy machine, but it moves on";
            std::uint64_t next = last / 2 + 1;
            for (const Event& e : slice->events) {
                EXPECT_EQ(e.unique_index, next++);
            }
            EXPECT_EQ(slice->upto, next - 1);
            ++answered;
        });
    }
    ASSERT_TRUE(f.io.run_until([&appended, &answered, &asked] { return appended == batches && answered == asked; }));
    EXPECT_EQ(*f.count({}), f.store->last_index());
}

} // namespace
} // namespace tocsin::storage::test
