// SPDX-License-Identifier: Apache-2.0
#include "storage/dead_rows.hpp"

#include "storage/blocks.hpp"
#include "storage/keys.hpp"

#include <string>
#include <utility>
#include <vector>

namespace tocsin::storage {

SealedRow encode_dead(BlockPlace block, const RowSet& dead) {
    std::vector<std::uint32_t> rows;
    rows.reserve(dead.count());
    for (auto row = dead.at_or_after(0); row; row = dead.at_or_after(*row + 1)) {
        rows.push_back(*row);
    }
    std::string posting;
    std::string scratch;
    put_posting(posting, rows, block.rows, scratch);
    return seal_row(Tree::sealed, sealed_key::dead(block.first), posting);
}

Result<RowSet> read_dead(const Txn& txn, BlockPlace block) {
    RowSet dead(block.rows);
    const std::string key = sealed_key::dead(block.first);
    const auto value = txn.get(Tree::sealed, key);
    if (!value) {
        return std::unexpected(value.error());
    }
    if (!*value) {
        return dead;
    }
    const auto opened = open_sealed(key, **value);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    ByteReader in(opened->checked);
    const Posting posting = read_posting(in, block.rows);
    if (!in.done() || !add_rows(posting, dead)) {
        return sealed_damaged(key, "list of what has expired");
    }
    return dead;
}

// False where no block holds it.
Result<bool> DeadReader::open(std::uint64_t index) {
    if (dead_ && index >= block_.first && index - block_.first < block_.rows) {
        return true;
    }
    dead_.reset();
    Cursor cursor(txn_, Tree::blocks);
    const auto found = cursor.at_or_before(index_key(index));
    if (!found || !*found) {
        return found ? Result<bool>(false) : std::unexpected(found.error());
    }
    const auto block = decode_block((*found)->key, (*found)->value);
    if (!block) {
        return std::unexpected(block.error());
    }
    if (index > block->last) {
        return false;
    }
    block_ = place_of(*block);
    auto dead = block->events == block_.rows ? Result<RowSet>(RowSet(block_.rows)) : read_dead(txn_, block_);
    if (!dead) {
        return std::unexpected(dead.error());
    }
    dead_ = std::move(*dead);
    return true;
}

Result<bool> DeadReader::is_dead(std::uint64_t index) {
    const auto there = open(index);
    if (!there) {
        return there;
    }
    return !*there || dead_->has(static_cast<std::uint32_t>(index - block_.first));
}

} // namespace tocsin::storage
