// SPDX-License-Identifier: Apache-2.0
// What a reader sees: the blocks on disk and the published part of the tail, taken together. The writer publishes after
// each commit, so a transaction opened after the view was taken holds every event of it.
#pragma once

#include "storage/blocks.hpp"
#include "storage/retention.hpp"
#include "storage/tail.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace tocsin::storage {

struct View {
    std::shared_ptr<const Blocks> blocks{};
    std::shared_ptr<const Segment> tail{};
    std::size_t rows = 0;         // of the tail, published
    std::uint64_t first = 0;      // 0: the log is empty
    std::uint64_t last = 0;       // highest index ever given
    std::uint64_t checkpoint = 0; // last index that is in `blocks`
    std::uint64_t sealed = 0;     // last index that was in a sealed block then; a transaction says it for itself
    std::array<std::uint64_t, 4> by_severity{};
    TailAge age{};

    std::uint64_t events() const {
        std::uint64_t sum = rows;
        for (const BlockSummary& block : *blocks) {
            sum += block.events;
        }
        return sum;
    }
};

class Publisher {
public:
    View take() const {
        const std::scoped_lock lock(mutex_);
        return view_;
    }
    void publish(View view) {
        const std::scoped_lock lock(mutex_);
        std::swap(view_, view); // the old one is destroyed outside of the lock
    }

private:
    mutable std::mutex mutex_;
    View view_{};
};

} // namespace tocsin::storage
