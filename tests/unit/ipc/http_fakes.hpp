// SPDX-License-Identifier: Apache-2.0
// The ports of core as simple things in memory, for tests of the HTTP face. All in one thread.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "fake_backups.hpp"
#include "fake_statistics.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <charconv>

namespace tocsin::ipc::http::test {

using ipc::testing::FakeBackups;
using ipc::testing::FakePictures;
using ipc::testing::FakeStatistics;

class FakeClock final : public Clock {
public:
    std::int64_t wall_us() const override { return wall; }
    std::int64_t boot_us() const override { return boot; }
    std::int64_t wall = 1'767'322'804'000'000; // 2026-01-02T03:00:04Z
    std::int64_t boot = 1'000'000'000;
};

class FakeSubscription final : public Subscription {
public:
    explicit FakeSubscription(std::function<void()> gone) : gone_(std::move(gone)) {}
    ~FakeSubscription() override { gone_(); }
    FakeSubscription(const FakeSubscription&) = delete;
    FakeSubscription& operator=(const FakeSubscription&) = delete;

private:
    std::function<void()> gone_;
};

// The log, its intake, reader and feed. Answers are posted, as those of the daemon are.
class FakeLog final : public Intake, public EventReader, public CommitFeed {
public:
    explicit FakeLog(boost::asio::io_context& io) : io_(io) {}

    const IntakeRules& rules() const override { return rules_; }
    std::optional<Error> turn_away(const Sender& sender) override {
        return sender.uid == unwanted ? excess : std::nullopt;
    }
    std::size_t chunk_lines(const Sender& /*sender*/) override { return chunk; }
    void submit(std::vector<Event> batch, Sender sender, Done<Receipt> done) override {
        last_sender = std::move(sender);
        batches.push_back(batch.size());
        if (refuse_batch == batches.size()) {
            return post<Receipt>(std::move(done), std::unexpected(refusal));
        }
        if (hold) {
            held.push_back([this, batch = std::move(batch), done = std::move(done)]() mutable {
                commit(std::move(batch), std::move(done));
            });
            return;
        }
        commit(std::move(batch), std::move(done));
    }
    void commit(std::vector<Event> batch, Done<Receipt> done) {
        Receipt receipt;
        CommitNotice notice{.first = next, .last = next, .events = {}};
        std::vector<Event> fresh;
        for (Event& event : batch) {
            const auto known = keys_.find(event.idempotency_key);
            const bool duplicate = !event.idempotency_key.empty() && known != keys_.end();
            receipt.duplicate.push_back(duplicate);
            receipt.duplicates += duplicate ? 1 : 0;
            if (duplicate || is_beat(event)) {
                receipt.indexes.push_back(duplicate ? known->second : 0);
                continue;
            }
            event.unique_index = next++;
            keys_.emplace(event.idempotency_key, event.unique_index);
            receipt.indexes.push_back(event.unique_index);
            fresh.push_back(event);
        }
        events.insert(events.end(), fresh.begin(), fresh.end());
        notice.last = next - 1;
        notice.events = std::make_shared<const std::vector<Event>>(std::move(fresh));
        post<Receipt>(std::move(done), std::move(receipt));
        if (!notice.events->empty() && tell) {
            announce(notice);
        }
    }
    void announce(const CommitNotice& notice) {
        const auto handlers = handlers_;
        for (const auto& [id, handler] : handlers) {
            handler(notice);
        }
    }
    // One event, committed as by somebody else.
    std::uint64_t add(std::string_view name, std::string_view payload = "") {
        Event event;
        event.event_name = name;
        event.event_src = "test";
        event.event_time_us = 1'767'322'804'000'000;
        event.payload = payload;
        commit({event}, [](Result<Receipt>) {});
        return next - 1;
    }
    void release() {
        auto all = std::exchange(held, {});
        for (auto& one : all) {
            one();
        }
    }

