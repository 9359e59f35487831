// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/due_heap.hpp"

namespace tocsin::heartbeats {
namespace {

std::int64_t due_us(const WatchEntry& entry) {
    return next_due_boot_us(entry.watch).value_or(std::numeric_limits<std::int64_t>::max());
}

} // namespace

std::optional<std::int64_t> DueHeap::top_due_us() const {
    return heap_.empty() ? std::nullopt : next_due_boot_us(heap_.front()->watch);
}

void DueHeap::update(WatchEntry& entry) {
    if (!next_due_boot_us(entry.watch)) {
        remove(entry);
        return;
    }
    if (entry.heap_at == WatchEntry::not_queued) {
        heap_.push_back(&entry);
        entry.heap_at = static_cast<std::uint32_t>(heap_.size() - 1);
    }
    down(up(entry.heap_at));
}

void DueHeap::remove(WatchEntry& entry) {
    if (entry.heap_at == WatchEntry::not_queued) {
        return;
    }
    const std::size_t at = entry.heap_at;
    WatchEntry* last = heap_.back();
    heap_.pop_back();
    entry.heap_at = WatchEntry::not_queued;
    if (last != &entry) {
        place(at, last);
        down(up(at));
    }
}

void DueHeap::place(std::size_t at, WatchEntry* entry) {
    heap_[at] = entry;
    entry->heap_at = static_cast<std::uint32_t>(at);
}

std::size_t DueHeap::up(std::size_t at) {
    WatchEntry* entry = heap_[at];
    while (at > 0 && due_us(*entry) < due_us(*heap_[(at - 1) / 2])) {
        place(at, heap_[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(at, entry);
    return at;
}

void DueHeap::down(std::size_t at) {
    WatchEntry* entry = heap_[at];
    for (std::size_t child = 2 * at + 1; child < heap_.size(); child = 2 * at + 1) {
        if (child + 1 < heap_.size() && due_us(*heap_[child + 1]) < due_us(*heap_[child])) {
            ++child;
        }
        if (due_us(*entry) <= due_us(*heap_[child])) {
            break;
        }
        place(at, heap_[child]);
        at = child;
    }
    place(at, entry);
}

} // namespace tocsin::heartbeats
