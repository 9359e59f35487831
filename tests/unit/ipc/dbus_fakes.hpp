// SPDX-License-Identifier: Apache-2.0
// Small stand-ins for what is behind the ports: each keeps what it was given, and answers at once unless told to hold
// or refuse.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "fake_backups.hpp"
#include "fake_statistics.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::ipc::dbus::testing {

using ipc::testing::FakeBackups;
using ipc::testing::FakePictures;
using ipc::testing::FakeStatistics;

template <typename T> class FakeFeedOf {
public:
    std::unique_ptr<Subscription> add(std::function<void(const T&)> handler) {
        handlers_->push_back(std::move(handler));
        return std::make_unique<One>(handlers_);
    }
    void tell(const T& value) const {
        for (const auto& handler : *handlers_) {
            handler(value);
        }
    }
    bool followed() const { return !handlers_->empty(); }

private:
    using Handlers = std::shared_ptr<std::vector<std::function<void(const T&)>>>;
    struct One final : Subscription {
        explicit One(Handlers handlers) : handlers_(std::move(handlers)) {}
        ~One() override { handlers_->clear(); }
        Handlers handlers_;
    };
    Handlers handlers_ = std::make_shared<std::vector<std::function<void(const T&)>>>();
};

class FakeIntake final : public Intake {
public:
    const IntakeRules& rules() const override { return rules_; }
    std::optional<Error> turn_away(const Sender& sender) override {
        return sender.uid == unwanted ? excess : std::nullopt;
    }
    void submit(std::vector<Event> events, Sender sender, Done<Receipt> done) override {
        last_sender = std::move(sender);
        if (refusal) {
            done(std::unexpected(*refusal));
            return;
        }
        Receipt receipt;
        for (Event& event : events) {
            receipt.indexes.push_back(is_beat(event) ? 0 : next++);
            receipt.duplicate.push_back(false);
            event.unique_index = receipt.indexes.back();
        }
        std::ranges::move(events, std::back_inserter(submitted));
        if (hold) {
            held.emplace_back(std::move(done), std::move(receipt));
        } else {
            done(std::move(receipt));
        }
    }
    Sender last_sender{};
    std::optional<Error> excess{}; // of a sender who submits too much
    std::optional<std::uint32_t> unwanted = getuid();
    std::vector<Event> submitted{};
    std::optional<Error> refusal{};
    bool hold = false;
    std::vector<std::pair<Done<Receipt>, Receipt>> held{};
    std::uint64_t next = 17;

private:
    IntakeRules rules_{};
};

class FakeReader final : public EventReader {
public:
    void get(std::uint64_t index, Done<Event> done) override {
        for (const Event& event : log) {
            if (event.unique_index == index) {
                done(event);
                return;
            }
        }
        done(fail(Code::not_found, "get", std::to_string(index), "there is no such event"));
    }
    // By index; the cursor is the place in the log.
    void query(Filter filter, std::size_t limit, std::string cursor, Done<Page> done) override {
        ++queries;
        last_limit = limit;
        std::size_t place = 0;
        std::from_chars(cursor.data(), cursor.data() + cursor.size(), place);
        Page page;
        while (place < log.size() && page.events.size() < limit) {
            if (filter.matches(log[place])) {
                page.events.push_back(log[place]);
            }
            ++place;
        }
        page.next = place < log.size() ? std::to_string(place) : "";
        done(std::move(page));
    }
    void count(Filter filter, Done<std::uint64_t> done) override {
        done(static_cast<std::uint64_t>(
            std::ranges::count_if(log, [&filter](const Event& e) { return filter.matches(e); })));
    }
    void read_after(std::uint64_t, Filter, std::size_t, Done<Slice> done) override { done(Slice{}); }
    std::uint64_t first_index() const override { return 1; }
    std::uint64_t last_index() const override { return log.size(); }

    std::vector<Event> log{};
    std::size_t queries = 0;
    std::size_t last_limit = 0;
};

class FakeFeed final : public CommitFeed {
public:
    std::unique_ptr<Subscription> on_commit(std::function<void(const CommitNotice&)> handler) override {
        return feed.add(std::move(handler));
    }
    void commit(std::vector<Event> events) const {
        CommitNotice notice{events.front().unique_index, events.back().unique_index,
                            std::make_shared<const std::vector<Event>>(std::move(events))};
        feed.tell(notice);
    }
    FakeFeedOf<CommitNotice> feed{};
};

class FakeHeartbeats final : public Heartbeats {
public:
    void beat(Beat beat, Done<Watch> done) override {
        beats_seen.push_back(beat);
        Watch& watch = watches[beat.key];
        watch.key = beat.key;
        apply_beat(watch, beat, {}, {beat.time_us, 1});
        changes.tell(watch);
        done(watch);
    }
    Result<std::vector<TableChange>> beats(const std::vector<Beat>&) override { return std::vector<TableChange>{}; }
    Result<ListPage<Watch>> list(const ListFilter& filter, std::size_t limit,
                                 const std::string& cursor) const override {
        for (const auto& [key, values] : filter) {
            if (key != "source") {
                return fail(Code::invalid_argument, "list", key, "is not a key of this list");
            }
        }
        const auto wanted = filter.find("source");
        ListPage<Watch> page;
        for (const auto& [key, watch] : watches) {
            if (wanted != filter.end() && std::ranges::find(wanted->second, key.source) == wanted->second.end()) {
                continue;
            }
            if (key.source <= cursor) {
                continue;
            }
            if (page.items.size() == limit) {
                page.next = page.items.back().key.source;
                break;
            }
            page.items.push_back(watch);
        }
        return page;
    }
    std::optional<Watch> find(const WatchKey& key) const override {
        const auto found = watches.find(key);
        return found == watches.end() ? std::nullopt : std::optional(found->second);
    }
    void act(const WatchKey& key, WatchAct act, Done<Watch> done) override {
        const auto found = watches.find(key);
        if (found == watches.end()) {
            done(fail(Code::not_found, "heartbeat", key.source, "there is no such heartbeat"));
            return;
        }
        Watch watch = found->second;
        if (act == WatchAct::forget) {
            watches.erase(found);
        } else {
            const auto acted = act == WatchAct::pause ? pause(watch) : resume(watch, {1, 1});
            if (!acted) {
                done(std::unexpected(acted.error()));
                return;
            }
            found->second = watch;
            changes.tell(watch);
        }
        done(watch);
    }
    std::map<WatchState, std::size_t> counts() const override { return {}; }
    std::vector<WatchKey> urgent(std::size_t limit) const override {
        std::vector<WatchKey> keys;
        for (const auto& [key, watch] : watches) {
            if (keys.size() < limit) {
                keys.push_back(key);
            }
        }
        return keys;
    }
    std::unique_ptr<Subscription> on_change(std::function<void(const Watch&)> handler) override {
        return changes.add(std::move(handler));
    }
    std::map<WatchKey, Watch> watches{};
    std::vector<Beat> beats_seen{};
    FakeFeedOf<Watch> changes{};
};

