// SPDX-License-Identifier: Apache-2.0
// The events of one sealed block that go: they are marked as dead, their sums are added to the archive, their reports
// are removed, in one transaction for each part of them, so that at no instant an event is counted twice or not at all.
#pragma once

#include "storage/upkeep_slice.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

namespace tocsin::storage {

struct ExpiryRule {
    static constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min();
    static constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();
    // By severity: what was received before goes.
    std::array<std::int64_t, 4> received_before_us{none, none, none, none};
    std::optional<std::uint32_t> uid{}; // the events of this user alone
};

// Pinned events stay, and so do those that ask for a script and were not taken by every reader yet. The last slice
// comes in any case and says what is left.
Result<void> expire_block(Env& env, const BlockSummary& block, const ExpiryRule& rule, const Emit& emit);

} // namespace tocsin::storage
