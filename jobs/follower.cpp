// SPDX-License-Identifier: Apache-2.0
#include "jobs/follower.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tocsin::jobs {

namespace {

constexpr std::size_t slice_events_max = 1'000;
constexpr std::uint64_t cursor_lag_max = 8'192; // events without a script before the cursor is moved for itself
constexpr std::chrono::milliseconds retry_delay{200};

bool asks_for_script(const Event& event) {
    return !event.spark_script.empty() && event.event_src != daemon_source;
}

// What storage can sort out by itself; asks_for_script() decides.
Filter script_filter() {
    Filter filter;
    filter.order = Order::index;
    if (auto where = Expression::parse(R"(spark_script glob "?*")")) {
        filter.where.push_back(std::move(*where));
    }
    return filter;
}

} // namespace

void Follower::start(CommitFeed& feed, std::uint64_t cursor) {
    considered_ = cursor;
    kept_ = cursor;
    seen_ = reader_.last_index();
    subscription_ = feed.on_commit([self = weak_from_this()](const CommitNotice& commit) {
        if (const auto follower = self.lock()) {
            follower->notice(commit);
        }
    });
    read_on();
}

void Follower::stop() {
    stopped_ = true;
    subscription_.reset();
    retry_.cancel();
}

void Follower::notice(const CommitNotice& commit) {
    seen_ = std::max(seen_, commit.last);
    if (busy_ || stopped_) {
        return; // read_on() comes to it
    }
    if (commit.first > considered_ + 1 || !commit.events) {
        return read_on();
    }
    std::vector<const Event*> found;
    std::uint64_t upto = commit.last;
    for (const Event& event : *commit.events) {
        if (event.unique_index <= considered_ || !asks_for_script(event)) {
            continue;
        }
        found.push_back(&event);
        if (found.size() == slice_events_max) {
            upto = event.unique_index;
            break;
        }
    }
    take_slice(found, std::max(upto, considered_));
}

void Follower::take_slice(const std::vector<const Event*>& events, std::uint64_t upto) {
    if (events.empty() && upto - kept_ < cursor_lag_max) {
        considered_ = upto;
        return read_on();
    }
    busy_ = true;
    take_(events, upto, [self = weak_from_this()](std::uint64_t upto_taken) {
        if (const auto follower = self.lock()) {
            follower->taken(upto_taken);
        }
    });
}

void Follower::taken(std::uint64_t upto) {
    busy_ = false;
    considered_ = std::max(considered_, upto);
    kept_ = std::max(kept_, upto);
    read_on();
}

void Follower::read_on() {
    if (busy_ || stopped_ || considered_ >= seen_) {
        return;
    }
    busy_ = true;
    reader_.read_after(considered_, script_filter(), slice_events_max, [self = weak_from_this()](Result<Slice> slice) {
        if (const auto follower = self.lock()) {
            follower->read_done(std::move(slice));
        }
    });
}

void Follower::read_done(Result<Slice> slice) {
    busy_ = false;
    if (stopped_) {
        return;
    }
    if (!slice || slice->upto <= considered_) {
        return retry_later();
    }
    std::vector<const Event*> found;
    for (const Event& event : slice->events) {
        if (asks_for_script(event)) {
            found.push_back(&event);
        }
    }
    take_slice(found, slice->upto);
}

void Follower::retry_later() {
    busy_ = true;
    retry_.expires_after(retry_delay);
    retry_.async_wait([self = weak_from_this()](boost::system::error_code error) {
        if (const auto follower = self.lock(); follower && !error) {
            follower->busy_ = false;
            follower->read_on();
        }
    });
}

} // namespace tocsin::jobs
