// SPDX-License-Identifier: Apache-2.0
// The log and the tables in memory, with what the real ones promise: order, atomic commits, answers from the loop. A
// test may make commits fail or wait, and may start a second service on what the first one left, as after a crash.
#pragma once

#include "core/ports.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::jobs::test {

class FakeLog final : public StateStore, public EventReader, public CommitFeed {
public:
    explicit FakeLog(boost::asio::io_context& io) : io_(io) {}

    // ---- what a test does ----
    std::uint64_t submit(Event event) {
        std::vector<Event> batch;
        batch.push_back(std::move(event));
        return submit_all(std::move(batch)).front();
    }
    std::vector<std::uint64_t> submit_all(std::vector<Event> batch) {
        auto indexes = append(batch);
        publish(indexes);
        return indexes;
    }
    void fail_commits(Code code, std::size_t times) {
        fail_code_ = code;
        fail_times_ = times;
    }
    void hold_commits(bool hold) {
        hold_ = hold;
        while (!hold_ && !held_.empty()) {
            auto [change, done] = std::move(held_.front());
            held_.pop_front();
            commit(std::move(change), std::move(done));
        }
    }
    void fail_reads(std::size_t times) { failing_reads_ = times; }
    void drop_events_upto(std::uint64_t index) { first_kept_ = index + 1; }
    std::vector<Event> events_named(std::string_view name) const {
        std::vector<Event> found;
        std::ranges::copy_if(events_, std::back_inserter(found),
                             [name](const Event& e) { return e.event_name == name; });
        return found;
    }
    std::vector<std::string> names_caused_by(std::uint64_t cause) const {
        std::vector<std::string> names;
        for (const Event& event : events_) {
            if (event.cause == cause) {
                names.push_back(event.event_name);
            }
        }
        return names;
    }
    const std::map<std::string, std::string>& rows(Table table) { return tables_[table]; }
    std::size_t commits() const { return commits_; }
    std::size_t held() const { return held_.size(); }

    // ---- StateStore ----
    void commit(StateChange change, Done<std::vector<std::uint64_t>> done) override {
        if (hold_) {
            held_.emplace_back(std::move(change), std::move(done));
            return;
        }
        if (fail_times_ > 0) {
            --fail_times_;
            return answer(std::move(done),
                          Result<std::vector<std::uint64_t>>(fail(fail_code_, "commit", "", "as told")));
        }
        ++commits_;
        for (auto& row : change.rows) {
            row.value ? static_cast<void>(tables_[row.table][row.key] = *row.value)
                      : static_cast<void>(tables_[row.table].erase(row.key));
        }
        if (!change.cursor_name.empty()) {
            cursors_[change.cursor_name] = change.cursor;
        }
        auto indexes = append(change.events);
        publish(indexes);
        answer(std::move(done), Result<std::vector<std::uint64_t>>(std::move(indexes)));
    }
    void scan(Table table, std::string after, std::size_t limit, bool descending,
              Done<std::vector<Row>> done) override {
        std::vector<Row> found;
        const auto& rows = tables_[table];
        const auto take = [&found, limit](const auto& row) {
            if (found.size() < limit) {
                found.push_back({row.first, row.second});
            }
        };
        if (descending) {
            const auto end = after.empty() ? rows.end() : rows.lower_bound(after);
            std::for_each(std::make_reverse_iterator(end), rows.rend(), take);
        } else {
            std::for_each(after.empty() ? rows.begin() : rows.upper_bound(after), rows.end(), take);
        }
        answer(std::move(done), Result<std::vector<Row>>(std::move(found)));
    }
    void load(Table table, std::string key, Done<std::optional<std::string>> done) override {
        const auto found = tables_[table].find(key);
        std::optional<std::string> value;
        if (found != tables_[table].end()) {
            value = found->second;
        }
        answer(std::move(done), Result<std::optional<std::string>>(std::move(value)));
    }
    Result<void> for_each(Table table, const std::function<void(const Row&)>& use) const override {
        if (const auto found = tables_.find(table); found != tables_.end()) {
            for (const auto& [key, value] : found->second) {
                use({key, value});
            }
        }
        return {};
    }
    std::uint64_t cursor(std::string_view name) const override {
        const auto found = cursors_.find(name);
        return found == cursors_.end() ? 0 : found->second;
    }

