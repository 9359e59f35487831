// SPDX-License-Identifier: Apache-2.0
// Commits the changes of jobs in the order given, many in one transaction, one transaction at a time; where no caller
// waits, a change may wait a little for a transaction of others. While the store refuses (disk full), a change that
// must not be lost is tried again with a growing delay for as long as it takes; a caller's request is told at once. A
// change that the store refuses for itself is tried alone, so that it spoils no other.
#pragma once

#include "core/ports.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace tocsin::jobs {

enum class Persistence : std::uint8_t { until_kept, once };

class Committer : public std::enable_shared_from_this<Committer> {
public:
    Committer(boost::asio::io_context& io, StateStore& store) : store_(store), retry_(io) {}

    // `done` has an error only for a change that was refused for itself, or that is tried once.
    void commit(StateChange change, Persistence persistence, Done<void> done);
    // Changes that are tried once and wait: what callers may pile up.
    std::size_t requests() const { return requests_; }
    // No commit is begun any more; nobody is answered any more.
    void abandon();

private:
    struct Item {
        StateChange change{};
        Persistence persistence = Persistence::once;
        Done<void> done{};
    };
    void pump();
    StateChange take_batch();
    void settled(Result<std::vector<std::uint64_t>> result);
    void refused(const Error& error);
    void answer(std::vector<Item> items, const Result<void>& result);
    void retry_later();

    StateStore& store_;
    boost::asio::steady_timer retry_;
    std::deque<Item> queue_{};
    std::vector<Item> in_flight_{};
    std::size_t requests_ = 0;
    unsigned failures_ = 0;  // in a row
    std::size_t singly_ = 0; // so many of the next go alone
    bool busy_ = false;
    bool abandoned_ = false;
};

} // namespace tocsin::jobs
