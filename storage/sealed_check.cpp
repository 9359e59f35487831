// SPDX-License-Identifier: Apache-2.0
#include "storage/sealed_check.hpp"

#include "storage/block_build.hpp"
#include "storage/dead_rows.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "storage/weights.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace tocsin::storage {

namespace {

class BlockCheck {
public:
    BlockCheck(const Txn& txn, const BlockSummary& block, const std::function<void(const Event&)>& each,
               const std::function<void(std::string)>& wrong)
        : txn_(txn),
          block_(block),
          each_(each),
          wrong_(wrong),
          builder_({block.first, static_cast<std::uint32_t>(block.last - block.first + 1)}) {}

    Result<void> run() {
        auto dead = read_dead(txn_, place_of(block_));
        if (!dead) {
            wrong(dead.error().detail());
            return {};
        }
        dead_ = std::move(*dead);
        if (const auto read = read_columns(); !read) {
            wrong(read.error().detail());
            return {};
        }
        auto whole = read_events();
        if (!whole || !*whole) {
            return whole ? Result<void>{} : std::unexpected(whole.error());
        }
        if (!dead_.empty()) {
            return {}; // its indexes may list what has expired; what is alive was looked at
        }
        builder_.finish();
        std::vector<SealedRow> rows = builder_.take();
        std::erase_if(rows, [](const SealedRow& row) { return row.tree != Tree::sealed; });
        std::ranges::sort(rows, {}, &SealedRow::key);
        return compare(rows);
    }

private:
    void wrong(const std::string& what) { wrong_("sealed block " + std::to_string(block_.first) + ": " + what); }

    // What the indexes say of each row, where they cannot be compared with new ones.
    Result<void> read_columns() {
        if (dead_.empty()) {
            return {};
        }
        auto header = read_header(txn_, block_.first);
        auto weights = read_weights(txn_, block_.first);
        if (!header || !weights) {
            return std::unexpected(!header ? header.error() : weights.error());
        }
        header_ = std::move(*header);
        weights_.insert(weights->begin(), weights->end());
        times_.emplace(txn_, block_.first, header_);
        for (std::size_t i = 0; i < dimensions.size(); ++i) {
            auto codes = read_codes(txn_, place_of(block_), dimensions[i]);
            if (!codes) {
                return std::unexpected(codes.error());
            }
            columns_[i] = std::move(*codes);
        }
        return {};
    }

    bool is_listed(const Event& event) {
        const auto row = static_cast<std::uint32_t>(event.unique_index - block_.first);
        std::string space;
        for (std::size_t i = 0; i < dimensions.size(); ++i) {
            const CodedRows& column = columns_[i];
            if (column.values[column.codes[row]] != value_of(event, dimensions[i], space).value_or("")) {
                return false;
            }
        }
        const auto weight = weights_.find(row);
        const auto time = times_->at(row);
        const TimeRun& run = header_.runs[row / rows_per_run];
        return (weight == weights_.end() ? 1 : weight->second) == event.count && time && *time == event.event_time_us &&
               run.min_received_us <= event.received_time_us && run.max_received_us >= event.received_time_us;
    }

    // False where one could not be read: then there is nothing to compare the indexes with.
    Result<bool> read_events() {
        Cursor cursor(txn_, Tree::records);
        ChunkReader chunk;
        std::string space;
        std::uint64_t next = next_alive(block_.first);
        while (next <= block_.last) {
            const auto found = cursor.at_or_before(index_key(next));
            if (!found) {
                return std::unexpected(found.error());
            }
            auto there = *found ? open_group((*found)->key, (*found)->value, next, space, chunk) : Result<bool>(false);
            if (!there || !*there || chunk.last() > block_.last) {
                wrong(there ? "the record of event " + std::to_string(next) + " is missing" : there.error().detail());
                return false;
            }
            if (auto read = chunk.read_columns(); !read || !take(chunk)) {
                wrong(read ? "an event does not belong there, or its indexes say something else"
                           : read.error().detail());
                return false;
            }
            std::ignore = builder_.take(); // records, which may be packed otherwise by another LZ4
            next = next_alive(chunk.last() + 1);
        }
        return true;
    }

    std::uint64_t next_alive(std::uint64_t index) const {
        while (index <= block_.last && dead_.has(static_cast<std::uint32_t>(index - block_.first))) {
            ++index;
        }
        return index;
    }

    bool take(const ChunkReader& chunk) {
        for (std::size_t row = 0; row < chunk.count(); ++row) {
            if (dead_.has(static_cast<std::uint32_t>(chunk.first() + row - block_.first))) {
                continue;
            }
            const auto event = chunk.event(row);
            if (!event || (dead_.empty() ? !builder_.add(*event) : !is_listed(*event))) {
                return false;
            }
            each_(*event);
        }
        return true;
    }

    Result<void> compare(const std::vector<SealedRow>& wanted) {
        Cursor cursor(txn_, Tree::sealed);
        auto found = cursor.at_or_after(index_key(block_.first));
        auto want = wanted.begin();
        const std::string end = index_key(block_.last + 1);
        for (; found && *found && (*found)->key < end && want != wanted.end(); found = cursor.next(), ++want) {
            if ((*found)->key != want->key || (*found)->value != want->value) {
                break;
            }
        }
        if (!found) {
            return std::unexpected(found.error());
        }
        if (want != wanted.end() || (*found && (*found)->key < end)) {
            wrong("its indexes do not fit its events");
        }
        return {};
    }

    const Txn& txn_;
    const BlockSummary& block_;
    const std::function<void(const Event&)>& each_;
    const std::function<void(std::string)>& wrong_;
    BlockBuilder builder_;
    RowSet dead_{0};
    BlockHeader header_{};
    std::unordered_map<std::uint32_t, std::uint64_t> weights_{};
    std::optional<TimeReader> times_{};
    std::array<CodedRows, dimensions.size()> columns_{};
};

} // namespace

Result<void> check_sealed(const Txn& txn, const BlockSummary& block, const std::function<void(const Event&)>& each,
                          const std::function<void(std::string)>& wrong) {
    return BlockCheck(txn, block, each, wrong).run();
}

} // namespace tocsin::storage
