// SPDX-License-Identifier: Apache-2.0
// Events inside one read transaction: by index, wherever they are, or chunk by chunk of the log. What was read last is
// kept, so neighbours cost little; `scratch` is the caller's, reused from transaction to transaction.
#pragma once

#include "storage/chunk_codec.hpp"
#include "storage/dead_rows.hpp"
#include "storage/lmdb_env.hpp"

#include <optional>
#include <string>

namespace tocsin::storage {

class LogReader {
public:
    LogReader(const Txn& txn, ChunkReader& scratch) : txn_(txn), cursor_(txn, Tree::log), chunk_(scratch) {
        chunk_.close();
    }
    ~LogReader() { chunk_.close(); }
    LogReader(const LogReader&) = delete;
    LogReader& operator=(const LogReader&) = delete;

    // Opens the chunk that holds the index, or else the next one after it; false where there is none. No columns yet.
    Result<bool> at_or_after(std::uint64_t index);
    // Opens the chunk that holds the index, or else the next one before it.
    Result<bool> at_or_before(std::uint64_t index);
    ChunkReader& chunk() { return chunk_; }
    const Txn& txn() const { return txn_; }

    // Up to here events are read from sealed blocks: what the transaction says, so that an event is never in both or
    // none.
    Result<std::uint64_t> sealed();

    // Whole, reports joined; not_found, also where it has expired.
    Result<Event> event(std::uint64_t index);

private:
    Result<bool> open(const Cursor::Found& found);
    Result<bool> find(std::uint64_t index);
    Result<bool> find_alive(std::uint64_t index);
    Result<bool> find_sealed(std::uint64_t index);
    const Txn& txn_;
    Cursor cursor_;
    ChunkReader& chunk_;
    std::optional<std::uint64_t> sealed_{};
    std::optional<Cursor> records_{};
    DeadReader dead_{txn_};
    std::string group_{}; // bytes of the chunk where it is a group of sealed records
};

// spark_report_id and spark_report_url, as the table of reports has them now.
Result<void> join_report(const Txn& txn, Event& event);

} // namespace tocsin::storage
