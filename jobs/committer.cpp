// SPDX-License-Identifier: Apache-2.0
#include "jobs/committer.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <ranges>
#include <utility>

namespace tocsin::jobs {

namespace {

constexpr std::size_t batch_items_max = 256;
constexpr std::size_t batch_rows_max = 4'096;
constexpr std::int64_t patience_us = 10'000; // while nobody waits, so that runs do not take the disk from intake
constexpr std::int64_t retry_us_min = 50'000;
constexpr std::int64_t retry_us_max = 5'000'000;
constexpr unsigned retry_doublings_max = 7;

// The store may take the same change later.
bool is_passing(Code code) {
    return code == Code::storage_full || code == Code::unavailable || code == Code::limit_exceeded;
}

void append(StateChange& batch, const StateChange& change) {
    std::ranges::copy(change.rows, std::back_inserter(batch.rows));
    std::ranges::copy(change.events, std::back_inserter(batch.events));
    if (!change.cursor_name.empty()) {
        batch.cursor_name = change.cursor_name;
        batch.cursor = change.cursor;
    }
}

} // namespace

void Committer::commit(StateChange change, Persistence persistence, Done<void> done) {
    requests_ += persistence == Persistence::once ? 1 : 0;
    queue_.push_back({std::move(change), persistence, std::move(done)});
    pump();
}

void Committer::abandon() {
    abandoned_ = true;
    retry_.cancel();
}

StateChange Committer::take_batch() {
    StateChange batch;
    bool waited_for = false;
    const std::size_t items_max = singly_ > 0 ? 1 : batch_items_max;
    singly_ -= singly_ > 0 ? 1 : 0;
    while (!queue_.empty() && in_flight_.size() < items_max && batch.rows.size() < batch_rows_max) {
        append(batch, queue_.front().change);
        waited_for = waited_for || queue_.front().persistence == Persistence::once;
        in_flight_.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    batch.patience_us = waited_for ? 0 : patience_us;
    return batch;
}

void Committer::pump() {
    if (busy_ || abandoned_ || queue_.empty()) {
        return;
    }
    busy_ = true;
    store_.commit(take_batch(), [self = weak_from_this()](Result<std::vector<std::uint64_t>> result) {
        if (const auto committer = self.lock()) {
            committer->settled(std::move(result));
        }
    });
}

void Committer::settled(Result<std::vector<std::uint64_t>> result) {
    busy_ = false;
    if (abandoned_) {
        return;
    }
    if (result) {
        failures_ = 0;
        answer(std::exchange(in_flight_, {}), {});
        return pump();
    }
    refused(result.error());
}

// Answers who asked once and puts the others back, in front and in order.
void Committer::refused(const Error& error) {
    auto items = std::exchange(in_flight_, {});
    const bool alone = items.size() == 1;
    if (!is_passing(error.code) && !alone) {
        singly_ = items.size();
        std::ranges::move(items | std::views::reverse, std::front_inserter(queue_));
        return pump();
    }
    std::vector<Item> told;
    std::vector<Item> kept;
    for (Item& item : items) {
        const bool tell = item.persistence == Persistence::once || !is_passing(error.code);
        (tell ? told : kept).push_back(std::move(item));
    }
    std::ranges::move(kept | std::views::reverse, std::front_inserter(queue_));
    const bool waits = !queue_.empty() && is_passing(error.code);
    if (waits) {
        retry_later();
    }
    answer(std::move(told), std::unexpected(error));
    pump();
}

void Committer::retry_later() {
    busy_ = true;
    const auto delay_us = std::min(retry_us_min << std::min(failures_, retry_doublings_max), retry_us_max);
    ++failures_;
    retry_.expires_after(std::chrono::microseconds(delay_us));
    retry_.async_wait([self = weak_from_this()](boost::system::error_code error) {
        if (const auto committer = self.lock(); committer && !error) {
            committer->busy_ = false;
            committer->pump();
        }
    });
}

void Committer::answer(std::vector<Item> items, const Result<void>& result) {
    for (Item& item : items) {
        requests_ -= item.persistence == Persistence::once ? 1 : 0;
        item.done(result);
    }
}

} // namespace tocsin::jobs
