// SPDX-License-Identifier: Apache-2.0
// A binary heap of watches by the boot time at which they are due next. Each watch knows its place in it, so that a
// beat moves it in O(log n) and nothing stale is ever left behind. It owns no watch. Boot times in µs; never fails.
#pragma once

#include "core/heartbeat.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace tocsin::heartbeats {

struct WatchEntry {
    static constexpr std::uint32_t not_queued = std::numeric_limits<std::uint32_t>::max();
    Watch watch{};
    std::uint32_t heap_at = not_queued;
};
static_assert(sizeof(WatchEntry) <= 128, "a hundred thousand of them are kept");

class DueHeap {
public:
    // Puts the entry where next_due_boot_us() of its watch now belongs: in, elsewhere, or out.
    void update(WatchEntry& entry);
    void remove(WatchEntry& entry);
    WatchEntry* top() const { return heap_.empty() ? nullptr : heap_.front(); }
    std::optional<std::int64_t> top_due_us() const;
    std::size_t size() const { return heap_.size(); }

private:
    void place(std::size_t at, WatchEntry* entry);
    std::size_t up(std::size_t at);
    void down(std::size_t at);

    std::vector<WatchEntry*> heap_;
};

} // namespace tocsin::heartbeats
