// SPDX-License-Identifier: Apache-2.0
// What the tests of the store share: an io thread that is the test itself, a clock that stands still, directories that
// go away, events that differ, and calls that wait for their answer with a deadline.
#pragma once

#include "core/clock.hpp"
#include "core/statistics.hpp"
#include "storage/seams.hpp"
#include "storage/store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tocsin::storage::test {

inline constexpr std::chrono::seconds patience{20};
inline constexpr std::int64_t now_us = 1'767'323'045'000'000; // 2026-01-02T03:04:05Z

class StillClock final : public Clock {
public:
    std::int64_t wall_us() const override { return now; }
    std::int64_t boot_us() const override { return now; }
    std::atomic<std::int64_t> now = now_us; // the writer looks at it as well
};

// Functions posted by the store, run by the thread of the test.
class Io {
public:
    Post post() {
        return [this](std::move_only_function<void()> f) {
            const std::scoped_lock lock(mutex_);
            posted_.push_back(std::move(f));
            wake_.notify_one();
        };
    }

    // False when it did not come true in time.
    template <typename Done> bool run_until(const Done& done) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!done()) {
            std::move_only_function<void()> f;
            {
                std::unique_lock lock(mutex_);
                if (!wake_.wait_until(lock, end, [this] { return !posted_.empty(); })) {
                    return false;
                }
                f = std::move(posted_.front());
                posted_.pop_front();
            }
            f();
        }
        return true;
    }

    void drain() {
        for (bool more = true; more;) {
            std::deque<std::move_only_function<void()>> now;
            {
                const std::scoped_lock lock(mutex_);
                std::swap(now, posted_);
            }
            more = !now.empty();
            for (auto& f : now) {
                f();
            }
        }
    }

private:
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::move_only_function<void()>> posted_;
};

