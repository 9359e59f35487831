// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/due_heap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

namespace tocsin::heartbeats {
namespace {

std::unique_ptr<WatchEntry> entry_due(std::int64_t due_us) {
    auto entry = std::make_unique<WatchEntry>();
    entry->watch.state = WatchState::late;
    entry->watch.interval_us = 1;
    entry->watch.deadline_us = 1;
    entry->watch.due_boot_us = due_us;
    return entry;
}

TEST(DueHeap, EmptyHasNothingDue) {
    const DueHeap heap;
    EXPECT_EQ(heap.top(), nullptr);
    EXPECT_EQ(heap.top_due_us(), std::nullopt);
}

TEST(DueHeap, TheSoonestIsOnTop) {
    DueHeap heap;
    const auto a = entry_due(30);
    const auto b = entry_due(10);
    const auto c = entry_due(20);
    for (const auto& entry : {a.get(), b.get(), c.get()}) {
        heap.update(*entry);
    }
    EXPECT_EQ(heap.top(), b.get());
    b->watch.due_boot_us = 40;
    heap.update(*b);
    EXPECT_EQ(heap.top(), c.get());
    heap.remove(*c);
    EXPECT_EQ(heap.top(), a.get());
    EXPECT_EQ(heap.size(), 2U);
}

TEST(DueHeap, WhatIsNotDueIsNotInIt) {
    DueHeap heap;
    const auto entry = entry_due(5);
    heap.update(*entry);
    entry->watch.state = WatchState::down;
    heap.update(*entry);
    EXPECT_EQ(heap.size(), 0U);
    heap.remove(*entry); // again: harmless
    EXPECT_EQ(entry->heap_at, WatchEntry::not_queued);
}

TEST(DueHeap, AgreesWithASortThroughRandomChanges) {
    std::mt19937 random(7);
    std::vector<std::unique_ptr<WatchEntry>> entries;
    DueHeap heap;
    for (int i = 0; i < 200; ++i) {
        entries.push_back(entry_due(static_cast<std::int64_t>(random() % 1'000)));
    }
    for (int round = 0; round < 5'000; ++round) {
        WatchEntry& entry = *entries[random() % entries.size()];
        entry.watch.due_boot_us = static_cast<std::int64_t>(random() % 1'000);
        entry.watch.state = random() % 5 == 0 ? WatchState::down : WatchState::late;
        heap.update(entry);
        std::optional<std::int64_t> soonest;
        std::size_t due = 0;
        for (const auto& other : entries) {
            if (other->heap_at != WatchEntry::not_queued) {
                ++due;
                soonest = std::min(soonest.value_or(INT64_MAX), other->watch.due_boot_us);
            }
        }
        ASSERT_EQ(heap.top_due_us(), soonest) << round;
        ASSERT_EQ(heap.size(), due);
    }
}

} // namespace
} // namespace tocsin::heartbeats
