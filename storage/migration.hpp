// SPDX-License-Identifier: Apache-2.0
// Before an older store is changed for the first time it is copied beside itself, with a backup's mark, so that a way
// back remains: whoever installs the older version again puts the copy in the place of data.mdb.
#pragma once

#include "core/error.hpp"
#include "storage/problems.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace tocsin::storage {

class Env;

struct Migration {
    std::uint32_t from = 0;       // the schema that was found
    std::filesystem::path kept{}; // the copy; empty: there is none
    std::string not_kept{};       // and why
};

// At least so much stays free on the disk beside a copy: intake comes first.
inline constexpr std::uint64_t migration_free_bytes = 64ULL << 20;

// Nobody else has the store open. A copy that cannot be made for want of space is no error; a store that cannot be read
// is one.
Result<Migration> keep_older(Env& env, std::uint32_t version, std::int64_t now_us, const Progress& progress);

} // namespace tocsin::storage
