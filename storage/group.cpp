// SPDX-License-Identifier: Apache-2.0
#include "storage/group.hpp"

#include <string>
#include <utility>

namespace tocsin::storage {

namespace {

bool same_scope(const Event& a, const Event& b) {
    return a.idempotency_key == b.idempotency_key && a.event_src == b.event_src && a.origin.uid == b.origin.uid;
}

Error other_content(std::size_t number, std::uint64_t index) {
    const std::string reason =
        "belongs to event " + std::to_string(index) + ", which has other content; use a new key for a new event";
    Error error{.code = Code::conflict, .context = "submit", .object = "idempotency_key", .reason = reason};
    error.fields.push_back({.index = number, .field = "idempotency_key", .reason = reason});
    return error;
}

} // namespace

std::optional<Error> Group::add(Op& op) {
    const std::size_t staged = log_.keys().staged();
    const std::size_t events = events_.size();
    const std::uint64_t next = next_;
    Receipt receipt;
    receipt.indexes.reserve(op.events.size());
    receipt.duplicate.reserve(op.events.size());
    for (std::size_t number = 0; number < op.events.size(); ++number) {
        Event& event = op.events[number];
        event.unique_index = 0;
        std::uint64_t first = 0;
        if (!event.idempotency_key.empty()) {
            const std::uint64_t fingerprint = log_.keys().fingerprint(event);
            const auto repeats = known(event, fingerprint, number);
            if (!repeats) {
                log_.keys().drop_staged(staged);
                events_.resize(events);
                next_ = next;
                return repeats.error();
            }
            first = *repeats;
            if (first == 0) {
                log_.keys().stage({fingerprint, next_});
            }
        }
        const bool duplicate = first != 0;
        if (!duplicate) {
            first = event.unique_index = next_++;
            events_.push_back(&event);
        }
        receipt.indexes.push_back(first);
        receipt.duplicate.push_back(duplicate);
        receipt.duplicates += duplicate ? 1 : 0;
    }
    writes_ = writes_ || events_.size() > events || !op.rows.empty() || !op.cursor_name.empty();
    ops_.push_back(&op);
    receipts_.push_back(std::move(receipt));
    return std::nullopt;
}

Result<std::uint64_t> Group::known(const Event& event, std::uint64_t fingerprint, std::size_t number) {
    std::uint64_t same = 0;
    std::optional<Error> error;
    log_.keys().find(fingerprint, [this, &event, number, &same, &error](std::uint64_t index) {
        error = compare(event, index, number, same);
        return error || same != 0;
    });
    if (error) {
        return std::unexpected(std::move(*error));
    }
    return same;
}

// Sets `same` where the event at `index` is this one; leaves it where the fingerprint misled or the window is over.
std::optional<Error> Group::compare(const Event& event, std::uint64_t index, std::size_t number, std::uint64_t& same) {
    Event space;
    const auto first = stored(index, space);
    if (!first) {
        return first.error().code == Code::not_found ? std::nullopt : std::optional(first.error());
    }
    if (!same_scope(**first, event) || (*first)->received_time_us < event.received_time_us - window_us_) {
        return std::nullopt;
    }
    if ((*first)->content_hash != event.content_hash) {
        return other_content(number, index);
    }
    same = index;
    return std::nullopt;
}

Result<const Event*> Group::stored(std::uint64_t index, Event& space) {
    if (index >= log_.next_index()) {
        return events_[static_cast<std::size_t>(index - log_.next_index())];
    }
    if (!reader_) {
        auto txn = Txn::read(env_);
        if (!txn) {
            return std::unexpected(txn.error());
        }
        txn_.emplace(std::move(*txn));
        reader_.emplace(*txn_, chunk_);
    }
    auto event = reader_->event(index);
    if (!event) {
        return std::unexpected(event.error());
    }
    space = std::move(*event);
    return &space;
}

} // namespace tocsin::storage
