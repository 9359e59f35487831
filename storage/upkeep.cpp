// SPDX-License-Identifier: Apache-2.0
#include "storage/upkeep.hpp"

#include "core/limits.hpp"
#include "storage/archive.hpp"
#include "storage/compaction.hpp"
#include "storage/keys.hpp"
#include "storage/sealer.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace tocsin::storage {

namespace {

// What a transaction does in well below 2 ms, its flush apart.
constexpr std::size_t erased_at_once = 32;
constexpr std::size_t forgotten_at_once = 1'000;

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

Upkeep::Upkeep(Parts parts, const RetentionPolicy& policy)
    : parts_(std::move(parts)), retention_(policy), worker_(parts_.ready) {}

void Upkeep::start() {
    worker_.start();
    find_garbage();
    stage_ = Stage::sweep;
}

// Rows of blocks that have gone, and of one whose mark was never made.
void Upkeep::find_garbage() {
    garbage_.clear();
    std::uint64_t next = 0;
    for (const BlockSummary& block : parts_.log.blocks()) {
        if (block.first > next) {
            garbage_.emplace_back(next, block.first);
        }
        next = block.last + 1;
        if (block.last >= parts_.log.sealed()) {
            break;
        }
    }
    if (next <= parts_.log.sealed()) {
        garbage_.emplace_back(next, parts_.log.sealed() + 1);
    }
    garbage_.emplace_back(parts_.log.sealed() + 1, UINT64_MAX);
}

bool Upkeep::due() {
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
        return choose();
    case Stage::work:
        return order_->kind == UpkeepKind::drop || order_->kind == UpkeepKind::forget ||
               order_->kind == UpkeepKind::close_tail || worker_.has_something();
    }
    return false;
}

// Sealing before retention, but where space is short: there is more of it then.
bool Upkeep::choose() {
    if (order_) {
        return true;
    }
    const LogState& log = parts_.log;
    const BlockSummary* const unsealed = log.unsealed();
    const std::int64_t now_us = parts_.clock.wall_us();
    Space space = parts_.space();
    space.used_bytes += wanted_bytes_;
    if (!look_ && unsealed == nullptr && now_us < retention_.look_again_us() && !retention_.changes(space)) {
        return false;
    }
    const auto& blocks = log.blocks();
    const auto end = std::ranges::upper_bound(blocks, log.sealed(), {}, &BlockSummary::last);
    order_ = retention_.next({.sealed = std::span(blocks.begin(), end),
                              .all_sealed = unsealed == nullptr,
                              .tail = log.tail_age(),
                              .now_us = now_us,
                              .space = space});
    if (unsealed != nullptr && (!order_ || !retention_.is_pressed())) {
        order_ = UpkeepOrder{.kind = UpkeepKind::seal, .block = *unsealed};
    }
    wanted_bytes_ = order_ ? wanted_bytes_ : 0;
    look_ = order_.has_value(); // what is done may make something else due
    return look_;
}

bool Upkeep::makes_room(std::uint64_t bytes) {
    if (paused_ || stage_ == Stage::off) {
        return false;
    }
    wanted_bytes_ = std::max(wanted_bytes_, bytes);
    look_ = true;
    return due() || busy();
}

void Upkeep::pause() {
    worker_.drop();
    order_.reset();
    paused_ = true;
    if (stage_ != Stage::off) {
        find_garbage();
        stage_ = Stage::sweep;
    }
}

int Upkeep::step() {
    switch (stage_) {
    case Stage::off:
        return 0;
    case Stage::sweep:
        return sweep();
    case Stage::unlog:
        return unlog();
    case Stage::choose:
        begin();
        return 0;
    case Stage::work:
        return work();
    }
    return 0;
}

void Upkeep::begin() {
    if (!order_) {
        return;
    }
    stage_ = Stage::work;
    order_expired_ = 0;
    Env& env = parts_.env;
    const BlockSummary& block = order_->block;
    switch (order_->kind) {
    case UpkeepKind::seal:
        return worker_.begin([&env, block](const Emit& emit) { return seal_block(env, block, emit); });
    case UpkeepKind::expire:
        return worker_.begin(
            [&env, block, rule = order_->rule](const Emit& emit) { return expire_block(env, block, rule, emit); });
    case UpkeepKind::compact:
        return worker_.begin([&env, block](const Emit& emit) { return compact_block(env, block, emit); });
    case UpkeepKind::drop:
    case UpkeepKind::forget:
    case UpkeepKind::close_tail:
        return;
    }
}

int Upkeep::sweep() {
    if (garbage_.empty()) {
        stage_ = Stage::unlog;
        return 0;
    }
    const auto [from, end] = garbage_.front();
    const std::string last = end == UINT64_MAX ? std::string{} : index_key(end);
    std::optional<Txn> txn;
    int rc = Txn::write(parts_.env, txn);
    bool more = false;
    for (const Tree tree : {Tree::records, Tree::sealed, Tree::idem}) {
        if (tree == Tree::idem && end == UINT64_MAX) {
            continue; // of blocks that are counted and not sealed yet
        }
        std::vector<std::string> keys;
        rc = rc != 0 ? rc : some_keys(*txn, tree, index_key(from), last, keys);
        rc = rc != 0 ? rc : erase_all(*txn, tree, keys);
        more = more || !keys.empty();
    }
    if (rc == 0 && more) {
        return txn->commit();
    }
    if (rc == 0) {
        garbage_.pop_front();
    }
    return rc;
}

