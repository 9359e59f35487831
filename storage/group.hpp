// SPDX-License-Identifier: Apache-2.0
// The operations of one transaction: idempotency keys resolved before anything is written, indexes given, receipts
// prepared. An operation that is refused takes nothing of the others with it.
#pragma once

#include "storage/inbox.hpp"
#include "storage/log_reader.hpp"
#include "storage/log_state.hpp"

#include <optional>
#include <span>
#include <vector>

namespace tocsin::storage {

class Group {
public:
    Group(Env& env, LogState& log, std::int64_t window_us)
        : env_(env), log_(log), window_us_(window_us), next_(log.next_index()) {}

    // Takes the operation in, or says why not; then it must be answered with that.
    std::optional<Error> add(Op& op);

    // Ends the reading that add() needed; before writing.
    void close() {
        reader_.reset();
        txn_.reset();
    }

    // New events in the order of their indexes.
    std::span<const Event* const> events() const { return events_; }
    const std::vector<Op*>& ops() const { return ops_; }
    std::vector<Receipt>& receipts() { return receipts_; }
    bool writes() const { return writes_; }

private:
    // Index of the event this one repeats, 0 where it is new; an error where the key belongs to other content.
    Result<std::uint64_t> known(const Event& event, std::uint64_t fingerprint, std::size_t number);
    std::optional<Error> compare(const Event& event, std::uint64_t index, std::size_t number, std::uint64_t& same);
    Result<const Event*> stored(std::uint64_t index, Event& space);

    Env& env_;
    LogState& log_;
    std::int64_t window_us_;
    std::uint64_t next_;
    std::vector<Op*> ops_{};
    std::vector<Receipt> receipts_{};
    std::vector<const Event*> events_{};
    bool writes_ = false;

    // Opened when the first known key is met.
    std::optional<Txn> txn_{};
    ChunkReader chunk_{};
    std::optional<LogReader> reader_{};
};

} // namespace tocsin::storage