    void get(std::uint64_t index, Done<Event> done) override {
        for (const Event& event : events) {
            if (event.unique_index == index) {
                return post<Event>(std::move(done), event);
            }
        }
        post<Event>(std::move(done), fail(Code::not_found, "get", std::to_string(index), "no such event"));
    }
    // The cursor is the number of rows before the page.
    void query(Filter filter, std::size_t limit, std::string cursor, Done<Page> done) override {
        last_limit = limit;
        std::size_t skip = 0;
        const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), skip);
        if (!cursor.empty() && (error != std::errc{} || end != cursor.data() + cursor.size())) {
            return post<Page>(std::move(done), fail(Code::invalid_argument, "query", "cursor", "was not made here"));
        }
        std::vector<Event> found;
        std::ranges::copy_if(events, std::back_inserter(found),
                             [&filter](const Event& e) { return filter.matches(e); });
        Page page;
        for (std::size_t i = skip; i < std::min(found.size(), skip + limit); ++i) {
            page.events.push_back(found[i]);
        }
        page.next = skip + limit < found.size() ? std::to_string(skip + limit) : "";
        post<Page>(std::move(done), std::move(page));
    }
    void count(Filter, Done<std::uint64_t> done) override { post<std::uint64_t>(std::move(done), events.size()); }
    void read_after(std::uint64_t after, Filter filter, std::size_t limit, Done<Slice> done) override {
        ++reads;
        Slice slice{.events = {}, .upto = std::max(after, next - 1), .first_kept = first_index()};
        for (const Event& event : events) {
            if (event.unique_index <= after || !filter.matches(event)) {
                continue;
            }
            if (slice.events.size() == limit) {
                slice.upto = slice.events.back().unique_index;
                break;
            }
            slice.events.push_back(event);
        }
        post<Slice>(std::move(done), std::move(slice));
    }
    std::uint64_t first_index() const override { return events.empty() ? next : events.front().unique_index; }
    std::uint64_t last_index() const override { return next - 1; }

    std::unique_ptr<Subscription> on_commit(std::function<void(const CommitNotice&)> handler) override {
        const std::size_t id = ++last_handler_;
        handlers_.emplace(id, std::move(handler));
        return std::make_unique<FakeSubscription>([this, id] { handlers_.erase(id); });
    }
    std::size_t followers() const { return handlers_.size(); }

    std::vector<Event> events{};
    std::uint64_t next = 1;
    std::vector<std::size_t> batches{}; // sizes, refused ones too
    std::size_t refuse_batch = 0;       // counted from 1
    Sender last_sender{};
    std::optional<Error> excess{}; // of a sender who submits too much
    std::optional<std::uint32_t> unwanted = getuid();
    std::size_t chunk = limits::chunk_lines;
    Error refusal{.code = Code::storage_full, .context = "submit", .object = {}, .reason = "the disk is full"};
    bool hold = false; // submissions wait for release()
    bool tell = true;  // the feed works
    std::vector<std::move_only_function<void()>> held{};
    std::size_t last_limit = 0;
    std::size_t reads = 0;