// Values of the log whose events are read from sealed blocks.
int Upkeep::unlog() {
    std::optional<Txn> txn;
    int rc = Txn::write(parts_.env, txn);
    std::vector<std::string> keys;
    rc = rc != 0 ? rc : some_keys(*txn, Tree::log, index_key(0), index_key(parts_.log.sealed() + 1), keys);
    rc = rc != 0 ? rc : erase_all(*txn, Tree::log, keys);
    if (rc == 0 && !keys.empty()) {
        return txn->commit();
    }
    stage_ = rc == 0 ? Stage::choose : stage_;
    return rc;
}

int Upkeep::work() {
    switch (order_->kind) {
    case UpkeepKind::drop:
        return drop();
    case UpkeepKind::forget:
        return forget();
    case UpkeepKind::close_tail:
        order_.reset();
        stage_ = Stage::choose;
        return parts_.log.checkpoint(parts_.env);
    default:
        break;
    }
    UpkeepWorker::Taken taken = worker_.take();
    if (taken.error) {
        worker_.drop();
        stage_ = Stage::off;
        const std::scoped_lock lock(mutex_);
        stopped_ = taken.error->detail();
        return 0;
    }
    if (!taken.slice) {
        return 0;
    }
    const int rc = commit(*taken.slice);
    if (rc == 0 && order_) {
        done(*taken.slice);
    }
    return rc;
}

// An event that was pinned after this was worked out: what is left of the work is void, too.
bool Upkeep::is_void(const Txn& txn, const UpkeepSlice& slice) const {
    if (slice.expires.empty()) {
        return false;
    }
    Cursor pins(txn, Tree::pins);
    auto found = pins.at_or_after(index_key(slice.expires.front()));
    for (; found && *found; found = pins.next()) {
        const std::uint64_t index = read_fixed<std::uint64_t>((*found)->key).value_or(0);
        if (index > slice.expires.back()) {
            break;
        }
        if (std::ranges::binary_search(slice.expires, index)) {
            return true;
        }
    }
    return false;
}

int Upkeep::commit(const UpkeepSlice& slice) {
    if (slice.changes.empty()) {
        return 0;
    }
    std::optional<Txn> txn;
    int rc = Txn::write(parts_.env, txn);
    if (rc == 0 && is_void(*txn, slice)) {
        worker_.drop();
        order_.reset();
        stage_ = Stage::choose;
        return 0;
    }
    rc = rc != 0 ? rc : apply(*txn, slice);
    return rc != 0 ? rc : txn->commit();
}

void Upkeep::done(UpkeepSlice& slice) {
    if (slice.block) {
        parts_.log.change_block(*slice.block);
    }
    if (!slice.expires.empty()) {
        order_expired_ += slice.expires.size();
        const std::scoped_lock lock(mutex_);
        auto& counts = order_->for_space ? expired_.for_space : expired_.by_age;
        std::ranges::transform(counts, slice.gone, counts.begin(), std::plus{});
    }
    if (!slice.last) {
        return;
    }
    stage_ = Stage::choose;
    if (order_->kind == UpkeepKind::seal) {
        parts_.log.set_sealed(order_->block.last);
        stage_ = Stage::unlog;
    } else if (slice.oldest_us) {
        retention_.looked(*order_, *slice.oldest_us, order_expired_, parts_.clock.wall_us());
    }
    order_.reset();
}

// Its summary first: from then on nobody looks for it, and what it had is swept away.
int Upkeep::drop() {
    const BlockSummary block = order_->block;
    std::optional<Txn> txn;
    int rc = Txn::write(parts_.env, txn);
    rc = rc != 0 ? rc : txn->erase(Tree::blocks, index_key(block.first));
    rc = rc != 0 ? rc : txn->commit();
    if (rc == 0) {
        parts_.log.remove_block(block.first);
        retention_.dropped(block.first);
        garbage_.emplace_back(block.first, block.last + 1);
        order_.reset();
        stage_ = Stage::sweep;
    }
    return rc;
}

int Upkeep::forget() {
    std::optional<Txn> txn;
    int rc = Txn::write(parts_.env, txn);
    const bool more = rc == 0 && forget_archived(*txn, order_->hour, forgotten_at_once, rc);
    rc = rc != 0 ? rc : txn->commit();
    if (rc == 0 && !more) {
        retention_.forgot(parts_.clock.wall_us());
        order_.reset();
        stage_ = Stage::choose;
    }
    return rc;
}

std::string Upkeep::stopped_reason() const {
    const std::scoped_lock lock(mutex_);
    return stopped_;
}

Expired Upkeep::expired() const {
    const std::scoped_lock lock(mutex_);
    return expired_;
}

} // namespace tocsin::storage
