// SPDX-License-Identifier: Apache-2.0
// Where unit tests take hold of a store: a small map, a commit that fails, a log that stays as it was written. The
// product leaves all as they are.
#pragma once

#include <cstdint>
#include <functional>

namespace tocsin::storage {

struct Seams {
    std::uint64_t map_bytes = 0;          // 0: far beyond the disk
    std::function<int()> before_commit{}; // on the committing thread; not 0 is taken as the result of the commit
    bool seal = true;                     // false: checkpoints leave the log as it is
};

} // namespace tocsin::storage
