// SPDX-License-Identifier: Apache-2.0
// The summary of events that counters, totals and idempotency fingerprints on disk already hold: one row of tree
// `blocks` for each checkpoint. A query skips by it what cannot match; retention finds by it what must go.
#pragma once

#include "core/error.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::storage {

// What one user's events take in a block, as they were sent.
struct Holding {
    std::optional<std::uint32_t> uid{}; // none: of nobody, or of all that are not listed
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    friend bool operator==(const Holding&, const Holding&) = default;
};
inline constexpr std::size_t holdings_max = 16; // of a block

struct BlockSummary {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t events = 0; // still there
    std::uint64_t alive = 0;  // index of the first of these
    std::int64_t min_event_us = INT64_MAX;
    std::int64_t max_event_us = INT64_MIN;
    std::int64_t min_received_us = INT64_MAX;
    std::int64_t max_received_us = INT64_MIN;
    std::uint64_t keys = 0; // idempotency fingerprints in tree `idem`
    // Events that are still there; of a block that an older version made all of them in each, until one looks.
    std::array<std::uint64_t, 4> by_severity{};
    std::uint64_t removed = 0; // of the events that are gone: those whose bytes are gone, too
    std::vector<Holding> holdings{};
    friend bool operator==(const BlockSummary&, const BlockSummary&) = default;
};

// Where its rows are.
struct BlockPlace {
    std::uint64_t first = 0; // index of row 0
    std::uint32_t rows = 0;
};
inline BlockPlace place_of(const BlockSummary& block) {
    return {block.first, static_cast<std::uint32_t>(block.last - block.first + 1)};
}

using Blocks = std::vector<BlockSummary>; // in order of their indexes, without overlap; a gap is where all is gone

std::string encode_block(const BlockSummary& block); // without first: that is the key
Result<BlockSummary> decode_block(std::string_view key, std::string_view value);

} // namespace tocsin::storage