private:
    template <typename T> void post(Done<T> done, Result<T> result) {
        boost::asio::post(io_,
                          [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
    }
    boost::asio::io_context& io_;
    IntakeRules rules_{};
    std::map<std::string, std::uint64_t> keys_{};
    std::map<std::size_t, std::function<void(const CommitNotice&)>> handlers_{};
    std::size_t last_handler_ = 0;
};

class FakeHeartbeats final : public Heartbeats {
public:
    void beat(Beat beat, Done<Watch> done) override {
        beats_seen.push_back(beat);
        Watch watch;
        watch.key = beat.key;
        watch.state = WatchState::up;
        watch.last_us = beat.time_us;
        watch.interval_us = beat.interval_us.value_or(0);
        watches[watch.key] = watch;
        done(watch);
    }
    Result<std::vector<TableChange>> beats(const std::vector<Beat>&) override { return std::vector<TableChange>{}; }
    Result<ListPage<Watch>> list(const ListFilter& filter, std::size_t limit,
                                 const std::string& cursor) const override {
        last_filter = filter;
        last_cursor = cursor;
        ListPage<Watch> page;
        for (const auto& [key, watch] : watches) {
            if (page.items.size() == limit) {
                page.next = "more";
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
            return done(fail(Code::not_found, "heartbeat", key.source, "no such heartbeat"));
        }
        last_act = act;
        done(found->second);
    }
    std::map<WatchState, std::size_t> counts() const override { return {}; }
    std::vector<WatchKey> urgent(std::size_t) const override { return {}; }
    std::unique_ptr<Subscription> on_change(std::function<void(const Watch&)>) override { return nullptr; }

    std::vector<Beat> beats_seen{};
    std::map<WatchKey, Watch> watches{};
    std::optional<WatchAct> last_act{};
    mutable ListFilter last_filter{};
    mutable std::string last_cursor{};
};

class FakeJobs final : public Jobs {
public:
    void run(std::uint64_t unique_index, std::string script, Done<Job> done) override {
        jobs.push_back({.id = jobs.size() + 1, .unique_index = unique_index, .script = std::move(script)});
        done(jobs.back());
    }
    bool runs_as(std::uint64_t unique_index, std::uint32_t uid) const override {
        return runs == std::pair{unique_index, uid};
    }
    void set_report(std::uint64_t unique_index, std::int64_t report_id, std::string url, Done<void> done) override {
        report = {unique_index, report_id, std::move(url)};
        if (drop_next) {
            return; // a bug: done is lost
        }
        done({});
    }
    void call_back(std::string secret, std::int64_t report_id, std::string url, Done<Job> done) override {
        report = {17, report_id, std::move(url)};
        last_secret = secret;
        secret == "good" ? done(Job{.id = 5, .unique_index = 17})
                         : done(fail(Code::not_found, "callback", "", "there is no such callback"));
    }
    void preview(std::uint64_t unique_index, std::string script, Done<JobPreview> done) override {
        done(JobPreview{
            .unique_index = unique_index,
            .script = {.script = std::move(script), .path = "/spark.d/x", .findings = {{true, "is \"bad\""}}},
            .environment = {{"HOME", "h"}},
            .event_json = "{}"});
    }
    std::vector<ScriptReport> scripts(std::string_view only) const override {
        return {{.script = std::string(only.empty() ? "all" : only), .path = "/spark.d/x"}};
    }
    void list(ListFilter filter, std::size_t, std::string, Done<ListPage<Job>> done) override {
        last_filter = std::move(filter);
        done(ListPage<Job>{.items = jobs, .next = {}});
    }
    void find(std::uint64_t id, Done<Job> done) override { done(at(id)); }
    void cancel(std::uint64_t id, Done<Job> done) override {
        auto job = at(id);
        if (job && is_final(job->state)) {
            return done(fail(Code::conflict, "job", std::to_string(id), "is over"));
        }
        done(std::move(job));
    }
    void rerun(std::uint64_t id, Done<Job> done) override {
        auto job = at(id);
        if (job) {
            job->id = jobs.size() + 1;
        }
        done(std::move(job));
    }
    void output(std::uint64_t id, Done<std::string> done) override {
        const auto job = at(id);
        job ? done(job->output) : done(std::unexpected(job.error()));
    }
    std::map<JobState, std::uint64_t> counts() const override { return {}; }
    std::vector<Job> recent(std::size_t) const override { return jobs; }
    std::unique_ptr<Subscription> on_change(std::function<void(const Job&)>) override { return nullptr; }

    Result<Job> at(std::uint64_t id) const {
        return id >= 1 && id <= jobs.size() ? Result<Job>(jobs[id - 1])
                                            : fail(Code::not_found, "job", std::to_string(id), "no such job");
    }
    struct Report {
        std::uint64_t unique_index = 0;
        std::int64_t report_id = 0;
        std::string url{};
    };
    std::pair<std::uint64_t, std::uint32_t> runs{}; // an event, and as whom its script runs now
    std::vector<Job> jobs{};
    Report report{};
    ListFilter last_filter{};
    std::string last_secret{};
    bool drop_next = false;
};

// Gives the pieces, then ends.
class FakeManager final : public FakeBackups {
public:
    Status status() const override { return current; }
    void reload(Done<void> done) override { reload_error ? done(std::unexpected(*reload_error)) : done({}); }
    std::string config() const override { return R"({"files":[],"items":[]})"; }
    std::string metrics() const override { return "tocsin_events_total{severity=\"info\"} 3\n"; }
    void count_rejected(Code code) override { rejected.push_back(code); }
    std::unique_ptr<Subscription> on_degraded(std::function<void(const std::vector<std::string>&)>) override {
        return nullptr;
    }

    Status current{.version = "1.2.3", .hostname = "here", .store_id = std::string(32, 'a'), .event_count = 3};
    std::optional<Error> reload_error{};
    std::vector<Code> rejected{};
};

} // namespace tocsin::ipc::http::test
