// SPDX-License-Identifier: Apache-2.0
#include "storage/expiry.hpp"

#include "core/ports.hpp"
#include "storage/archive.hpp"
#include "storage/block_build.hpp"
#include "storage/dead_rows.hpp"
#include "storage/log_reader.hpp"
#include "storage/weights.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace tocsin::storage {

namespace {

// Of one transaction: what it may write of the archive, and how far it goes where that is little.
constexpr std::size_t sums_per_slice = 1'000;
constexpr std::size_t rows_per_slice = 16'384;

std::uint32_t end_of_run(const BlockHeader& header, std::size_t run) {
    return std::min(header.rows, static_cast<std::uint32_t>(run + 1) * rows_per_run);
}

// The lowest index that some reader has still to look at.
Result<std::uint64_t> first_unread(const Txn& txn) {
    std::uint64_t first = UINT64_MAX;
    Cursor cursor(txn, Tree::cursors);
    auto found = cursor.first();
    for (; found && *found; found = cursor.next()) {
        first = std::min(first, read_fixed<std::uint64_t>((*found)->value).value_or(0) + 1);
    }
    return found ? Result<std::uint64_t>(first) : std::unexpected(found.error());
}

class Expiry {
public:
    Expiry(const Txn& txn, const BlockSummary& block, const ExpiryRule& rule, const Emit& emit)
        : txn_(txn), block_(block), place_(place_of(block)), rule_(rule), emit_(emit) {}

    Result<void> run() {
        auto read = read_block();
        read = read ? choose() : read;
        read = read ? spare() : read;
        if (read && !going_.empty()) {
            read = read_values();
        }
        return read ? write() : read;
    }

private:
    // ---- what goes ----

    Result<void> read_block() {
        auto header = read_header(txn_, block_.first);
        auto dead = read_dead(txn_, place_);
        if (!header || !dead) {
            return std::unexpected(!header ? header.error() : dead.error());
        }
        header_ = std::move(*header);
        dead_ = std::move(*dead);
        for (std::size_t rank = 0; rank < severities_.size(); ++rank) {
            const auto value = small_value(static_cast<std::uint8_t>(rank));
            auto rows = rows_of(txn_, place_, Dimension::severity, value);
            if (!rows) {
                return std::unexpected(rows.error());
            }
            severities_[rank] = std::move(*rows);
            severities_[rank] -= dead_;
        }
        return {};
    }

    Result<void> choose() {
        for (std::size_t rank = 0; rank < severities_.size(); ++rank) {
            RowSet rows = severities_[rank];
            if (auto kept = keep_received_before(rows, rule_.received_before_us[rank]); !kept) {
                return kept;
            }
            going_ |= rows;
        }
        if (rule_.uid) {
            const auto rows = rows_of(txn_, place_, Dimension::uid, uid_value(*rule_.uid));
            if (!rows) {
                return std::unexpected(rows.error());
            }
            going_ &= *rows;
        }
        return {};
    }

    // By runs, whose range says it for all of their rows but at the bound itself.
    Result<void> keep_received_before(RowSet& rows, std::int64_t bound_us) {
        if (bound_us == ExpiryRule::all) {
            return {};
        }
        ChunkReader chunk;
        LogReader log(txn_, chunk);
        for (std::uint32_t run = 0; run < header_.runs.size(); ++run) {
            const TimeRun& range = header_.runs[run];
            const std::uint32_t end = end_of_run(header_, run);
            if (range.max_received_us < bound_us) {
                continue;
            }
            if (range.min_received_us >= bound_us) {
                rows.remove_range(run * rows_per_run, end);
                continue;
            }
            for (auto row = rows.at_or_after(run * rows_per_run); row && *row < end; row = rows.at_or_after(*row + 1)) {
                const auto event = log.event(block_.first + *row);
                if (!event) {
                    return std::unexpected(event.error());
                }
                if (event->received_time_us >= bound_us) {
                    rows.remove(*row);
                }
            }
        }
        return {};
    }

