// SPDX-License-Identifier: Apache-2.0
#include "storage/sealing.hpp"

#include "core/limits.hpp"
#include "storage/keys.hpp"

#include <cerrno>
#include <vector>

namespace tocsin::storage {

namespace {

// What a transaction does in well below 2 ms, its flush apart.
constexpr std::size_t slice_bytes = 256 * limits::KiB;
constexpr std::size_t erased_at_once = 32;

// Keys from `from` on, below `end` where that is given.
int some_keys(const Txn& txn, Tree tree, std::string_view from, std::string_view end, std::vector<std::string>& out) {
    Cursor cursor(txn, tree);
    auto found = cursor.at_or_after(from);
    while (found && *found && out.size() < erased_at_once && (end.empty() || (*found)->key < end)) {
        out.emplace_back((*found)->key);
        found = cursor.next();
    }
    return found ? 0 : EIO;
}

int erase_all(Txn& txn, Tree tree, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
        if (const int rc = txn.erase(tree, key); rc != 0) {
            return rc;
        }
    }
    return 0;
}

} // namespace

void Sealing::start() {
    sealer_.start();
    stage_ = Stage::sweep;
}

bool Sealing::due() const {
    if (paused_) {
        return false;
    }
    switch (stage_) {
    case Stage::off:
        return false;
    case Stage::sweep:
    case Stage::unlog:
        return true;
    case Stage::choose:
        return log_.unsealed() != nullptr;
    case Stage::write:
        return sealer_.has_something();
    }
    return false;
}

void Sealing::pause() {
    sealer_.drop();
    paused_ = true;
    stage_ = stage_ == Stage::off ? Stage::off : Stage::sweep;
}

int Sealing::step() {
    switch (stage_) {
    case Stage::off:
        return 0;
    case Stage::sweep:
        return sweep();
    case Stage::unlog:
        return unlog();
    case Stage::choose:
        if (const BlockSummary* block = log_.unsealed()) {
            last_ = block->last;
            sealer_.build(*block);
            stage_ = Stage::write;
        }
        return 0;
    case Stage::write:
        return write();
    }
    return 0;
}

// Rows of a block whose mark was never made.
int Sealing::sweep() {
    const std::string from = index_key(log_.sealed() + 1);
    std::optional<Txn> txn;
    int rc = Txn::write(env_, txn);
    bool more = false;
    for (const Tree tree : {Tree::records, Tree::sealed}) {
        std::vector<std::string> keys;
        rc = rc != 0 ? rc : some_keys(*txn, tree, from, {}, keys);
        rc = rc != 0 ? rc : erase_all(*txn, tree, keys);
        more = more || !keys.empty();
    }
    if (rc == 0 && more) {
        return txn->commit();
    }
    stage_ = rc == 0 ? Stage::unlog : stage_;
    return rc;
}

// Values of the log whose events are read from sealed blocks.
int Sealing::unlog() {
    std::optional<Txn> txn;
    int rc = Txn::write(env_, txn);
    std::vector<std::string> keys;
    rc = rc != 0 ? rc : some_keys(*txn, Tree::log, index_key(0), index_key(log_.sealed() + 1), keys);
    rc = rc != 0 ? rc : erase_all(*txn, Tree::log, keys);
    if (rc == 0 && !keys.empty()) {
        return txn->commit();
    }
    stage_ = rc == 0 ? Stage::choose : stage_;
    return rc;
}

int Sealing::write() {
    const Sealer::Slice slice = sealer_.take(slice_bytes);
    if (slice.error) {
        sealer_.drop();
        stage_ = Stage::off;
        const std::scoped_lock lock(mutex_);
        stopped_ = slice.error->detail();
        return 0;
    }
    if (slice.rows.empty()) {
        return 0;
    }
    const int rc = commit(slice);
    if (rc == 0 && slice.last) {
        log_.set_sealed(last_);
        stage_ = Stage::unlog;
    }
    return rc;
}

int Sealing::commit(const Sealer::Slice& slice) {
    std::optional<Txn> txn;
    int rc = Txn::write(env_, txn);
    for (const SealedRow& row : slice.rows) {
        rc = rc != 0 ? rc : txn->put(row.tree, row.key, row.value);
    }
    if (slice.last) {
        rc = rc != 0 ? rc : txn->put(Tree::meta, meta::sealed, fixed_key(last_));
    }
    return rc != 0 ? rc : txn->commit();
}

std::string Sealing::stopped_reason() const {
    const std::scoped_lock lock(mutex_);
    return stopped_;
}

} // namespace tocsin::storage
