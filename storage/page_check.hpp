// SPDX-License-Identifier: Apache-2.0
// Private to storage: the pages of a data file that nobody writes, looked at without LMDB, which trusts what it reads:
// a damaged page could end the process. Every page of every tree is where and what it says it is, keys are in order,
// every page is used once or free. Only then may LMDB open the file.
#pragma once

#include "core/error.hpp"
#include "storage/problems.hpp"

#include <cstdint>

namespace tocsin::storage {

struct PageCounts {
    std::uint64_t used = 0; // of the trees
    std::uint64_t free = 0;
};

// Pages that a transaction took and gave back were never written, so the last ones may lie behind the file's end: of a
// store that is a matter of course, of a copy that does not say it is whole it is a sign that it was cut off.
enum class FileEnd : std::uint8_t { as_written, complete };

// Adds to `problems` what is wrong; an error only where the file cannot be read at all. `bytes` of it belong to LMDB.
Result<PageCounts> check_pages(int file, std::uint64_t bytes, FileEnd ends, Problems& problems,
                               const Progress& progress);

} // namespace tocsin::storage
