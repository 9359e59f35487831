// SPDX-License-Identifier: Apache-2.0
// The room without its event loop: watches, ledger and listeners, driven by a clock and by wake(). Who owns it gives a
// Loop that wakes it at a boot time and runs small things later; tests give one that does nothing by itself.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "heartbeats/ledger.hpp"
#include "heartbeats/loans.hpp"
#include "heartbeats/watch_set.hpp"
#include "heartbeats/watchboard.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace tocsin::heartbeats {

class Loop {
public:
    virtual ~Loop() = default;
    virtual void wake_at(std::int64_t boot_us) = 0; // replaces what was asked before
    virtual void defer(std::move_only_function<void()> work) = 0;
};

class Listeners;

class Board {
public:
    Board(StateStore& store, const Clock& clock, Loop& loop, Settings settings,
          std::size_t watches_max = limits::watches_max);
    ~Board();
    Board(const Board&) = delete;
    Board& operator=(const Board&) = delete;

    Result<void> start();
    void stop();
    void reconfigure(Settings settings);
    // The instant asked of the loop has come (or passed, or not quite).
    void wake();

    void beat(const Beat& beat, Done<Watch> done);
    std::vector<TableChange> beats(const std::vector<Beat>& beats);
    void act(const WatchKey& key, WatchAct act, Done<Watch> done);
    Result<ListPage<Watch>> list(const ListFilter& filter, std::size_t limit, const std::string& cursor) const;
    const WatchSet& watches() const { return watches_; }
    std::unique_ptr<Subscription> on_change(std::function<void(const Watch&)> handler);

private:
    Now now() const { return Now{clock_.wall_us(), clock_.boot_us()}; }
    Result<void> load();
    void report_damage(std::vector<std::string> keys);
    void apply_configuration();
    void record(const Outcome& outcome, std::int64_t now_us);
    void proceed();
    void rearm();
    std::optional<std::string> row_of(const WatchKey& key) const;
    void answer_later(Done<Watch> done, Error error);

    StateStore& store_;
    const Clock& clock_;
    Loop& loop_;
    Settings settings_;
    WatchSet watches_;
    std::shared_ptr<Ledger> ledger_;
    Loans loans_;
    std::shared_ptr<Listeners> listeners_;
    std::optional<std::int64_t> armed_boot_us_;
    bool running_ = false;
};

} // namespace tocsin::heartbeats
