// SPDX-License-Identifier: Apache-2.0
#include "storage/log_state.hpp"

#include "core/limits.hpp"
#include "storage/counters.hpp"
#include "storage/keys.hpp"
#include "storage/log_reader.hpp"

#include <algorithm>

namespace tocsin::storage {

namespace {
constexpr std::size_t tail_bytes_max = 64 * limits::MiB;

std::unexpected<Error> damaged(std::uint64_t index, std::string what) {
    return fail(Code::unavailable, "store", "event " + std::to_string(index), std::move(what) + "; restore a backup");
}
} // namespace

LogState::LogState(const StoreMeta& meta, const Bounds& bounds)
    : bounds_(bounds),
      next_(meta.next_index),
      checkpoint_(meta.checkpoint),
      sealed_(meta.sealed),
      keys_(meta.store_id, bounds.keys_max) {}

// One commit may bring more than the tail was to hold.
std::shared_ptr<Segment> LogState::new_segment() const {
    return std::make_shared<Segment>(next_, bounds_.tail_events + limits::inbox_events);
}

// ---- start ----

Result<void> LogState::load(Env& env, std::int64_t now_us) {
    std::uint64_t last = 0;
    {
        const auto txn = Txn::read(env);
        if (!txn) {
            return std::unexpected(txn.error());
        }
        if (auto blocks = load_blocks(*txn); !blocks) {
            return blocks;
        }
        if (auto totals = load_totals(*txn); !totals) {
            return totals;
        }
        if (auto keys = load_keys(*txn, now_us); !keys) {
            return keys;
        }
        const auto found = find_ends(*txn);
        if (!found) {
            return std::unexpected(found.error());
        }
        last = *found;
    }
    if (checkpoint_ > (last == 0 ? next_ - 1 : last)) {
        return damaged(checkpoint_, "was counted but is missing");
    }
    next_ = last == 0 ? next_ : checkpoint_ + 1;
    tail_ = new_segment();
    for (bool more = last != 0; more;) {
        auto some = replay_some(env, last);
        if (!some) {
            return std::unexpected(some.error());
        }
        more = *some;
    }
    committed();
    return {};
}

Result<void> LogState::load_totals(const Txn& txn) {
    for (std::size_t i = 0; i < by_severity_.size(); ++i) {
        const auto sum =
            read_count(txn, Tree::totals, total_key(Dimension::severity, to_string(static_cast<Severity>(i))));
        if (!sum) {
            return std::unexpected(sum.error());
        }
        by_severity_[i] = *sum;
    }
    return {};
}

Result<void> LogState::load_blocks(const Txn& txn) {
    Blocks blocks;
    Cursor cursor(txn, Tree::blocks);
    auto found = cursor.first();
    for (; found && *found; found = cursor.next()) {
        auto block = decode_block((*found)->key, (*found)->value);
        if (!block) {
            return std::unexpected(block.error());
        }
        if (!blocks.empty() && block->first <= blocks.back().last) {
            return damaged(block->first, "is in two blocks");
        }
        blocks.push_back(*block);
    }
    if (!found) {
        return std::unexpected(found.error());
    }
    blocks_ = std::make_shared<const Blocks>(std::move(blocks));
    return {};
}

Result<void> LogState::load_keys(const Txn& txn, std::int64_t now_us) {
    std::size_t from = blocks_->size();
    std::uint64_t wanted = 0;
    while (from > 0 && wanted < keys_.keys_max() &&
           (*blocks_)[from - 1].max_received_us >= now_us - bounds_.window_us) {
        wanted += (*blocks_)[--from].keys;
    }
    for (; from < blocks_->size(); ++from) {
        const BlockSummary& block = (*blocks_)[from];
        const auto entries = read_keys(txn, block.first);
        if (!entries) {
            return std::unexpected(entries.error());
        }
        if (entries->size() != block.keys) {
            return damaged(block.first, "has lost idempotency keys of its block");
        }
        keys_.remember(block, *entries);
    }
    return {};
}

// Gives the last index, 0 where there never were events. Sealed ones may be in the log no more.
Result<std::uint64_t> LogState::find_ends(const Txn& txn) {
    find_first();
    ChunkReader chunk;
    LogReader log(txn, chunk);
    auto there = log.at_or_after(0);
    if (!there) {
        return std::unexpected(there.error());
    }
    if (!*there) {
        return sealed_;
    }
    chunk.close();
    there = log.at_or_before(UINT64_MAX);
    if (!there) {
        return std::unexpected(there.error());
    }
    return std::max(chunk.last(), sealed_);
}

// Room for the next value. Beyond what wants a checkpoint there is as much again: a start on a full disk must not need
// one.
bool LogState::can_replay() const {
    return tail_->room() >= rows_per_chunk && tail_->bytes() < 2 * tail_bytes_max;
}

// Until everything is in the tail or nothing more fits; true: there is more.
Result<bool> LogState::replay_some(Env& env, std::uint64_t last) {
    if (!can_replay()) {
        committed();
        if (const int rc = checkpoint(env); rc != 0) {
            return std::unexpected(lmdb_error(rc, "store", "checkpoint"));
        }
    }
    const auto txn = Txn::read(env);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    ChunkReader chunk;
    LogReader log(*txn, chunk);
    while (next_ <= last && can_replay()) {
        const auto there = log.at_or_after(next_);
        if (!there) {
            return std::unexpected(there.error());
        }
        if (!*there || chunk.first() != next_) {
            return damaged(next_, "is missing from the log");
        }
        if (auto replayed = replay_chunk(chunk); !replayed) {
            return std::unexpected(replayed.error());
        }
    }
    return next_ <= last;
}

Result<void> LogState::replay_chunk(ChunkReader& chunk) {
    if (auto read = chunk.read_columns(); !read) {
        return read;
    }
    Event event; // one for all: its strings keep their memory
    for (std::size_t row = 0; row < chunk.count(); ++row) {
        if (auto read = chunk.event(row, event); !read) {
            return read;
        }
        tail_->append(event);
        count(event);
        first_ = first_ == 0 ? next_ : first_;
        if (!event.idempotency_key.empty()) {
            keys_.stage({keys_.fingerprint(event), event.unique_index});
        }
        ++next_;
    }
    return {};
}

// ---- commits ----

void LogState::count(const Event& event) {
    const auto rank = static_cast<std::size_t>(event.severity);
    by_severity_[rank] += event.count;
    const std::uint64_t bytes = size_of(event);
    uses_.age.oldest_us[rank] = std::min(uses_.age.oldest_us[rank], event.received_time_us);
    uses_.age.bytes += bytes;
    ++uses_.age.events;
    hold(uses_, event, bytes);
}

void LogState::hold(Uses& uses, const Event& event, std::uint64_t bytes) {
    auto& all = uses.holdings;
    if (uses.latest >= all.size() || all[uses.latest].uid != event.origin.uid) {
        auto at = std::ranges::find(all, event.origin.uid, &Holding::uid);
        if (at == all.end() && all.size() + 1 >= holdings_max) {
            at = std::ranges::find(all, std::optional<std::uint32_t>{},
                                   &Holding::uid); // with all that have no place of their own
        }
        if (at == all.end()) {
            all.push_back({.uid = all.size() + 1 < holdings_max ? event.origin.uid : std::nullopt});
            at = std::prev(all.end());
        }
        uses.latest = static_cast<std::size_t>(at - all.begin());
    }
    ++all[uses.latest].events;
    all[uses.latest].bytes += bytes;
}

// The oldest event that is there.
void LogState::find_first() {
    const auto block = std::ranges::find_if(*blocks_, [](const BlockSummary& one) { return one.events != 0; });
    const bool in_tail = tail_ && tail_->rows() != 0;
    first_ = block != blocks_->end() ? block->alive : in_tail ? tail_->first() : 0;
}

void LogState::replace_blocks(Blocks blocks) {
    blocks_ = std::make_shared<const Blocks>(std::move(blocks));
    find_first();
    mark_.first = first_;
}

void LogState::change_block(const BlockSummary& block) {
    Blocks blocks = *blocks_;
    const auto at = std::ranges::lower_bound(blocks, block.first, {}, &BlockSummary::first);
    if (at != blocks.end() && at->first == block.first) {
        *at = block;
    }
    replace_blocks(std::move(blocks));
}

void LogState::remove_block(std::uint64_t first) {
    Blocks blocks = *blocks_;
    std::erase_if(blocks, [first](const BlockSummary& block) { return block.first == first; });
    replace_blocks(std::move(blocks));
}

int LogState::append(Txn& txn, std::span<const Event* const> events) {
    std::uint64_t chunk_first = next_;
    if (first_ == 0 && !events.empty()) {
        first_ = next_;
    }
    const auto put = [this, &txn, &chunk_first] {
        const std::uint64_t first = std::exchange(chunk_first, next_);
        return txn.put(Tree::log, index_key(first), chunk_.seal(first), MDB_APPEND);
    };
    for (const Event* event : events) {
        if (!chunk_.fits(*event)) {
            if (const int rc = put(); rc != 0) {
                return rc;
            }
        }
        chunk_.add(*event);
        tail_->append(*event);
        count(*event);
        ++next_;
    }
    return chunk_.empty() ? 0 : put();
}

void LogState::committed() {
    keys_.commit_staged();
    mark_.tail = tail_->mark();
    mark_.first = first_;
    mark_.next = next_;
    mark_.by_severity = by_severity_;
    mark_.uses = uses_; // in the memory of the last one
}

void LogState::rollback() {
    chunk_.clear();
    keys_.drop_staged(0);
    tail_->rollback(mark_.tail);
    first_ = mark_.first;
    next_ = mark_.next;
    by_severity_ = mark_.by_severity;
    uses_ = mark_.uses;
}

View LogState::view() const {
    return View{.blocks = blocks_,
                .tail = tail_,
                .rows = tail_->rows(),
                .first = first_,
                .last = next_ - 1,
                .checkpoint = checkpoint_,
                .sealed = sealed_,
                .by_severity = by_severity_,
                .age = uses_.age};
}

const BlockSummary* LogState::unsealed() const {
    const auto block = std::ranges::upper_bound(*blocks_, sealed_, {}, &BlockSummary::first);
    return block == blocks_->end() ? nullptr : &*block;
}

// ---- checkpoint ----

bool LogState::wants_checkpoint() const {
    return tail_->rows() >= bounds_.tail_events || tail_->bytes() >= tail_bytes_max;
}

BlockSummary LogState::summary() const {
    BlockSummary block{
        .first = tail_->first(), .last = next_ - 1, .events = tail_->rows(), .keys = keys_.open_keys().size()};
    block.alive = block.first;
    block.holdings = uses_.holdings;
    for (std::size_t at = 0; at < tail_->rows(); ++at) {
        const Columns& c = tail_->columns(at / rows_per_chunk);
        const std::size_t row = at % rows_per_chunk;
        block.min_event_us = std::min(block.min_event_us, c.event_time_us[row]);
        block.max_event_us = std::max(block.max_event_us, c.event_time_us[row]);
        block.min_received_us = std::min(block.min_received_us, c.received_time_us[row]);
        block.max_received_us = std::max(block.max_received_us, c.received_time_us[row]);
        ++block.by_severity[c.bits[row] & bits::severity_mask];
    }
    return block;
}

int LogState::checkpoint(Env& env) {
    if (tail_->rows() == 0) { // another one was made since this was wanted
        return 0;
    }
    const BlockSummary block = summary();
    std::optional<Txn> txn;
    int rc = Txn::write(env, txn);
    rc = rc != 0 ? rc : add_counts(*txn, tally(*tail_, tail_->rows()));
    rc = rc != 0 ? rc : txn->put(Tree::blocks, index_key(block.first), encode_block(block), MDB_APPEND);
    rc = rc != 0 ? rc : write_keys(*txn, block.first, keys_.open_keys());
    rc = rc != 0 ? rc : txn->put(Tree::meta, meta::checkpoint, fixed_key(block.last));
    rc = rc != 0 ? rc : txn->commit();
    if (rc != 0) {
        return rc;
    }
    auto blocks = std::make_shared<Blocks>(*blocks_);
    blocks->push_back(block);
    blocks_ = std::move(blocks);
    checkpoint_ = block.last;
    keys_.close_block(block);
    tail_ = new_segment();
    uses_ = {};
    committed();
    return 0;
}

} // namespace tocsin::storage