class FakeJobs final : public Jobs {
public:
    void run(std::uint64_t unique_index, std::string script, Done<Job> done) override {
        Job job;
        job.id = jobs.empty() ? 1 : jobs.rbegin()->first + 1;
        job.unique_index = unique_index;
        job.script = std::move(script);
        jobs[job.id] = job;
        done(job);
    }
    bool runs_as(std::uint64_t unique_index, std::uint32_t uid) const override {
        return runs == std::pair{unique_index, uid};
    }
    void set_report(std::uint64_t unique_index, std::int64_t report_id, std::string url, Done<void> done) override {
        reports.push_back({unique_index, report_id, std::move(url)});
        done({});
    }
    void call_back(std::string, std::int64_t, std::string, Done<Job> done) override { done(Job{}); }
    void preview(std::uint64_t, std::string, Done<JobPreview> done) override { done(JobPreview{}); }
    std::vector<ScriptReport> scripts(std::string_view) const override { return {}; }
    void list(ListFilter, std::size_t limit, std::string, Done<ListPage<Job>> done) override {
        ListPage<Job> page;
        for (const auto& [id, job] : jobs) {
            if (page.items.size() < limit) {
                page.items.push_back(job);
            }
        }
        page.next = page.items.size() < jobs.size() ? "more" : "";
        done(std::move(page));
    }
    void find(std::uint64_t id, Done<Job> done) override {
        with(id, std::move(done), [](Job&) {});
    }
    void cancel(std::uint64_t id, Done<Job> done) override {
        with(id, std::move(done), [this](Job& job) {
            job.state = JobState::cancelled;
            changes.tell(job);
        });
    }
    void rerun(std::uint64_t id, Done<Job> done) override {
        const auto found = jobs.find(id);
        found == jobs.end() ? done(missing(id))
                            : run(found->second.unique_index, found->second.script, std::move(done));
    }
    void output(std::uint64_t id, Done<std::string> done) override {
        const auto found = jobs.find(id);
        found == jobs.end() ? done(missing(id)) : done(found->second.output);
    }
    std::map<JobState, std::uint64_t> counts() const override { return {}; }
    std::vector<Job> recent(std::size_t limit) const override {
        std::vector<Job> found;
        for (auto job = jobs.rbegin(); job != jobs.rend() && found.size() < limit; ++job) {
            found.push_back(job->second);
        }
        return found;
    }
    std::unique_ptr<Subscription> on_change(std::function<void(const Job&)> handler) override {
        return changes.add(std::move(handler));
    }
    struct Report {
        std::uint64_t unique_index;
        std::int64_t report_id;
        std::string url;
    };
    std::pair<std::uint64_t, std::uint32_t> runs{}; // an event, and as whom its script runs now
    std::map<std::uint64_t, Job> jobs{};
    std::vector<Report> reports{};
    FakeFeedOf<Job> changes{};

private:
    static std::unexpected<Error> missing(std::uint64_t id) {
        return fail(Code::not_found, "job", std::to_string(id), "there is no such job");
    }
    template <typename Use> void with(std::uint64_t id, Done<Job> done, Use use) {
        const auto found = jobs.find(id);
        if (found == jobs.end()) {
            done(missing(id));
            return;
        }
        use(found->second);
        done(found->second);
    }
};

// Gives the pieces, then ends.
class FakeManager final : public FakeBackups {
public:
    Status status() const override { return now; }
    void reload(Done<void> done) override {
        ++reloads;
        refusal ? done(std::unexpected(*refusal)) : done({});
    }
    std::string config() const override { return R"({"files":[],"items":[]})"; }
    std::string metrics() const override { return ""; }
    void count_rejected(Code code) override { rejected.push_back(code); }
    std::unique_ptr<Subscription> on_degraded(std::function<void(const std::vector<std::string>&)> handler) override {
        return degraded.add(std::move(handler));
    }
    Status now{"1.2.3", "host1", "00112233445566778899aabbccddeeff", 5, 1, 9, 4096, 2.5, {"disk-full"}, 1};
    std::size_t reloads = 0;
    std::optional<Error> refusal{};
    std::vector<Code> rejected{};
    FakeFeedOf<std::vector<std::string>> degraded{};
};

class FakeClock final : public Clock {
public:
    std::int64_t wall_us() const override { return 1'767'322'804'000'000; } // 2026-01-02T03:00:04Z
    std::int64_t boot_us() const override { return 1'000'000; }
};

} // namespace tocsin::ipc::dbus::testing
