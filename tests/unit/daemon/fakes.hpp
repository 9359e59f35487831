// SPDX-License-Identifier: Apache-2.0
// Ports that remember what they were asked, and a clock that stands still until it is moved.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"

#include <utility>
#include <vector>

namespace tocsin::daemon {

class FakeClock final : public Clock {
public:
    std::int64_t wall_us() const override { return wall; }
    std::int64_t boot_us() const override { return boot; }
    void pass(std::int64_t us) {
        wall += us;
        boot += us;
    }
    std::int64_t wall = 1'700'000'000'000'000;
    std::int64_t boot = 5'000'000;
};

class NoSubscription final : public Subscription {};

class FakeStore final : public StateStore, public CommitFeed {
public:
    void commit(StateChange change, Done<std::vector<std::uint64_t>> done) override {
        if (refuses) {
            done(fail(Code::storage_full, "commit", "", "no space"));
            return;
        }
        std::vector<std::uint64_t> indexes;
        for (Event& event : change.events) {
            indexes.push_back(++last);
            events.push_back(std::move(event));
        }
        done(std::move(indexes));
    }
    void scan(Table, std::string, std::size_t, bool, Done<std::vector<Row>> done) override { done(std::vector<Row>{}); }
    void load(Table, std::string, Done<std::optional<std::string>> done) override { done(std::nullopt); }
    Result<void> for_each(Table, const std::function<void(const Row&)>&) const override { return {}; }
    std::uint64_t cursor(std::string_view) const override { return 0; }
    std::unique_ptr<Subscription> on_commit(std::function<void(const CommitNotice&)> handler) override {
        commit_handler = std::move(handler);
        return std::make_unique<NoSubscription>();
    }

    void tell_commit(std::size_t count) {
        commit_handler(CommitNotice{
            .first = last + 1, .last = last + count, .events = std::make_shared<const std::vector<Event>>(count)});
        last += count;
    }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        out.reserve(events.size());
        for (const Event& event : events) {
            out.push_back(event.event_name);
        }
        return out;
    }

    std::vector<Event> events{};
    std::uint64_t last = 0;
    bool refuses = false;
    std::function<void(const CommitNotice&)> commit_handler{};
};

class FakeHeartbeats final : public Heartbeats {
public:
    void beat(Beat, Done<Watch> done) override { done(Watch{}); }
    Result<std::vector<TableChange>> beats(const std::vector<Beat>& given) override {
        if (refuses) {
            Error error{Code::not_authorized, "beat", "a", "only uid 7 may beat it"};
            error.fields.push_back({given.size() - 1, "event_src", error.reason});
            return std::unexpected(std::move(error));
        }
        std::vector<TableChange> rows;
        for (const Beat& one : given) {
            seen.push_back(one);
            rows.push_back(TableChange{.table = Table::watches, .key = one.key.source, .value = "row"});
        }
        return rows;
    }
    Result<ListPage<Watch>> list(const ListFilter&, std::size_t, const std::string&) const override {
        return ListPage<Watch>{};
    }
    std::optional<Watch> find(const WatchKey&) const override { return std::nullopt; }
    void act(const WatchKey&, WatchAct, Done<Watch> done) override { done(Watch{}); }
    std::map<WatchState, std::size_t> counts() const override { return by_state; }
    std::vector<WatchKey> urgent(std::size_t) const override { return {}; }
    std::unique_ptr<Subscription> on_change(std::function<void(const Watch&)>) override { return nullptr; }

    std::vector<Beat> seen{};
    bool refuses = false; // the last beat of each batch
    std::map<WatchState, std::size_t> by_state{};
};

class FakeJobs final : public Jobs {
public:
    void run(std::uint64_t, std::string, Done<Job> done) override { done(Job{}); }
    void set_report(std::uint64_t, std::int64_t, std::string, Done<void> done) override { done({}); }
    bool runs_as(std::uint64_t, std::uint32_t) const override { return false; }
    void call_back(std::string, std::int64_t, std::string, Done<Job> done) override { done(Job{}); }
    void preview(std::uint64_t, std::string, Done<JobPreview> done) override { done(JobPreview{}); }
    std::vector<ScriptReport> scripts(std::string_view) const override { return {}; }
    void list(ListFilter, std::size_t, std::string, Done<ListPage<Job>> done) override { done(ListPage<Job>{}); }
    void find(std::uint64_t, Done<Job> done) override { done(Job{}); }
    void cancel(std::uint64_t, Done<Job> done) override { done(Job{}); }
    void rerun(std::uint64_t, Done<Job> done) override { done(Job{}); }
    void output(std::uint64_t, Done<std::string> done) override { done(std::string()); }
    std::map<JobState, std::uint64_t> counts() const override { return by_state; }
    std::vector<Job> recent(std::size_t) const override { return {}; }
    std::unique_ptr<Subscription> on_change(std::function<void(const Job&)>) override { return nullptr; }

    std::map<JobState, std::uint64_t> by_state{};
};

} // namespace tocsin::daemon