    // ---- EventReader ----
    void get(std::uint64_t index, Done<Event> done) override {
        if (failing_reads_ > 0) {
            --failing_reads_;
            return answer(std::move(done), Result<Event>(fail(Code::unavailable, "get", "", "as told")));
        }
        const bool there = index >= first_kept_ && index >= 1 && index <= events_.size();
        answer(std::move(done), there ? Result<Event>(events_[index - 1])
                                      : fail(Code::not_found, "get", std::to_string(index), "no such event"));
    }
    void query(Filter, std::size_t, std::string, Done<Page> done) override { answer(std::move(done), Result<Page>()); }
    void count(Filter, Done<std::uint64_t> done) override { answer(std::move(done), Result<std::uint64_t>(0)); }
    void read_after(std::uint64_t after, Filter filter, std::size_t limit, Done<Slice> done) override {
        ++reads_;
        if (failing_reads_ > 0) {
            --failing_reads_;
            return answer(std::move(done), Result<Slice>(fail(Code::unavailable, "read", "", "as told")));
        }
        Slice slice;
        slice.upto = std::max(after, events_.size());
        slice.first_kept = first_kept_;
        for (std::uint64_t index = std::max(after + 1, first_kept_); index <= events_.size(); ++index) {
            if (!filter.matches(events_[index - 1])) {
                continue;
            }
            slice.events.push_back(events_[index - 1]);
            if (slice.events.size() == limit) {
                slice.upto = index;
                break;
            }
        }
        answer(std::move(done), Result<Slice>(std::move(slice)));
    }
    std::uint64_t first_index() const override { return events_.empty() ? 0 : first_kept_; }
    std::uint64_t last_index() const override { return events_.size(); }
    std::size_t reads() const { return reads_; }

    // ---- CommitFeed ----
    std::unique_ptr<Subscription> on_commit(std::function<void(const CommitNotice&)> handler) override {
        struct Registered final : Subscription {
            std::shared_ptr<std::function<void(const CommitNotice&)>> handler;
        };
        auto registered = std::make_unique<Registered>();
        registered->handler = std::make_shared<std::function<void(const CommitNotice&)>>(std::move(handler));
        handlers_.push_back(registered->handler);
        return registered;
    }

private:
    template <typename T> void answer(Done<T> done, Result<T> result) {
        auto call = [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); };
        boost::asio::post(io_, std::move(call));
    }
    std::vector<std::uint64_t> append(std::vector<Event>& batch) {
        std::vector<std::uint64_t> indexes;
        for (Event& event : batch) {
            event.unique_index = events_.size() + 1;
            indexes.push_back(event.unique_index);
            events_.push_back(std::move(event));
        }
        return indexes;
    }
    void publish(const std::vector<std::uint64_t>& indexes) {
        if (indexes.empty()) {
            return;
        }
        CommitNotice notice{.first = indexes.front(), .last = indexes.back(), .events = {}};
        const auto begin = events_.begin() + static_cast<std::ptrdiff_t>(notice.first) - 1;
        notice.events =
            std::make_shared<const std::vector<Event>>(begin, begin + static_cast<std::ptrdiff_t>(indexes.size()));
        boost::asio::post(io_, [this, notice] { deliver(notice); });
    }
    void deliver(const CommitNotice& notice) {
        for (const auto& weak : std::vector(handlers_)) {
            if (const auto handler = weak.lock()) {
                (*handler)(notice);
            }
        }
    }

    boost::asio::io_context& io_;
    std::vector<Event> events_{};
    std::uint64_t first_kept_ = 1;
    std::map<Table, std::map<std::string, std::string>> tables_{};
    std::map<std::string, std::uint64_t, std::less<>> cursors_{};
    std::vector<std::weak_ptr<std::function<void(const CommitNotice&)>>> handlers_{};
    std::deque<std::pair<StateChange, Done<std::vector<std::uint64_t>>>> held_{};
    Code fail_code_ = Code::storage_full;
    std::size_t fail_times_ = 0;
    std::size_t failing_reads_ = 0;
    std::size_t commits_ = 0;
    std::size_t reads_ = 0;
    bool hold_ = false;
};

} // namespace tocsin::jobs::test
