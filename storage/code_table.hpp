// SPDX-License-Identifier: Apache-2.0
// From the hash of a string to its code: open addressing, emptied in no time by moving on a stamp. The strings
// themselves are kept by the owner, who also says whether two are the same. Codes start at 1; 0 is "none".
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tocsin::storage {

class CodeTable {
public:
    explicit CodeTable(std::size_t slots = 256) : slots_(slots) {}

    template <typename Same> std::uint32_t find(std::uint64_t hash, const Same& same) const {
        for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
            const Slot& slot = slots_[at];
            if (slot.stamp != stamp_) {
                return 0;
            }
            if (slot.hash == hash && same(slot.code)) {
                return slot.code;
            }
        }
    }

    void insert(std::uint64_t hash, std::uint32_t code) {
        if ((used_ + 1) * 2 > slots_.size()) {
            grow();
        }
        place(Slot{hash, code, stamp_});
        ++used_;
    }

    void clear() {
        used_ = 0;
        if (++stamp_ == 0) { // every 2^32 clears the old stamps would come alive again
            slots_.assign(slots_.size(), Slot{});
            stamp_ = 1;
        }
    }

    std::size_t bytes() const { return slots_.size() * sizeof(Slot); }

private:
    struct Slot {
        std::uint64_t hash = 0;
        std::uint32_t code = 0;
        std::uint32_t stamp = 0;
    };

    std::size_t mask() const { return slots_.size() - 1; }

    void place(const Slot& slot) {
        std::size_t at = slot.hash & mask();
        while (slots_[at].stamp == stamp_) {
            at = (at + 1) & mask();
        }
        slots_[at] = slot;
    }

    void grow() {
        std::vector<Slot> old(slots_.size() * 2);
        std::swap(old, slots_);
        for (const Slot& slot : old) {
            if (slot.stamp == stamp_) {
                place(slot);
            }
        }
    }

    std::vector<Slot> slots_; // a power of two
    std::size_t used_ = 0;
    std::uint32_t stamp_ = 1;
};

} // namespace tocsin::storage
