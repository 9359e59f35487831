// SPDX-License-Identifier: Apache-2.0
#include "daemon/intake.hpp"

#include <algorithm>
#include <numeric>

namespace tocsin::daemon {

namespace {

struct Split {
    std::vector<Event> events{};
    std::vector<Beat> beats{};
    std::vector<std::size_t> event_at{}; // positions of the events in the batch
    std::vector<std::size_t> beat_at{};
};

Split split(std::vector<Event> batch) {
    Split out;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (is_beat(batch[i])) {
            out.beat_at.push_back(i);
            out.beats.push_back(beat_of(batch[i]));
        } else {
            out.event_at.push_back(i);
            out.events.push_back(std::move(batch[i]));
        }
    }
    return out;
}

// Most batches have no beat: they stay as they are.
Split split_batch(std::vector<Event> batch) {
    if (std::ranges::any_of(batch, is_beat)) {
        return split(std::move(batch));
    }
    Split out{.events = std::move(batch)};
    out.event_at.resize(out.events.size());
    std::iota(out.event_at.begin(), out.event_at.end(), std::size_t{0});
    return out;
}

// The store knows the events alone, the watches the beats: what is said about the second event may be about the third
// of the batch.
Error spread_error(Error error, const std::vector<std::size_t>& places) {
    for (FieldError& field : error.fields) {
        if (field.index < places.size()) {
            field.index = places[field.index];
        }
    }
    return error;
}

} // namespace

LogIntake::LogIntake(IntakeParts parts, IntakeRules rules)
    : parts_(std::move(parts)), rules_(std::move(rules)), fair_use_(parts_.owner_uid) {}

void LogIntake::on_refused(std::function<void(const Error&)> handler) {
    handlers_->refused = std::move(handler);
}

void LogIntake::on_suppressed(std::function<void(const Sender&, Suppression)> handler) {
    handlers_->suppressed = std::move(handler);
}

std::optional<Error> LogIntake::turn_away(const Sender& sender) {
    auto refused = fair_use_.refusal(sender, parts_.pressure().waiting, parts_.clock.boot_us());
    if (refused && handlers_->suppressed) {
        handlers_->suppressed(sender, Suppression::rate);
    }
    return refused;
}

std::size_t LogIntake::chunk_lines(const Sender& sender) {
    return fair_use_.chunk_lines(sender, parts_.pressure().contention, parts_.clock.boot_us());
}

void LogIntake::tell(const Handlers& handlers, const Sender& sender, const Error& error) {
    if (handlers.refused) {
        handlers.refused(error);
    }
    if (handlers.suppressed && error.object == storage::inbox_object) {
        handlers.suppressed(sender, Suppression::queue);
    }
}

void LogIntake::submit(std::vector<Event> events, Sender sender, Done<Receipt> done) {
    const std::size_t batch = events.size();
    if (batch == 0) {
        done(Receipt{});
        return;
    }
    fair_use_.charge(sender, batch, parts_.clock.boot_us());
    Split parts = split_batch(std::move(events));
    std::vector<TableChange> rows;
    if (!parts.beats.empty()) {
        auto beaten = parts_.heartbeats.beats(parts.beats);
        if (!beaten) {
            done(std::unexpected(spread_error(std::move(beaten.error()), parts.beat_at)));
            return;
        }
        rows = std::move(*beaten);
    }
    const storage::Owner owner = lane_of(sender);
    auto answer = [done = std::move(done), event_at = std::move(parts.event_at), batch, handlers = handlers_,
                   sender = std::move(sender)](Result<Receipt> result) mutable {
        if (result) {
            done(spread(std::move(*result), event_at, batch));
            return;
        }
        tell(*handlers, sender, result.error());
        done(std::unexpected(spread_error(std::move(result.error()), event_at)));
    };
    parts_.append(std::move(parts.events), std::move(rows), std::move(answer), owner);
}

Receipt spread(Receipt receipt, const std::vector<std::size_t>& event_at, std::size_t batch) {
    if (event_at.size() == batch) {
        return receipt;
    }
    Receipt out{.indexes = std::vector<std::uint64_t>(batch, 0),
                .duplicate = std::vector<bool>(batch, false),
                .duplicates = receipt.duplicates};
    for (std::size_t i = 0; i < event_at.size() && i < receipt.indexes.size(); ++i) {
        out.indexes[event_at[i]] = receipt.indexes[i];
        out.duplicate[event_at[i]] = i < receipt.duplicate.size() && receipt.duplicate[i];
    }
    return out;
}

} // namespace tocsin::daemon
