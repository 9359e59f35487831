// SPDX-License-Identifier: Apache-2.0
// A store that nobody writes, or a backup, read from end to end and compared with itself: every page in its place,
// every value's checksum, indexes without a gap, counters and totals equal to a recount, blocks and idempotency keys
// pointing at the right events, cursors within the log; of a backup its checksum, too. Writes nothing, and damage ends
// nobody.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"
#include "storage/problems.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::storage {

struct Inspection {
    std::string store_id{}; // 32 hex digits; empty where it cannot be read
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t count = 0;
    std::uint64_t expired = 0; // events that are gone
    std::uint64_t checkpoint = 0;
    std::uint64_t bytes = 0; // of the data file
    std::uint64_t pages_used = 0;
    std::uint64_t pages_free = 0;
    std::optional<std::int64_t> made_us{}; // of a backup: when
    std::uint64_t problem_count = 0;
    std::vector<std::string> problems{};
};

// A data file, or a directory that has one (data.mdb, store/data.mdb). `each` is given every event, by index, without
// what is joined when read. An error: it cannot be read at all, or is in use (conflict).
Result<Inspection> inspect(const std::filesystem::path& path, const std::function<void(const Event&)>& each = {},
                           const Progress& progress = {});

// Whether a backup's file is whole and as it was sent: unavailable with the reason where it is not.
struct WholeBackup {
    std::uint64_t bytes = 0;
    std::uint64_t last_index = 0;
    std::int64_t made_us = 0;
};
Result<WholeBackup> check_backup(int file);

} // namespace tocsin::storage
