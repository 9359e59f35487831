// SPDX-License-Identifier: Apache-2.0
// What every face submits to: takes the beats out of a batch, appends the rest, and answers with one index for each
// event in the order that it was sent (0 for a beat). All or nothing; beats and events commit together.
#pragma once

#include "core/ports.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace tocsin::daemon {

// Appends events and rows in one transaction: Store::append.
using Append = std::function<void(std::vector<Event> events, std::vector<TableChange> rows, Done<Receipt> done)>;

class LogIntake final : public Intake {
public:
    LogIntake(Append append, Heartbeats& heartbeats, IntakeRules rules);

    const IntakeRules& rules() const override { return rules_; }
    void submit(std::vector<Event> events, Sender sender, Done<Receipt> done) override;

    void set_rules(IntakeRules rules) { rules_ = std::move(rules); }
    // Told of every refusal by the store, so that a full disk is noticed at once.
    void on_refused(std::function<void(const Error&)> handler);

private:
    Append append_;
    Heartbeats& heartbeats_;
    IntakeRules rules_;
    std::shared_ptr<std::function<void(const Error&)>> refused_; // outlives a submission in flight
};

// A receipt for the events alone, spread over the batch that they came in. `event_at` are their positions in it.
Receipt spread(Receipt receipt, const std::vector<std::size_t>& event_at, std::size_t batch);

} // namespace tocsin::daemon
