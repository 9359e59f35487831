// SPDX-License-Identifier: Apache-2.0
#include "storage/compaction.hpp"

#include "storage/block_build.hpp"
#include "storage/dead_rows.hpp"
#include "storage/log_reader.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::storage {

namespace {

constexpr std::size_t values_per_slice = 8;            // of records, read and written in one transaction
constexpr std::size_t kind_at = sizeof(std::uint64_t); // in a key of tree `sealed`: what it is of the block
constexpr char sums_kind = '+';                        // are of whole blocks alone
constexpr std::string_view times_kinds = "#=!";        // the header and what must fit it

class Compaction {
public:
    Compaction(Env& env, const BlockSummary& block, const Emit& emit)
        : env_(env), block_(block), emit_(emit), builder_(place_of(block)) {
        block_.min_event_us = INT64_MAX;
        block_.max_event_us = INT64_MIN;
        block_.min_received_us = INT64_MAX;
        block_.max_received_us = INT64_MIN;
    }

    Result<void> run() {
        for (bool more = true; more;) {
            UpkeepSlice slice;
            const auto some = rewrite_records(slice);
            if (!some) {
                return std::unexpected(some.error());
            }
            more = *some;
            if (!emit_(std::move(slice))) {
                return {};
            }
        }
        builder_.finish();
        return rewrite_indexes();
    }

private:
    // One slice: the values that are there, and what becomes of them. True: there is more.
    Result<bool> rewrite_records(UpkeepSlice& slice) {
        const auto txn = Txn::read(env_);
        if (!txn) {
            return std::unexpected(txn.error());
        }
        const auto dead = read_dead(*txn, place_of(block_));
        if (!dead) {
            return std::unexpected(dead.error());
        }
        const auto end = old_values(*txn, slice);
        if (!end) {
            return std::unexpected(end.error());
        }
        ChunkReader chunk;
        LogReader log(*txn, chunk);
        for (std::uint64_t index = block_.first + builder_.rows(); index < *end; ++index) {
            if (dead->has(static_cast<std::uint32_t>(index - block_.first))) {
                builder_.skip();
                continue;
            }
            const auto event = log.event(index);
            auto added = event ? builder_.add(*event) : std::unexpected(event.error());
            if (!added) {
                return std::unexpected(added.error());
            }
            see(*event);
        }
        builder_.cut();
        for (SealedRow& row : builder_.take()) {
            slice.put(std::move(row));
        }
        return *end <= block_.last;
    }

    // Erases the next of them; gives the index behind them.
    Result<std::uint64_t> old_values(const Txn& txn, UpkeepSlice& slice) const {
        Cursor cursor(txn, Tree::records);
        auto found = cursor.at_or_after(index_key(block_.first + builder_.rows()));
        for (std::size_t values = 0; found && *found; ++values, found = cursor.next()) {
            const std::uint64_t first = read_fixed<std::uint64_t>((*found)->key).value_or(0);
            if (first > block_.last) {
                break;
            }
            if (values == values_per_slice) {
                return first;
            }
            slice.erase(Tree::records, std::string((*found)->key));
        }
        return found ? Result<std::uint64_t>(block_.last + 1) : std::unexpected(found.error());
    }

    void see(const Event& event) {
        block_.min_event_us = std::min(block_.min_event_us, event.event_time_us);
        block_.max_event_us = std::max(block_.max_event_us, event.event_time_us);
        block_.min_received_us = std::min(block_.min_received_us, event.received_time_us);
        block_.max_received_us = std::max(block_.max_received_us, event.received_time_us);
    }

    Result<void> rewrite_indexes() {
        std::vector<SealedRow> rows = builder_.take();
        std::erase_if(rows, [](const SealedRow& row) { return row.key[kind_at] == sums_kind; });
        for (const Dimension dimension : dimensions) {
            if (!replace(std::string(1, static_cast<char>(dimension)), rows)) {
                return outcome_;
            }
        }
        if (replace(std::string(1, sums_kind), rows)) {
            replace(std::string(times_kinds), rows);
        }
        return outcome_;
    }

    // All that the block has of these kinds, in one transaction; the last one ends the work. False: no further.
    bool replace(const std::string& kinds, std::vector<SealedRow>& rows) {
        UpkeepSlice slice;
        {
            const auto txn = Txn::read(env_);
            if (!txn) {
                outcome_ = std::unexpected(txn.error());
                return false;
            }
            Cursor cursor(*txn, Tree::sealed);
            for (const char kind : kinds) {
                const std::string head = index_key(block_.first) + kind;
                auto found = cursor.at_or_after(head);
                for (; found && *found && (*found)->key.starts_with(head); found = cursor.next()) {
                    slice.erase(Tree::sealed, std::string((*found)->key));
                }
                if (!found) {
                    outcome_ = std::unexpected(found.error());
                    return false;
                }
            }
        }
        const auto others = std::stable_partition(rows.begin(), rows.end(), [&kinds](const SealedRow& row) {
            return kinds.find(row.key[kind_at]) != std::string::npos;
        });
        std::for_each(rows.begin(), others, [&slice](SealedRow& row) { slice.put(std::move(row)); });
        rows.erase(rows.begin(), others);
        if (kinds == times_kinds) {
            block_.removed = place_of(block_).rows - block_.events;
            slice.block = block_;
            slice.put(Tree::blocks, index_key(block_.first), encode_block(block_));
            slice.last = true;
        }
        return emit_(std::move(slice));
    }

    Env& env_;
    BlockSummary block_;
    const Emit& emit_;
    BlockBuilder builder_;
    Result<void> outcome_{};
};

} // namespace

Result<void> compact_block(Env& env, const BlockSummary& block, const Emit& emit) {
    return Compaction(env, block, emit).run();
}

} // namespace tocsin::storage
