// SPDX-License-Identifier: Apache-2.0
// Which idempotency keys were seen: 64-bit fingerprints of (uid, event_src, key) in memory, pointing at the first
// event. A hit is only a hint; the caller compares it with the stored event. What a transaction adds is staged and
// becomes known with its commit.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"
#include "storage/blocks.hpp"
#include "storage/lmdb_env.hpp"

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

namespace tocsin::storage {

struct KeyEntry {
    std::uint64_t fingerprint = 0;
    std::uint64_t index = 0;
    friend auto operator<=>(const KeyEntry&, const KeyEntry&) = default;
};

// Open addressing; a fingerprint may be there more than once. Index 0 is an empty slot.
class FingerprintTable {
public:
    void insert(const KeyEntry& entry);
    // Calls use(index) for each entry until it says true.
    template <typename Use> void find(std::uint64_t fingerprint, const Use& use) const {
        if (slots_.empty()) {
            return;
        }
        for (std::size_t at = fingerprint & mask(); slots_[at].index != 0; at = (at + 1) & mask()) {
            if (slots_[at].fingerprint == fingerprint && slots_[at].index >= floor_ && use(slots_[at].index)) {
                return;
            }
        }
    }
    // Entries below are as good as gone, and go at the next growth.
    void forget_below(std::uint64_t index) { floor_ = index; }
    void clear();
    std::size_t bytes() const { return slots_.size() * sizeof(KeyEntry); }

private:
    std::size_t mask() const { return slots_.size() - 1; }
    void place(const KeyEntry& entry);
    void rebuild();
    std::vector<KeyEntry> slots_{}; // a power of two, or none
    std::size_t used_ = 0;
    std::uint64_t floor_ = 0;
};

class Idempotency {
public:
    // Of the newest keys at least `keys_max` are remembered; older ones go block by block.
    Idempotency(std::string_view store_id, std::size_t keys_max);

    std::uint64_t fingerprint(const Event& event) const;

    // Committed events first, then staged ones.
    template <typename Use> void find(std::uint64_t fingerprint, const Use& use) const {
        bool stop = false;
        const auto once = [&stop, &use](std::uint64_t index) { return stop = use(index); };
        known_.find(fingerprint, once);
        if (!stop) {
            staged_table_.find(fingerprint, once);
        }
    }

    void stage(const KeyEntry& entry);
    std::size_t staged() const { return staged_.size(); }
    void drop_staged(std::size_t keep); // takes back the newest
    void commit_staged();

    // Keys of the tail, for the checkpoint that writes them.
    const std::vector<KeyEntry>& open_keys() const { return open_; }
    // They are on disk now as this block's; the oldest blocks beyond the bound are forgotten.
    void close_block(const BlockSummary& block);

    // At start: the keys of a block on disk. Newest block last.
    void remember(const BlockSummary& block, const std::vector<KeyEntry>& entries);
    std::size_t keys_max() const { return keys_max_; }

private:
    void forget_old();
    std::uint64_t seed_;
    std::size_t keys_max_;
    FingerprintTable known_{};
    FingerprintTable staged_table_{};
    std::vector<KeyEntry> staged_{};
    std::vector<KeyEntry> open_{};
    struct Closed {
        std::uint64_t last;
        std::uint64_t keys;
    };
    std::deque<Closed> closed_{};
    std::uint64_t closed_keys_ = 0;
};

// Tree `idem`: the fingerprints of one block, sorted, in slices.
int write_keys(Txn& txn, std::uint64_t block_first, std::vector<KeyEntry> entries);
Result<std::vector<KeyEntry>> read_keys(const Txn& txn, std::uint64_t block_first);

} // namespace tocsin::storage
