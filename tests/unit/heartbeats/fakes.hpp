// SPDX-License-Identifier: Apache-2.0
// A store, a clock and a loop that do only what a test tells them to.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "heartbeats/board.hpp"
#include "heartbeats/watch_codec.hpp"
#include "tests/unit/core/fake_schedule.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::heartbeats {

constexpr std::int64_t second = 1'000'000;

class FakeClock final : public Clock {
public:
    static constexpr std::int64_t wall_start = 1'767'322'804 * second; // 2026-01-02T03:00:04Z
    static constexpr std::int64_t boot_start = 86'400 * second;

    std::int64_t wall_us() const override { return wall; }
    std::int64_t boot_us() const override { return boot; }
    std::int64_t monotonic_us() const override { return boot - asleep; }
    void go(std::int64_t us) {
        wall += us;
        boot += us;
    }
    // The machine sleeps: only monotonic time stands still.
    void nap(std::int64_t us) {
        go(us);
        asleep += us;
    }
    Now now() const { return {wall, boot}; }

    std::int64_t wall = wall_start;
    std::int64_t boot = boot_start;
    std::int64_t asleep = 0;
};

inline Watch decode(const std::string& key, const std::string& value) {
    static Calendars calendars(fake_schedule);
    return decode_watch(key, value, calendars).value();
}

// Commits wait in `queue` until complete_one(); with `at_once` they are stored as they come.
class FakeStore final : public StateStore {
public:
    struct Commit {
        StateChange change;
        Done<std::vector<std::uint64_t>> done;
    };

    void commit(StateChange change, Done<std::vector<std::uint64_t>> done) override {
        ++commits;
        queue.push_back(Commit{std::move(change), std::move(done)});
        if (at_once) {
            complete_one();
        }
    }

    void complete_one() {
        Commit commit = std::move(queue.front());
        queue.pop_front();
        store(commit.change);
        commit.done(std::vector<std::uint64_t>(commit.change.events.size(), 1));
    }

    void fail_one(Code code = Code::storage_full) {
        Commit commit = std::move(queue.front());
        queue.pop_front();
        commit.done(fail(code, "commit", "store", "full"));
    }

    void complete_all() {
        while (!queue.empty()) {
            complete_one();
        }
    }

    void store(const StateChange& change) {
        for (const TableChange& row : change.rows) {
            if (row.value) {
                rows[row.key] = *row.value;
            } else {
                rows.erase(row.key);
            }
        }
        events.insert(events.end(), change.events.begin(), change.events.end());
    }

    void scan(Table, std::string, std::size_t, bool, Done<std::vector<Row>> done) override { done(std::vector<Row>{}); }
    void load(Table, std::string, Done<std::optional<std::string>> done) override {
        done(std::optional<std::string>{});
    }
    Result<void> for_each(Table table, const std::function<void(const Row&)>& use) const override {
        if (unreadable) {
            return fail(Code::unavailable, "store", "watches", "cannot be read");
        }
        for (const auto& [key, value] : rows) {
            if (table == Table::watches) {
                use(Row{key, value});
            }
        }
        return {};
    }
    std::uint64_t cursor(std::string_view) const override { return 0; }

    std::vector<std::string> event_names() const {
        std::vector<std::string> names;
        for (const Event& event : events) {
            names.push_back(event.event_name);
        }
        return names;
    }

    std::deque<Commit> queue;
    std::map<std::string, std::string> rows;
    std::vector<Event> events;
    std::size_t commits = 0;
    bool at_once = false;
    bool unreadable = false;
};

class FakeLoop final : public Loop {
public:
    void wake_at(std::int64_t boot_us) override {
        wanted = boot_us;
        ++calls;
    }
    void defer(std::move_only_function<void()> work) override { deferred.push_back(std::move(work)); }
    void tidy() override { ++tidied; }
    void run_deferred() {
        while (!deferred.empty()) {
            std::move_only_function<void()> work = std::move(deferred.front());
            deferred.pop_front();
            work();
        }
    }

    std::optional<std::int64_t> wanted;
    std::size_t calls = 0;
    std::size_t tidied = 0;
    std::deque<std::move_only_function<void()>> deferred;
};

inline Beat make_beat(std::string source, std::int64_t time_us, std::optional<std::int64_t> interval_us = 60 * second) {
    Beat beat;
    beat.key = {std::move(source), 0};
    beat.time_us = time_us;
    beat.interval_us = interval_us;
    return beat;
}

} // namespace tocsin::heartbeats
