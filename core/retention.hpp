// SPDX-License-Identifier: Apache-2.0
// What the store keeps and for how long, as people are shown it.
#pragma once

#include "core/event.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace tocsin {

struct KeptSeverity {
    Severity severity = Severity::info;
    std::int64_t keep_us = 0;                 // from received_time
    std::uint64_t events = 0;                 // stored
    std::optional<std::int64_t> oldest_us{};  // received_time; about: none is older
    std::optional<std::int64_t> goes_by_us{}; // when the oldest goes by its age, at the latest
    std::uint64_t expired_by_age = 0;         // since the daemon started
    std::uint64_t expired_for_space = 0;
};

struct RetentionReport {
    std::array<KeptSeverity, 4> severities{};
    std::int64_t keep_counters_us = 0;
    std::uint64_t used_bytes = 0;  // by what is stored
    std::uint64_t free_bytes = 0;  // of the file, to be used again
    std::uint64_t limit_bytes = 0; // then older events go before their time
    // When that is, at the pace of the last day; none: not by then, or nothing came in.
    std::optional<std::int64_t> full_by_us{};
};

} // namespace tocsin
