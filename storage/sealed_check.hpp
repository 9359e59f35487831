// SPDX-License-Identifier: Apache-2.0
// A sealed block compared with itself: every event is read, and its indexes are made again and compared byte by byte.
#pragma once

#include "core/event.hpp"
#include "storage/blocks.hpp"
#include "storage/lmdb_env.hpp"

#include <functional>
#include <string>

namespace tocsin::storage {

// `each` is given every event, by index, without what is joined when read; `wrong` is told what does not fit.
Result<void> check_sealed(const Txn& txn, const BlockSummary& block, const std::function<void(const Event&)>& each,
                          const std::function<void(std::string)>& wrong);

} // namespace tocsin::storage