class Directory {
public:
    Directory() {
        static std::atomic<unsigned> number{0};
        path_ = std::filesystem::temp_directory_path() /
                ("tocsin-store-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline Event event(std::string name, std::string source = "unit", std::int64_t time_us = now_us) {
    Event e;
    e.event_name = std::move(name);
    e.event_src = std::move(source);
    e.event_time_us = time_us;
    e.received_time_us = now_us;
    return e;
}

inline Event keyed(std::string key, std::uint64_t content, std::uint32_t uid = 1000) {
    Event e = event("keyed");
    e.idempotency_key = std::move(key);
    e.content_hash = content;
    e.origin.transport = "http";
    e.origin.uid = uid;
    return e;
}

// Any mixture of fields, small vocabularies so that filters meet several.
inline Event random_event(std::mt19937_64& random, std::uint64_t number) {
    const auto pick = [&random](std::uint64_t below) { return random() % below; };
    Event e = event("name-" + std::to_string(pick(7)), "src-" + std::to_string(pick(4)));
    const std::int64_t late = pick(10) == 0 ? static_cast<std::int64_t>(pick(1'000'000'000)) : 0;
    e.event_time_us = now_us + static_cast<std::int64_t>(number) * 1'000 - late;
    e.received_time_us = now_us + static_cast<std::int64_t>(number) * 1'000;
    e.scid = pick(2) == 0 ? 0 : static_cast<std::int64_t>(pick(5)) - 2;
    e.severity = static_cast<Severity>(pick(4));
    e.count = pick(5) == 0 ? 1 + pick(1000) : 1;
    e.event_type = pick(6) == 0 ? EventType::dataset : EventType::standard;
    const auto maybe = [&pick](std::string& field, std::string value) {
        if (pick(2) == 0) {
            field = std::move(value);
        }
    };
    if (pick(3) == 0) {
        e.event_rule_id = static_cast<std::int64_t>(pick(3)) - 1;
    }
    maybe(e.environment, "env-" + std::to_string(pick(3)));
    maybe(e.event_id, "set-" + std::to_string(pick(3)));
    maybe(e.host, "host-" + std::to_string(pick(2)));
    maybe(e.event_rule, "rule text " + std::to_string(pick(9)));
    maybe(e.summary, "summary " + std::to_string(pick(40)));
    maybe(e.description, "about " + std::to_string(number));
    maybe(e.payload, R"({"user":"u)" + std::to_string(pick(9)) + R"(","n":)" + std::to_string(number) + "}");
    maybe(e.gem_full_path, "/data/" + std::to_string(number));
    maybe(e.spark_script, "script-" + std::to_string(pick(2)));
    maybe(e.origin.transport, "http");
    if (pick(2) == 0) {
        e.origin.uid = static_cast<std::uint32_t>(pick(3));
        e.origin.pid = static_cast<std::uint32_t>(pick(4'000'000'000));
        e.origin.unit = "unit-" + std::to_string(pick(2)) + ".service";
    }
    if (pick(4) == 0) {
        e.cause = pick(number + 1);
        e.cause_depth = static_cast<std::uint32_t>(pick(8));
        e.host_index = pick(1'000'000);
    }
    return e;
}

// What sums call the value that an event has of a key.
inline std::string text_of(const Event& e, GroupKey key) {
    switch (key) {
    case GroupKey::event_name:
        return e.event_name;
    case GroupKey::event_src:
        return e.event_src;
    case GroupKey::scid:
        return std::to_string(e.scid);
    case GroupKey::severity:
        return std::string(to_string(e.severity));
    case GroupKey::environment:
        return e.environment;
    case GroupKey::event_rule_id:
        return e.event_rule_id ? std::to_string(*e.event_rule_id) : "";
    case GroupKey::event_type:
        return std::string(to_string(e.event_type));
    case GroupKey::event_id:
        return e.event_id;
    case GroupKey::host:
        return e.host;
    }
    return "";
}

// A store with the test as its io thread; every call waits for its answer.
class Fixture {
public:
    explicit Fixture(Options chosen = {}, Seams faults = {}) : options(std::move(chosen)), seams(std::move(faults)) {
        options.directory = directory.path();
    }

    Result<void> open() {
        auto opened = Store::open(options, io.post(), clock, seams);
        if (!opened) {
            return std::unexpected(opened.error());
        }
        store = std::move(*opened);
        return {};
    }
    void close() {
        store.reset();
        io.drain();
    }
    void reopen() {
        close();
        const auto opened = open();
        ASSERT_TRUE(opened) << opened.error().detail();
    }

    // Until every block but the tail is sealed and nothing of them is left in the log: the writer has come by and
    // found nothing to do.
    void seal_all() {
        const auto end = std::chrono::steady_clock::now() + patience;
        const std::uint64_t wanted = store->health().last_index;
        const auto settled = [this, wanted] {
            const Health health = store->health();
            return health.sealed_index + options.tail_events > wanted || !health.stopped_sealing.empty();
        };
        while (!settled() && std::chrono::steady_clock::now() < end) {
            auto seen = std::make_shared<bool>(false);
            store->ping_writer([seen] { *seen = true; });
            ASSERT_TRUE(io.run_until([seen] { return *seen; }));
        }
        ASSERT_TRUE(settled());
        ASSERT_EQ(store->health().stopped_sealing, "");
    }

    // Until nothing of what is done beside the intake is left to do.
    void tidy_all() {
        const auto end = std::chrono::steady_clock::now() + patience;
        for (bool busy = true; busy && std::chrono::steady_clock::now() < end; busy = store->health().tidying) {
            for (int looks = 0; looks < 2;
                 ++looks) { // the second is answered after what the first one made the writer do
                auto seen = std::make_shared<bool>(false);
                store->ping_writer([seen] { *seen = true; });
                ASSERT_TRUE(io.run_until([seen] { return *seen; }));
            }
        }
        ASSERT_FALSE(store->health().tidying);
        ASSERT_EQ(store->health().stopped_sealing, "");
    }

    // Calls ask(done) and waits for the answer.
    template <typename T, typename Ask> Result<T> wait(const Ask& ask) {
        auto answer = std::make_shared<std::optional<Result<T>>>();
        ask(Done<T>([answer](Result<T> result) { *answer = std::move(result); }));
        if (!io.run_until([answer] { return answer->has_value(); })) {
            return fail(Code::unavailable, "test", "", "no answer in time");
        }
        return std::move(**answer);
    }

    Result<Receipt> append(std::vector<Event> events, std::vector<TableChange> rows = {}) {
        return wait<Receipt>([this, &events, &rows](Done<Receipt> done) {
            store->append(std::move(events), std::move(rows), std::move(done));
        });
    }
    Result<Receipt> append_one(Event e) {
        std::vector<Event> events;
        events.push_back(std::move(e));
        return append(std::move(events));
    }
    Result<std::vector<std::uint64_t>> commit(StateChange change) {
        return wait<std::vector<std::uint64_t>>(
            [this, &change](auto done) { store->commit(std::move(change), std::move(done)); });
    }
    Result<Event> get(std::uint64_t index) {
        return wait<Event>([this, index](Done<Event> done) { store->get(index, std::move(done)); });
    }
    Result<Page> query(Filter filter, std::size_t limit = 100, std::string cursor = {}) {
        return wait<Page>(
            [this, &filter, limit, &cursor](Done<Page> done) { store->query(filter, limit, cursor, std::move(done)); });
    }
    Result<std::uint64_t> count(Filter filter) {
        return wait<std::uint64_t>(
            [this, &filter](Done<std::uint64_t> done) { store->count(filter, std::move(done)); });
    }
    Result<Slice> read_after(std::uint64_t after, Filter filter = {}, std::size_t limit = 100) {
        return wait<Slice>([this, after, &filter, limit](Done<Slice> done) {
            store->read_after(after, filter, limit, std::move(done));
        });
    }

    Directory directory;
    Options options;
    Seams seams;
    StillClock clock;
    Io io;
    std::unique_ptr<Store> store;
};

// What no compression makes small.
inline std::string noise(std::mt19937_64& random, std::size_t size) {
    std::string text(size, '\0');
    std::ranges::generate(text, [&random] { return static_cast<char>('0' + random() % 64); });
    return text;
}

// Appends random events in batches, some of them large; what a reader must see of them.
inline std::vector<Event> fill(Fixture& f, std::uint64_t seed, std::uint64_t count,
                               std::uint64_t large_one_in = 1'000) {
    std::mt19937_64 random(seed);
    std::vector<Event> all;
    while (all.size() < count) {
        std::vector<Event> batch;
        for (std::uint64_t n = 1 + random() % 30; n > 0; --n) {
            batch.push_back(random_event(random, all.size() + batch.size()));
            if (random() % large_one_in == 0) {
                batch.back().description = noise(random, 60'000);
            }
        }
        const auto receipt = f.append(batch);
        EXPECT_TRUE(receipt);
        for (std::size_t i = 0; receipt && i < batch.size(); ++i) {
            batch[i].unique_index = receipt->indexes[i];
            batch[i].spark_report_id = batch[i].spark_script.empty() ? std::nullopt : std::optional<std::int64_t>(-1);
            all.push_back(std::move(batch[i]));
        }
    }
    return all;
}

} // namespace tocsin::storage::test
