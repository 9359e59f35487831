// SPDX-License-Identifier: Apache-2.0
#include "storage/inbox.hpp"

#include <utility>

namespace tocsin::storage {

namespace {

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

} // namespace

std::optional<Error> Inbox::push(Op& op) {
    op.bytes = bytes_of(op);
    const std::size_t weight = op.weight();
    const std::scoped_lock lock(mutex_);
    if (closed_) {
        return fail(Code::unavailable, "store", "", "the daemon is stopping; send it again later").error();
    }
    Load& load = op.effect ? effects_ : clients_;
    const bool alone = load.weight == 0; // one operation is always taken
    if (!alone && (load.weight + weight > limits::inbox_events || load.bytes + op.bytes > limits::inbox_bytes)) {
        return Error{.code = Code::unavailable,
                     .context = "store",
                     .object = "inbox",
                     .reason = "is full: events come in faster than the disk takes them; send it again later",
                     .retry_after_s = retry_after_s};
    }
    load.weight += weight;
    load.bytes += op.bytes;
    if (op.effect || !op.rows.empty()) {
        const auto patience = std::chrono::microseconds(op.effect ? op.patience_us : 0);
        first_due_ = std::min(first_due_, std::chrono::steady_clock::now() + patience);
    }
    if (op.effect) {
        first_.push_back(std::move(op));
    } else if (!op.rows.empty()) {
        first_.splice(first_.end(), plain_);
        first_.push_back(std::move(op));
    } else {
        plain_.push_back(std::move(op));
    }
    wake_.notify_one();
    return std::nullopt;
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

void Inbox::move_some(std::list<Op>& from, Work& work, Load& taken) {
    while (!from.empty()) {
        Op& op = from.front();
        const std::size_t weight = op.weight();
        const bool fits =
            taken.weight + weight <= limits::commit_events && taken.bytes + op.bytes <= limits::commit_bytes;
        if (!work.ops.empty() && !fits) {
            return;
        }
        taken.weight += weight;
        taken.bytes += op.bytes;
        Load& load = op.effect ? effects_ : clients_;
        load.weight -= weight;
        load.bytes -= op.bytes;
        work.ops.push_back(std::move(op));
        from.pop_front();
    }
}

bool Inbox::ready() const {
    return closed_ || nudged_ || !plain_.empty() || !pings_.empty() || first_due_ <= std::chrono::steady_clock::now();
}

void Inbox::wait(std::optional<Instant> patience_ends, std::unique_lock<std::mutex>& lock) {
    while (!ready()) {
        const Instant until = std::min(first_due_, patience_ends.value_or(Instant::max()));
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
    wait(patience ? std::optional(std::chrono::steady_clock::now() + *patience) : std::nullopt, lock);
    nudged_ = false;
    Work work;
    work.pings = std::exchange(pings_, {});
    Load taken;
    if (ready()) {
        move_some(first_, work, taken);
    }
    if (first_.empty()) {
        first_due_ = Instant::max();
        move_some(plain_, work, taken);
    }
    if (closed_ && work.ops.empty() && work.pings.empty()) {
        return std::nullopt;
    }
    return work;
}

std::uint64_t Inbox::queued_events() const {
    const std::scoped_lock lock(mutex_);
    return clients_.weight + effects_.weight;
}

} // namespace tocsin::storage
