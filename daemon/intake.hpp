// SPDX-License-Identifier: Apache-2.0
// What every face submits to: takes the beats out of a batch, appends the rest, and answers with one index for each
// event in the order that it was sent (0 for a beat). All or nothing; beats and events commit together.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "daemon/fair_use.hpp"
#include "daemon/suppressed.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace tocsin::daemon {

struct IntakeParts {
    // Appends events and rows in one transaction: Store::append.
    std::function<void(std::vector<Event> events, std::vector<TableChange> rows, Done<Receipt> done,
                       storage::Owner owner)>
        append{};
    std::function<storage::Pressure()> pressure{};
    Heartbeats& heartbeats;
    const Clock& clock;
    std::uint32_t owner_uid = 0; // the daemon's own user
};

class LogIntake final : public Intake {
public:
    LogIntake(IntakeParts parts, IntakeRules rules);

    const IntakeRules& rules() const override { return rules_; }
    void submit(std::vector<Event> events, Sender sender, Done<Receipt> done) override;
    std::optional<Error> turn_away(const Sender& sender) override;
    std::size_t chunk_lines(const Sender& sender) override;

    void set_rules(IntakeRules rules) { rules_ = std::move(rules); }
    // Told of every refusal by the store, so that a full disk is noticed at once.
    void on_refused(std::function<void(const Error&)> handler);
    // Told of every submission that was refused so that others have their share.
    void on_suppressed(std::function<void(const Sender&, Suppression)> handler);

private:
    // Outlive a submission in flight.
    struct Handlers {
        std::function<void(const Error&)> refused{};
        std::function<void(const Sender&, Suppression)> suppressed{};
    };
    static void tell(const Handlers& handlers, const Sender& sender, const Error& error);

    IntakeParts parts_;
    IntakeRules rules_;
    FairUse fair_use_;
    std::shared_ptr<Handlers> handlers_ = std::make_shared<Handlers>();
};

// A receipt for the events alone, spread over the batch that they came in. `event_at` are their positions in it.
Receipt spread(Receipt receipt, const std::vector<std::size_t>& event_at, std::size_t batch);

} // namespace tocsin::daemon
