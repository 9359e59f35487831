// SPDX-License-Identifier: Apache-2.0
// What the service manager is told: READY, RELOADING, STOPPING, STATUS, and WATCHDOG only with proof. A ping is sent at
// each tick (half the watchdog's period) when everything that must be alive has answered within that period: the writer
// and the readers are asked at a tick and answer through the loop, which proves the loop too; other parts are checked
// at the tick. No clock: a tick is the unit, so that suspend and clock steps do not matter.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::daemon {

class Notifier {
public:
    virtual ~Notifier() = default;
    // false when nobody took it; that is never a reason to stop telling.
    virtual bool send(const std::string& state) = 0;
};

// sd_notify(3).
class SystemdNotifier final : public Notifier {
public:
    bool send(const std::string& state) override;
};

// Period that the service manager expects a ping in, in µs; 0: none.
std::int64_t watchdog_period_us();

class Liveness {
public:
    // Asks for a sign of life: `answered` is called on the io thread, at most once.
    using Ask = std::function<void(std::move_only_function<void()> answered)>;

    explicit Liveness(Notifier& notifier) : notifier_(notifier) {}

    // A start that takes long: the service manager waits a minute more from each of these on.
    void starting(std::string_view status);
    void ready(std::string_view status);
    void reloading(std::int64_t monotonic_us);
    void stopping();
    // Only when it is another one than before.
    void status(std::string_view text);

    void add_proof(std::string name, Ask ask);
    void add_check(std::string name, std::function<bool()> alive);
    // Pings, or answers the names of those that gave no sign of life within the period.
    std::vector<std::string> tick();

private:
    struct Proof {
        std::string name;
        Ask ask{}; // empty: `alive` is asked
        std::function<bool()> alive{};
        bool waiting = false; // asked, not answered
        unsigned ticks_waiting = 0;
    };
    static void examine(const std::shared_ptr<Proof>& proof);

    Notifier& notifier_;
    std::vector<std::shared_ptr<Proof>> proofs_{};
    std::string status_{};
};

// CLOCK_MONOTONIC in µs, for RELOADING.
std::int64_t monotonic_us();

} // namespace tocsin::daemon