    // What must stay whatever the rule says.
    Result<void> spare() {
        const auto unread = first_unread(txn_);
        if (!unread) {
            return std::unexpected(unread.error());
        }
        if (*unread <= block_.last) {
            auto asking = rows_of(txn_, place_, Dimension::script, small_value(1));
            if (!asking) {
                return std::unexpected(asking.error());
            }
            const std::uint64_t read = std::max(*unread, block_.first) - block_.first;
            asking->remove_range(0, static_cast<std::uint32_t>(read));
            going_ -= *asking;
        }
        Cursor pins(txn_, Tree::pins);
        auto found = pins.at_or_after(index_key(block_.first));
        for (; found && *found; found = pins.next()) {
            const std::uint64_t index = read_fixed<std::uint64_t>((*found)->key).value_or(0);
            if (index > block_.last) {
                break;
            }
            going_.remove(static_cast<std::uint32_t>(index - block_.first));
        }
        return found ? Result<void>{} : std::unexpected(found.error());
    }

    // ---- what it counted for ----

    Result<void> read_values() {
        for (std::size_t i = 0; i < archived.size(); ++i) {
            auto codes = read_codes(txn_, place_, archived[i]);
            if (!codes) {
                return std::unexpected(codes.error());
            }
            values_[i] = std::move(*codes);
        }
        auto hours = read_codes(txn_, place_, Dimension::hour);
        auto uids = read_codes(txn_, place_, Dimension::uid);
        auto weights = read_weights(txn_, block_.first);
        if (!hours || !uids || !weights) {
            return std::unexpected(!hours ? hours.error() : !uids ? uids.error() : weights.error());
        }
        hours_ = std::move(*hours);
        uids_ = std::move(*uids);
        weights_.insert(weights->begin(), weights->end());
        return {};
    }

    // Adds the row to the slice's sums.
    void count(std::uint32_t row) {
        const auto weight = weights_.find(row);
        const std::uint64_t times = weight == weights_.end() ? 1 : weight->second;
        for (std::size_t i = 0; i < archived.size(); ++i) {
            const std::uint64_t key = (std::uint64_t{hours_.codes[row]} << 32U) | values_[i].codes[row];
            const auto [at, fresh] = sums_[i].try_emplace(key, 0);
            at->second += times;
            distinct_ += fresh ? 1 : 0;
        }
        for (std::size_t rank = 0; rank < severities_.size(); ++rank) {
            if (severities_[rank].has(row)) {
                severities_[rank].remove(row);
                ++slice_.gone[rank];
            }
        }
        const std::string& uid = uids_.values[uids_.codes[row]];
        ++holders_[uid.empty() ? std::nullopt : read_fixed<std::uint32_t>(uid)];
        dead_.add(row);
        slice_.expires.push_back(block_.first + row);
    }

    // ---- writing: the transaction stays open while the writer takes the slices, one of its commits each ----

    Result<void> write() {
        for (auto row = going_.at_or_after(0); row; row = going_.at_or_after(*row + 1)) {
            count(*row);
            if (distinct_ >= sums_per_slice || slice_.expires.size() >= rows_per_slice) {
                if (auto closed = close(); !closed) {
                    return closed;
                }
                if (!emit_(std::exchange(slice_, {}))) {
                    return {};
                }
            }
        }
        if (!slice_.expires.empty()) {
            if (auto closed = close(); !closed) {
                return closed;
            }
        }
        slice_.last = true;
        slice_.oldest_us = oldest();
        emit_(std::move(slice_));
        return {};
    }

