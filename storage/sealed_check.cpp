// SPDX-License-Identifier: Apache-2.0
#include "storage/sealed_check.hpp"

#include "storage/block_build.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <algorithm>
#include <tuple>
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
        auto whole = read_events();
        if (!whole || !*whole) {
            return whole ? Result<void>{} : std::unexpected(whole.error());
        }
        builder_.finish();
        std::vector<SealedRow> rows = builder_.take();
        std::erase_if(rows, [](const SealedRow& row) { return row.tree != Tree::sealed; });
        std::ranges::sort(rows, {}, &SealedRow::key);
        return compare(rows);
    }

private:
    void wrong(const std::string& what) { wrong_("sealed block " + std::to_string(block_.first) + ": " + what); }

    // False where one could not be read: then there is nothing to compare the indexes with.
    Result<bool> read_events() {
        Cursor cursor(txn_, Tree::records);
        ChunkReader chunk;
        std::string space;
        for (std::uint64_t next = block_.first; next <= block_.last; next = chunk.last() + 1) {
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
                wrong(read ? "an event does not belong there" : read.error().detail());
                return false;
            }
            std::ignore = builder_.take(); // records, which may be packed otherwise by another LZ4
        }
        return true;
    }

    bool take(const ChunkReader& chunk) {
        for (std::size_t row = 0; row < chunk.count(); ++row) {
            const auto event = chunk.event(row);
            if (!event || !builder_.add(*event)) {
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
};

} // namespace

Result<void> check_sealed(const Txn& txn, const BlockSummary& block, const std::function<void(const Event&)>& each,
                          const std::function<void(std::string)>& wrong) {
    return BlockCheck(txn, block, each, wrong).run();
}

} // namespace tocsin::storage
