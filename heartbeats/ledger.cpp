// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/ledger.hpp"

#include "heartbeats/watch_codec.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tocsin::heartbeats {

void Ledger::add(const WatchKey& key, std::vector<Event> events) {
    const auto [at, is_new] = pending_.try_emplace(key);
    if (is_new) {
        order_.push_back(key);
    }
    events_pending_ += events.size();
    std::ranges::move(events, std::back_inserter(at->second.events));
}

void Ledger::wait(const WatchKey& key, Watch answer, Done<Watch> done) {
    ++waiters_;
    pending_.at(key).waiters.push_back(Waiter{std::move(answer), std::move(done)});
}

bool Ledger::full(const WatchKey& key) const {
    if (stopped_ || waiters_ >= waiters_max || events_pending_ >= events_pending_max) {
        return true;
    }
    const auto found = pending_.find(key);
    return found != pending_.end() && found->second.events.size() >= events_per_key_max;
}

std::optional<std::int64_t> Ledger::retry_boot_us() const {
    return busy_ || stopped_ || pending_.empty() ? std::nullopt : std::optional(not_before_boot_us_);
}

Ledger::Batch Ledger::take() {
    Batch batch;
    std::size_t events = 0;
    while (!order_.empty() && batch.size() < commit_rows) {
        const auto found = pending_.find(order_.front());
        events += found->second.events.size();
        if (!batch.empty() && events > commit_events) {
            break;
        }
        batch.emplace_back(std::move(order_.front()), std::move(found->second));
        order_.pop_front();
        pending_.erase(found);
    }
    return batch;
}

StateChange Ledger::change_of(const Batch& batch) const {
    StateChange change;
    for (const auto& [key, pending] : batch) {
        change.rows.push_back(TableChange{Table::watches, encode_key(key), hooks_.row(key)});
        std::ranges::copy(pending.events, std::back_inserter(change.events));
    }
    return change;
}

void Ledger::flush() {
    if (busy_ || stopped_ || pending_.empty() || clock_.boot_us() < not_before_boot_us_) {
        return;
    }
    busy_ = true;
    in_flight_ = take();
    store_.commit(change_of(in_flight_), [weak = weak_from_this()](Result<std::vector<std::uint64_t>> result) {
        if (const auto self = weak.lock()) {
            self->ended(result ? std::nullopt : std::optional(std::move(result.error())));
        }
    });
}

void Ledger::ended(const std::optional<Error>& error) {
    Batch batch = std::exchange(in_flight_, {});
    std::vector<Waiter> waiters;
    for (auto& [key, pending] : batch) {
        std::ranges::move(pending.waiters, std::back_inserter(waiters));
        pending.waiters.clear();
        events_pending_ -= error ? 0 : pending.events.size();
    }
    waiters_ -= waiters.size();
    if (error) {
        put_back(std::move(batch));
        not_before_boot_us_ = clock_.boot_us() + retry_us_;
        retry_us_ = std::min(retry_us_ * 2, retry_us_max);
    } else {
        retry_us_ = retry_us_min;
        not_before_boot_us_ = 0;
    }
    busy_ = false;
    for (Waiter& waiter : waiters) {
        waiter.done(error ? Result<Watch>(std::unexpected(*error)) : Result<Watch>(std::move(waiter.answer)));
    }
    if (const std::function<void()> settled = hooks_.settled) { // a waiter may have ended all this
        settled();
    }
}

// In front of what came meanwhile: events of one watch keep their order.
void Ledger::put_back(Batch batch) {
    for (auto entry = batch.rbegin(); entry != batch.rend(); ++entry) {
        auto& [key, old] = *entry;
        const auto [at, is_new] = pending_.try_emplace(key);
        if (is_new) {
            order_.push_front(key);
        }
        std::vector<Event>& events = at->second.events;
        events.insert(events.begin(), std::make_move_iterator(old.events.begin()),
                      std::make_move_iterator(old.events.end()));
    }
}

void Ledger::stop() {
    stopped_ = true;
    hooks_ = {};
    for (auto& [key, pending] : pending_) {
        for (Waiter& waiter : std::exchange(pending.waiters, {})) {
            --waiters_;
            waiter.done(fail(Code::unavailable, "heartbeats", key.source, "the daemon is stopping; beat again later"));
        }
    }
}

} // namespace tocsin::heartbeats
