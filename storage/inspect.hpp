// SPDX-License-Identifier: Apache-2.0
// A closed store, read from end to end and compared with itself: every value's checksum, indexes without a gap,
// counters and totals equal to a recount, blocks and idempotency keys pointing at the right events. Writes nothing.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tocsin::storage {

inline constexpr std::size_t problems_max = 100; // told; the rest is only counted

struct Inspection {
    std::string store_id{}; // 32 hex digits
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t count = 0;
    std::uint64_t checkpoint = 0;
    std::uint64_t problem_count = 0;
    std::vector<std::string> problems{};
};

// `each` is given every event, by index, without what is joined when read. An error: the store cannot be opened at all,
// or is in use (conflict).
Result<Inspection> inspect(const std::filesystem::path& directory, const std::function<void(const Event&)>& each = {});

} // namespace tocsin::storage