    Result<void> close() {
        for (std::size_t i = 0; i < archived.size(); ++i) {
            for (const auto& [key, sum] : sums_[i]) {
                const std::string& hour = hours_.values[key >> 32U];
                const std::string& value = values_[i].values[key & UINT32_MAX];
                slice_.add(Tree::archive, counter_key(read_fixed<std::uint32_t>(hour).value_or(0), archived[i], value),
                           sum);
            }
            sums_[i].clear();
        }
        distinct_ = 0;
        std::ranges::sort(slice_.changes, {}, &TreeChange::key); // neighbours in the tree are written together
        lessen_block();
        slice_.put(encode_dead(place_, dead_));
        slice_.put(Tree::blocks, index_key(block_.first), encode_block(block_));
        slice_.add(Tree::meta, std::string(meta::expired), slice_.expires.size());
        slice_.block = block_;
        return remove_reports();
    }

    void lessen_block() {
        block_.events = 0;
        for (std::size_t rank = 0; rank < severities_.size(); ++rank) {
            block_.by_severity[rank] = severities_[rank].count();
            block_.events += block_.by_severity[rank];
        }
        RowSet alive(place_.rows, true);
        alive -= dead_;
        block_.alive = block_.first + alive.at_or_after(0).value_or(place_.rows);
        for (Holding& holding : block_.holdings) {
            std::uint64_t gone = 0;
            std::erase_if(holders_, [this, &holding, &gone](const auto& held) {
                const bool listed = std::ranges::any_of(
                    block_.holdings, [&held](const Holding& one) { return one.uid && one.uid == held.first; });
                const bool mine = holding.uid ? holding.uid == held.first : !listed;
                gone += mine ? held.second : 0;
                return mine;
            });
            gone = std::min(gone, holding.events);
            const double left =
                holding.events == 0 ? 0 : 1 - static_cast<double>(gone) / static_cast<double>(holding.events);
            holding.bytes = static_cast<std::uint64_t>(static_cast<double>(holding.bytes) * left);
            holding.events -= gone;
        }
        holders_.clear();
        std::erase_if(block_.holdings, [](const Holding& holding) { return holding.events == 0; });
    }

    Result<void> remove_reports() {
        Cursor reports(txn_, Tree::reports);
        auto found = reports.at_or_after(report_key(slice_.expires.front()));
        for (; found && *found; found = reports.next()) {
            const std::uint64_t index = read_fixed<std::uint64_t>((*found)->key).value_or(0);
            if (index > slice_.expires.back()) {
                break;
            }
            if (std::ranges::binary_search(slice_.expires, index)) {
                slice_.erase(Tree::reports, std::string((*found)->key));
            }
        }
        return found ? Result<void>{} : std::unexpected(found.error());
    }

    // A lower bound of when what is left was received.
    std::array<std::int64_t, 4> oldest() const {
        std::array<std::int64_t, 4> out{};
        for (std::size_t rank = 0; rank < severities_.size(); ++rank) {
            const auto row = severities_[rank].at_or_after(0);
            out[rank] = row ? header_.runs[*row / rows_per_run].min_received_us : ExpiryRule::all;
        }
        return out;
    }

    const Txn& txn_;
    BlockSummary block_;
    BlockPlace place_;
    const ExpiryRule& rule_;
    const Emit& emit_;
    BlockHeader header_{};
    RowSet dead_{0};
    std::array<RowSet, 4> severities_{RowSet{0}, RowSet{0}, RowSet{0}, RowSet{0}}; // alive
    RowSet going_{place_.rows};
    std::array<CodedRows, archived.size()> values_{};
    CodedRows hours_{};
    CodedRows uids_{};
    std::unordered_map<std::uint32_t, std::uint64_t> weights_{};
    std::array<std::unordered_map<std::uint64_t, std::uint64_t>, archived.size()> sums_{}; // by hour's and value's code
    std::size_t distinct_ = 0;
    std::map<std::optional<std::uint32_t>, std::uint64_t> holders_{};
    UpkeepSlice slice_{};
};

} // namespace

Result<void> expire_block(Env& env, const BlockSummary& block, const ExpiryRule& rule, const Emit& emit) {
    const auto txn = Txn::read(env);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    return Expiry(*txn, block, rule, emit).run();
}

} // namespace tocsin::storage
