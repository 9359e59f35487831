// SPDX-License-Identifier: Apache-2.0
#include "storage/inbox.hpp"

#include <utility>

namespace tocsin::storage {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t pings_max = 64;
constexpr unsigned retry_after_s = 1;

std::size_t bytes_of(const Op& op) {
    std::size_t sum = 0;
    for (const Event& event : op.events) {
        sum += size_of(event);
    }
    for (const TableChange& row : op.rows) {
        sum += row.key.size() + (row.value ? row.value->size() : 0);
    }
    return sum;
}

std::string name_of(const TableChange& row) {
    return static_cast<char>(row.table) + row.key;
}

bool within(const Load& load, const Op& op, std::size_t weight_max, std::size_t bytes_max) {
    return load.weight + op.weight() <= weight_max && load.bytes + op.bytes <= bytes_max;
}

Error full_error() {
    return Error{.code = Code::unavailable,
                 .context = "store",
                 .object = std::string(inbox_object),
                 .reason = "is full: events come in faster than the disk takes them; send it again later",
                 .retry_after_s = retry_after_s};
}

Error share_error(std::size_t waiting) {
    return Error{.code = Code::limit_exceeded,
                 .context = "store",
                 .object = std::string(inbox_object),
                 .reason = "has " + std::to_string(waiting) +
                           " of your events already, which is your share while others submit, too; send it again later",
                 .retry_after_s = retry_after_s};
}

} // namespace

// Of clients each may have half of what the others leave: all of the bound alone, and never everything.
std::optional<Error> Inbox::refusal(const Op& op) const {
    if (closed_) {
        return fail(Code::unavailable, "store", "", "the daemon is stopping; send it again later").error();
    }
    if (op.effect) {
        const bool fits =
            effects_load_.weight == 0 || within(effects_load_, op, limits::inbox_events, limits::inbox_bytes);
        return fits ? std::nullopt : std::optional(full_error());
    }
    const Load own = clients_.load_of(op.owner.uid);
    const Load others{.weight = clients_.load().weight - own.weight, .bytes = clients_.load().bytes - own.bytes};
    const Load left{.weight = 2 * limits::inbox_events - std::min(2 * limits::inbox_events, others.weight),
                    .bytes = 2 * limits::inbox_bytes - std::min(2 * limits::inbox_bytes, others.bytes)};
    if (others.weight == 0) {
        const bool fits = own.weight == 0 || within(own, op, limits::inbox_events, limits::inbox_bytes);
        return fits ? std::nullopt : std::optional(full_error());
    }
    if (own.weight == 0) { // one operation may have all that is left
        return within(own, op, left.weight, left.bytes) ? std::nullopt : std::optional(full_error());
    }
    return within(own, op, left.weight / 2, left.bytes / 2) ? std::nullopt : std::optional(share_error(own.weight));
}

std::optional<Error> Inbox::push(Op& op) {
    op.bytes = bytes_of(op);
    const Instant now = SteadyClock::now();
    const std::scoped_lock lock(mutex_);
    if (auto refused = refusal(op)) {
        return refused;
    }
    note_rows(op);
    if (op.effect) {
        effects_load_.add(op);
        effects_due_ = std::min(effects_due_, now + std::chrono::microseconds(op.patience_us));
        effects_.push_back(std::move(op));
    } else {
        clients_.push(std::move(op), now);
    }
    wake_.notify_one();
    return std::nullopt;
}

void Inbox::note_rows(Op& op) {
    if (op.rows.empty()) {
        return;
    }
    op.sequence = ++sequence_;
    for (const TableChange& row : op.rows) {
        if (!op.effect) {
            ++rows_[name_of(row)].operations;
        }
    }
}

// Rows are given in the order of their changes, and taken in another: what comes late takes the newer state along.
void Inbox::renew_rows(Op& op) {
    if (rows_.empty()) {
        return;
    }
    for (TableChange& row : op.rows) {
        const auto found = rows_.find(name_of(row));
        if (found == rows_.end()) {
            continue;
        }
        Waiting& waiting = found->second;
        if (waiting.newest > op.sequence) {
            row.value = waiting.value;
        } else {
            waiting.newest = op.sequence;
            waiting.value = row.value;
        }
        if (!op.effect && --waiting.operations == 0) {
            rows_.erase(found);
        }
    }
}

void Inbox::ping(std::move_only_function<void()> answer) {
    const std::scoped_lock lock(mutex_);
    if (!closed_ && pings_.size() < pings_max) {
        pings_.push_back(std::move(answer));
        wake_.notify_one();
    }
}

void Inbox::nudge() {
    const std::scoped_lock lock(mutex_);
    nudged_ = true;
    wake_.notify_one();
}

void Inbox::close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    wake_.notify_one();
}

void Inbox::take_effects(Work& work, Load& taken) {
    while (!effects_.empty()) {
        Op& op = effects_.front();
        if (!work.ops.empty() && !within(taken, op, limits::commit_events, limits::commit_bytes)) {
            return;
        }
        taken.add(op);
        effects_load_.remove(op);
        work.ops.push_back(std::move(op));
        effects_.pop_front();
    }
    effects_due_ = Instant::max();
}

bool Inbox::ready() const {
    if (closed_ || nudged_ || !pings_.empty()) {
        return true;
    }
    const Instant clients_at = clients_.ready_at();
    return clients_at == Instant::min() || std::min(effects_due_, clients_at) <= SteadyClock::now();
}

void Inbox::wait(std::optional<Instant> patience_ends, std::unique_lock<std::mutex>& lock) {
    while (!ready()) {
        const Instant until = std::min({effects_due_, clients_.ready_at(), patience_ends.value_or(Instant::max())});
        if (until == Instant::max()) {
            wake_.wait(lock);
        } else if (wake_.wait_until(lock, until) == std::cv_status::timeout && patience_ends &&
                   *patience_ends <= until) {
            return;
        }
    }
}

std::optional<Inbox::Work> Inbox::take(std::optional<std::chrono::milliseconds> patience) {
    std::unique_lock lock(mutex_);
    wait(patience ? std::optional(SteadyClock::now() + *patience) : std::nullopt, lock);
    nudged_ = false;
    Work work;
    work.pings = std::exchange(pings_, {});
    Load taken;
    taken_at_ = SteadyClock::now();
    if (closed_ || clients_.ready_at() <= taken_at_ || effects_due_ <= taken_at_) {
        take_effects(work, taken);
    }
    if (effects_.empty() && !clients_.empty()) {
        clients_.take(work.ops, taken, closed_ ? Instant::max() : taken_at_);
    }
    for (Op& op : work.ops) {
        renew_rows(op);
    }
    taken_ = !work.ops.empty();
    if (closed_ && !taken_ && work.pings.empty()) {
        return std::nullopt;
    }
    return work;
}

void Inbox::served() {
    if (!std::exchange(taken_, false)) {
        return;
    }
    const Instant now = SteadyClock::now();
    const std::scoped_lock lock(mutex_);
    clients_.served(now - taken_at_, now);
}

std::uint64_t Inbox::queued_events() const {
    const std::scoped_lock lock(mutex_);
    return clients_.load().weight + effects_load_.weight;
}

std::size_t Inbox::rows_watched() const {
    const std::scoped_lock lock(mutex_);
    return rows_.size();
}

Pressure Inbox::pressure() const {
    const Instant now = SteadyClock::now();
    const std::scoped_lock lock(mutex_);
    return {.contention = clients_.contention(now), .waiting = clients_.load().weight};
}

} // namespace tocsin::storage
