// SPDX-License-Identifier: Apache-2.0
#include "storage/idempotency.hpp"

#include "core/hash.hpp"
#include "storage/bytes.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::storage {

namespace {
constexpr std::uint8_t keys_version = 1;
constexpr std::size_t entry_bytes = 8 + 4;   // fingerprint, offset from the block's first index
constexpr std::size_t slice_entries = 5'400; // below 64 KiB a value
constexpr std::size_t slots_min = 1'024;
} // namespace

// ---- FingerprintTable ----

void FingerprintTable::place(const KeyEntry& entry) {
    std::size_t at = entry.fingerprint & mask();
    while (slots_[at].index != 0) {
        at = (at + 1) & mask();
    }
    slots_[at] = entry;
    ++used_;
}

void FingerprintTable::insert(const KeyEntry& entry) {
    if ((used_ + 1) * 3 > slots_.size() * 2) {
        rebuild();
    }
    place(entry);
}

// Without what is forgotten, and with some room more.
void FingerprintTable::rebuild() {
    const auto live = static_cast<std::size_t>(std::ranges::count_if(
        slots_, [this](const KeyEntry& slot) { return slot.index != 0 && slot.index >= floor_; }));
    std::size_t size = slots_min;
    while (size * 2 < (live + live / 8 + 1) * 3) {
        size *= 2;
    }
    std::vector<KeyEntry> old(size);
    std::swap(old, slots_);
    used_ = 0;
    for (const KeyEntry& slot : old) {
        if (slot.index != 0 && slot.index >= floor_) {
            place(slot);
        }
    }
}

void FingerprintTable::clear() {
    if (slots_.size() > 4 * slots_min) {
        slots_ = {}; // cheaper to grow again than to wipe after every commit
    } else if (used_ != 0) {
        std::ranges::fill(slots_, KeyEntry{});
    }
    used_ = 0;
}

// ---- Idempotency ----

Idempotency::Idempotency(std::string_view store_id, std::size_t keys_max)
    : seed_(hash64(store_id)), keys_max_(keys_max) {}

std::uint64_t Idempotency::fingerprint(const Event& event) const {
    const std::uint64_t who = event.origin.uid ? std::uint64_t{*event.origin.uid} : UINT64_MAX;
    return hash64(event.idempotency_key, hash64(event.event_src, hash_mix(seed_, who)));
}

void Idempotency::stage(const KeyEntry& entry) {
    staged_.push_back(entry);
    staged_table_.insert(entry);
}

void Idempotency::drop_staged(std::size_t keep) {
    if (keep >= staged_.size()) {
        return;
    }
    staged_.resize(keep);
    staged_table_.clear();
    for (const KeyEntry& entry : staged_) {
        staged_table_.insert(entry);
    }
}

void Idempotency::commit_staged() {
    for (const KeyEntry& entry : staged_) {
        known_.insert(entry);
        open_.push_back(entry);
    }
    drop_staged(0);
}

void Idempotency::close_block(const BlockSummary& block) {
    closed_.push_back({block.last, open_.size()});
    closed_keys_ += open_.size();
    open_.clear();
    forget_old();
}

void Idempotency::remember(const BlockSummary& block, const std::vector<KeyEntry>& entries) {
    for (const KeyEntry& entry : entries) {
        known_.insert(entry);
    }
    closed_.push_back({block.last, entries.size()});
    closed_keys_ += entries.size();
}

void Idempotency::forget_old() {
    while (!closed_.empty() && closed_keys_ - closed_.front().keys >= keys_max_) {
        closed_keys_ -= closed_.front().keys;
        known_.forget_below(closed_.front().last + 1);
        closed_.pop_front();
    }
}

// ---- on disk ----

int write_keys(Txn& txn, std::uint64_t block_first, std::vector<KeyEntry> entries) {
    std::ranges::sort(entries);
    std::string value;
    std::uint16_t slice = 0;
    for (std::size_t from = 0; from < entries.size(); from += slice_entries) {
        const std::size_t to = std::min(entries.size(), from + slice_entries);
        value.assign(1, static_cast<char>(keys_version));
        value.reserve(1 + (to - from) * entry_bytes);
        for (std::size_t i = from; i < to; ++i) {
            put_fixed(value, entries[i].fingerprint);
            put_fixed(value, static_cast<std::uint32_t>(entries[i].index - block_first));
        }
        if (const int rc = txn.put(Tree::idem, idem_key(block_first, slice++), value); rc != 0) {
            return rc;
        }
    }
    return 0;
}

Result<std::vector<KeyEntry>> read_keys(const Txn& txn, std::uint64_t block_first) {
    std::vector<KeyEntry> out;
    Cursor cursor(txn, Tree::idem);
    const auto wrong = [block_first] {
        return fail(Code::unavailable, "read", "idempotency keys of block " + std::to_string(block_first),
                    "they are damaged; restore a backup");
    };
    auto found = cursor.at_or_after(idem_key(block_first, 0));
    while (found && *found) {
        ByteReader key((*found)->key);
        if (key.fixed<std::uint64_t>() != block_first) {
            break;
        }
        ByteReader in((*found)->value);
        if (in.fixed<std::uint8_t>() != keys_version || in.left() % entry_bytes != 0) {
            return wrong();
        }
        while (in.left() != 0) {
            const auto fingerprint = in.fixed<std::uint64_t>();
            out.push_back({fingerprint, block_first + in.fixed<std::uint32_t>()});
        }
        found = cursor.next();
    }
    if (!found) {
        return std::unexpected(found.error());
    }
    return out;
}

} // namespace tocsin::storage
