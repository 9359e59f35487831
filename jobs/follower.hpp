// SPDX-License-Identifier: Apache-2.0
// Follows the log for events that ask for a script: live from the commits while it keeps up, else by reading on from
// where it is, a bounded slice at a time. One slice is under way at most, so nothing piles up here.
#pragma once

#include "core/ports.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace tocsin::jobs {

class Follower : public std::enable_shared_from_this<Follower> {
public:
    // How far a slice was taken: the events up to there and the cursor are kept. Less than the slice: the rest is read
    // again, at once, so who has no room says so only when there is some.
    using Taken = std::move_only_function<void(std::uint64_t upto)>;
    // Takes the events of one slice (perhaps none), which ends at `upto`.
    using Take = std::function<void(const std::vector<const Event*>& events, std::uint64_t upto, Taken taken)>;

    Follower(boost::asio::io_context& io, EventReader& reader, Take take)
        : reader_(reader), take_(std::move(take)), retry_(io) {}

    void start(CommitFeed& feed, std::uint64_t cursor);
    void stop();
    // Every event up to here was considered.
    std::uint64_t considered() const { return considered_; }

private:
    void notice(const CommitNotice& commit);
    void take_slice(const std::vector<const Event*>& events, std::uint64_t upto);
    void taken(std::uint64_t upto);
    void read_on();
    void read_done(Result<Slice> slice);
    void retry_later();

    EventReader& reader_;
    Take take_;
    boost::asio::steady_timer retry_;
    std::unique_ptr<Subscription> subscription_{};
    std::uint64_t considered_ = 0;
    std::uint64_t kept_ = 0; // the cursor that is durable
    std::uint64_t seen_ = 0; // the newest index that was told
    bool busy_ = false;
    bool stopped_ = false;
};

} // namespace tocsin::jobs
