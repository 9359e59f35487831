// SPDX-License-Identifier: Apache-2.0
#include "storage/idempotency.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

namespace tocsin::storage::test {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t second_us = 1'000'000;

// An event with this key that is sent again: same scope, same content unless said.
class Idempotency : public ::testing::Test {
protected:
    Fixture f{Options{.idempotency_window_us = 100 * second_us, .tail_events = 50}};
    void SetUp() override { ASSERT_TRUE(f.open()); }

    void fill(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            ASSERT_TRUE(f.append_one(keyed("filler-" + std::to_string(filler_++), 1)));
        }
    }
    void expect_known() {
        const auto again = f.append_one(keyed("k", 7));
        ASSERT_TRUE(again) << again.error().detail();
        EXPECT_THAT(again->indexes, ElementsAre(1U));
        EXPECT_THAT(again->duplicate, ElementsAre(true));
        EXPECT_EQ(again->duplicates, 1U);
        const auto other = f.append_one(keyed("k", 8));
        ASSERT_FALSE(other);
        EXPECT_EQ(other.error().code, Code::conflict);
    }
    std::size_t filler_ = 0;
};

TEST_F(Idempotency, AnswersTheFirstIndexAndAddsNothing) {
    ASSERT_TRUE(f.append_one(keyed("k", 7)));
    expect_known();
    EXPECT_EQ(f.store->last_index(), 1U);
    EXPECT_EQ(*f.store->total("keyed"), 1U);
}

TEST_F(Idempotency, HoldsAcrossReopenAndCheckpoints) {
    ASSERT_TRUE(f.append_one(keyed("k", 7)));
    f.reopen();
    expect_known();
    fill(120); // two checkpoints
    expect_known();
    f.reopen();
    expect_known();
}

TEST_F(Idempotency, ScopeIsUidSourceAndKey) {
    ASSERT_TRUE(f.append_one(keyed("k", 7, 1)));
    EXPECT_EQ(f.append_one(keyed("k", 8, 2))->duplicates, 0U);
    Event elsewhere = keyed("k", 9, 1);
    elsewhere.event_src = "another";
    EXPECT_EQ(f.append_one(elsewhere)->duplicates, 0U);
    Event nobody = keyed("k", 10);
    nobody.origin.uid.reset();
    EXPECT_EQ(f.append_one(nobody)->duplicates, 0U);
    EXPECT_EQ(f.append_one(keyed("k2", 11, 1))->duplicates, 0U);
    EXPECT_EQ(f.store->last_index(), 5U);
    EXPECT_EQ(f.append_one(nobody)->indexes[0], 4U);
}

TEST_F(Idempotency, WorksWithinOneBatch) {
    const auto receipt = f.append({keyed("a", 1), keyed("b", 2), keyed("a", 1), event("plain"), keyed("b", 2)});
    ASSERT_TRUE(receipt) << receipt.error().detail();
    EXPECT_THAT(receipt->indexes, ElementsAre(1U, 2U, 1U, 3U, 2U));
    EXPECT_THAT(receipt->duplicate, ElementsAre(false, false, true, false, true));
    EXPECT_EQ(receipt->duplicates, 2U);
    EXPECT_EQ(f.store->last_index(), 3U);
}

TEST_F(Idempotency, AConflictRefusesTheWholeBatchAndNamesTheEvent) {
    ASSERT_TRUE(f.append_one(keyed("k", 7)));
    const auto refused =
        f.append({keyed("new", 1), event("plain"), keyed("k", 99)}, {{Table::watches, "row", "value"}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
    ASSERT_EQ(refused.error().fields.size(), 1U);
    EXPECT_EQ(refused.error().fields[0].index, 2U);
    EXPECT_EQ(refused.error().fields[0].field, "idempotency_key");
    EXPECT_EQ(f.store->last_index(), 1U);
    const auto within = f.append({keyed("x", 1), keyed("x", 2)});
    ASSERT_FALSE(within);
    EXPECT_EQ(within.error().code, Code::conflict);
    // Nothing of the refused ones was remembered.
    EXPECT_EQ(f.append({keyed("new", 5), keyed("x", 2)})->duplicates, 0U);
    const auto row = f.wait<std::optional<std::string>>(
        [this](auto done) { f.store->load(Table::watches, "row", std::move(done)); });
    ASSERT_TRUE(row);
    EXPECT_FALSE(*row);
}

TEST_F(Idempotency, EndsWithTheWindow) {
    Event first = keyed("k", 7);
    ASSERT_TRUE(f.append_one(first));
    Event late = keyed("k", 8);
    late.received_time_us = now_us + 100 * second_us;
    EXPECT_EQ(f.append_one(late).error().code, Code::conflict);
    late.received_time_us += 1;
    const auto taken = f.append_one(late);
    ASSERT_TRUE(taken) << taken.error().detail();
    EXPECT_THAT(taken->indexes, ElementsAre(2U));
    const auto again = f.append_one(late);
    ASSERT_TRUE(again);
    EXPECT_THAT(again->indexes, ElementsAre(2U));
}

TEST_F(Idempotency, BlocksBeyondTheWindowAreNotLoaded) {
    ASSERT_TRUE(f.append_one(keyed("k", 7)));
    fill(60);
    f.clock.now += 101 * second_us;
    f.reopen();
    Event late = keyed("k", 8);
    late.received_time_us = f.clock.now;
    EXPECT_TRUE(f.append_one(late));
}

TEST(IdempotencyBound, ForgetsTheOldestBlocksFirst) {
    Fixture f({.idempotency_keys = 100, .tail_events = 50});
    ASSERT_TRUE(f.open());
    for (int i = 0; i < 301; ++i) {
        ASSERT_TRUE(f.append_one(keyed("k" + std::to_string(i), 1)));
    }
    EXPECT_EQ(f.append_one(keyed("k300", 1))->duplicates, 1U);
    EXPECT_EQ(f.append_one(keyed("k201", 1))->duplicates, 1U) << "the newest 100 are remembered";
    EXPECT_EQ(f.append_one(keyed("k0", 1))->duplicates, 0U) << "the oldest are forgotten";
    f.reopen();
    EXPECT_EQ(f.append_one(keyed("k202", 1))->duplicates, 1U);
    EXPECT_EQ(f.append_one(keyed("k1", 1))->duplicates, 0U);
}

TEST(FingerprintTable, FindsWhatWasInserted) {
    FingerprintTable table;
    std::mt19937_64 random(5);
    std::vector<KeyEntry> entries;
    for (std::uint64_t i = 1; i <= 20'000; ++i) {
        entries.push_back({random() % 15'000, i}); // some come more than once
        table.insert(entries.back());
    }
    const auto has = [&table](const KeyEntry& entry) {
        bool found = false;
        table.find(entry.fingerprint,
                   [&found, &entry](std::uint64_t index) { return found = found || index == entry.index; });
        return found;
    };
    for (const KeyEntry& entry : entries) {
        ASSERT_TRUE(has(entry));
    }
    EXPECT_FALSE(has({99'999, 1}));
    table.forget_below(10'001);
    EXPECT_FALSE(has(entries[9'999]));
    EXPECT_TRUE(has(entries[10'000]));
    const std::size_t bytes = table.bytes();
    for (std::uint64_t i = 20'001; i <= 200'000; ++i) { // a moving window does not grow without end
        table.forget_below(i - 10'000);
        table.insert({random(), i});
    }
    EXPECT_LE(table.bytes(), bytes);
    table.clear();
    EXPECT_FALSE(has(entries[19'999]));
}

} // namespace
} // namespace tocsin::storage::test
