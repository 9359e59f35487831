// SPDX-License-Identifier: Apache-2.0
#include "storage/upkeep_slice.hpp"

#include "storage/counters.hpp"
#include "storage/keys.hpp"

namespace tocsin::storage {

namespace {

int apply(Txn& txn, const TreeChange& change) {
    switch (change.what) {
    case TreeChange::What::put:
        return txn.put(change.tree, change.key, change.value);
    case TreeChange::What::erase:
        return txn.erase(change.tree, change.key);
    case TreeChange::What::add:
        break;
    }
    const auto before = read_count(txn, change.tree, change.key);
    return before ? txn.put(change.tree, change.key, fixed_key(*before + change.more)) : MDB_CORRUPTED;
}

} // namespace

int apply(Txn& txn, const UpkeepSlice& slice) {
    int rc = 0;
    for (const TreeChange& change : slice.changes) {
        rc = rc != 0 ? rc : apply(txn, change);
    }
    return rc;
}

} // namespace tocsin::storage
