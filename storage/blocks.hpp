// SPDX-License-Identifier: Apache-2.0
// The summary of events that counters, totals and idempotency fingerprints on disk already hold: one row of tree
// `blocks` for each checkpoint. A query skips by it what cannot match; sealed blocks will take its place without
// changing what is beside it.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::storage {

struct BlockSummary {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t events = 0; // still there
    std::int64_t min_event_us = INT64_MAX;
    std::int64_t max_event_us = INT64_MIN;
    std::int64_t min_received_us = INT64_MAX;
    std::int64_t max_received_us = INT64_MIN;
    std::uint64_t keys = 0; // idempotency fingerprints in tree `idem`
    friend bool operator==(const BlockSummary&, const BlockSummary&) = default;
};

using Blocks = std::vector<BlockSummary>; // in order of their indexes, without overlap

std::string encode_block(const BlockSummary& block); // without first: that is the key
Result<BlockSummary> decode_block(std::string_view key, std::string_view value);

} // namespace tocsin::storage
