// SPDX-License-Identifier: Apache-2.0
// The room without its event loop: watches, ledger and listeners, driven by a clock and by wake(). Who owns it gives a
// Loop that wakes it at a boot time and runs small things later; tests give one that does nothing by itself.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "heartbeats/calendars.hpp"
#include "heartbeats/clock_watch.hpp"
#include "heartbeats/ledger.hpp"
#include "heartbeats/loans.hpp"
#include "heartbeats/owners.hpp"
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
    // Much memory was let go in small pieces, and it is quiet: a good moment to give it back.
    virtual void tidy() = 0;
};

class Listeners;

struct BoardOptions {
    std::size_t watches_max = limits::watches_max;
    std::size_t watches_per_uid_max = limits::watches_per_uid_max;
    ParseSchedule parse = &Schedule::parse;
};

class Board {
public:
    Board(StateStore& store, const Clock& clock, Loop& loop, Settings settings, BoardOptions options = {});
    ~Board();
    Board(const Board&) = delete;
    Board& operator=(const Board&) = delete;

    Result<void> start();
    void stop();
    void reconfigure(Settings settings);
    // The instant asked of the loop has come (or passed, or not quite).
    void wake();

    void beat(Beat beat, Done<Watch> done);
    Result<std::vector<TableChange>> beats(std::vector<Beat> beats);
    void act(const WatchKey& key, WatchAct act, Done<Watch> done);
    Result<ListPage<Watch>> list(const ListFilter& filter, std::size_t limit, const std::string& cursor) const;
    std::optional<Watch> find(const WatchKey& key) const;
    const WatchSet& watches() const { return watches_; }
    std::unique_ptr<Subscription> on_change(std::function<void(const Watch&)> handler);

private:
    // The time, after what a sleep of the machine or a step of the wall clock did to the deadlines.
    Now now();
    // Rows by their keys: nothing can be made of the damaged ones; the schedule of the others cannot be read now, they
    // stay for a better day.
    struct Unread {
        std::vector<std::string> damaged{};
        std::vector<std::string> waiting{};
    };
    Result<void> load();
    void take_row(const Row& row, Now held_from, Unread& unread);
    void report(std::vector<std::string> keys, bool remove);
    Result<void> admit(Beat& beat);
    Result<void> admit_all(std::vector<Beat>& beats);
    std::vector<TableChange> lend_rows(std::vector<WatchKey> keys, Now at);
    void end_loans(Now at);
    Result<WatchSetting> setting_of(const WatchConfig& entry);
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
    ClockWatch clock_watch_;
    Calendars calendars_;
    Owners owners_;
    WatchSet watches_;
    std::shared_ptr<Ledger> ledger_;
    Loans loans_;
    std::size_t lent_most_ = 0; // since no row was lent
    std::shared_ptr<Listeners> listeners_;
    std::optional<std::int64_t> armed_boot_us_;
    bool running_ = false;
};

} // namespace tocsin::heartbeats
