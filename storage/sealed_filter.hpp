// SPDX-License-Identifier: Apache-2.0
// A filter against the indexes of sealed blocks: which rows of a block are left, without reading a record. Exact, but
// for `text`, `where` and `has_report`, and for the few runs that lie across a bound of the received time.
#pragma once

#include "core/filter.hpp"
#include "storage/block_times.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::storage {

// What is left of one block.
struct SealedRows {
    BlockPlace block{};
    std::string summary{}; // as it is stored: it changes with all that these rows rest on
    BlockHeader header{};
    RowSet rows{0};
    std::vector<bool> unsure{}; // by run: whether its rows must be looked at; empty: none

    bool is_unsure(std::uint32_t run) const { return run < unsure.size() && unsure[run]; }
};

class SealedFilter {
public:
    explicit SealedFilter(const Filter& filter);

    // Whether what was selected before still holds.
    static Result<bool> holds(const Txn& txn, const SealedRows& left);
    // Rows low … high of the block that begins at `first`, by index; nullopt where none is left, as where all of it has
    // expired since somebody knew of it.
    Result<std::optional<SealedRows>> select(const Txn& txn, std::uint64_t first, std::uint64_t low,
                                             std::uint64_t high) const;

private:
    // The wanted values of one dimension.
    struct Wanted {
        Dimension dimension;
        std::vector<std::string> values{};
        std::vector<std::string> prefixes{};
    };
    // Rows of one block by the wanted values of one dimension.
    struct Side {
        std::uint64_t rows = 0;
        std::vector<Posting> postings{};
    };
    void want(Dimension dimension, std::vector<std::string> values, std::vector<std::string> prefixes = {});
    void want_severities();
    bool fits(std::int64_t event_us) const;
    RowSet by_time(const BlockHeader& header) const;
    void by_received(SealedRows& left) const;
    Result<Side> look_up(const Txn& txn, BlockPlace block, const Wanted& wanted) const;
    Result<void> by_values(const Txn& txn, SealedRows& left) const;
    Result<void> exact_times(const Txn& txn, SealedRows& left) const;

    const Filter& filter_;
    std::vector<Wanted> wanted_{};
};

} // namespace tocsin::storage
