// SPDX-License-Identifier: Apache-2.0
// The log and the state beside it, on LMDB: the only room that knows LMDB. One writer thread commits in groups, a small
// pool of readers answers queries; callers live on the io thread and are answered there through `post`. docs/schema.md
// tells what is on disk.
#pragma once

#include "core/clock.hpp"
#include "core/limits.hpp"
#include "core/ports.hpp"
#include "core/retention.hpp"
#include "storage/migration.hpp"
#include "storage/owner.hpp"
#include "storage/retention.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::storage {

// Runs a function on the io thread, in the order of the calls. Thread-safe.
using Post = std::function<void(std::move_only_function<void()>)>;

struct Options {
    std::filesystem::path directory{};
    std::uint64_t max_bytes = 4ULL << 30; // beyond it older events go, and new ones are refused where none may
    RetentionPolicy retention{};
    std::int64_t idempotency_window_us = 7LL * 24 * 3600 * 1'000'000; // by received time
    std::size_t idempotency_keys = 1'000'000;                         // at most this many are remembered
    unsigned readers = 2;
    std::size_t tail_events = 65'536;       // the newest events that are kept in memory; tests make it small
    std::int64_t query_us_max = 30'000'000; // a query that takes longer is limit_exceeded
    std::int64_t page_us_max =
        1'000'000; // a page that takes longer ends with what was found, and goes on by its cursor
    std::int64_t backup_us_max = limits::backup_us_max;
    std::int64_t backup_stall_us_max = limits::backup_stall_us_max;
    // Of the copy that is made of an older store before it is changed; called by open() itself, at each piece.
    Progress copying{};
};

// Upper bounds in seconds of the buckets of Health::commit_buckets; the last bucket has none.
inline constexpr std::array<double, 12> commit_bounds_s = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
                                                           0.05,   0.1,   0.2,   0.5,   1,    5};

struct Seams; // of unit tests; storage/seams.hpp

// A snapshot for status, metrics and the watchdog. Thread-safe to take.
struct Health {
    std::uint64_t event_count = 0;
    std::uint64_t first_index = 0;
    std::uint64_t last_index = 0;
    std::uint64_t sealed_index = 0;             // up to here events are in sealed, indexed blocks
    std::optional<unsigned> indexing_percent{}; // of more than two blocks that a start found without indexes
    std::uint64_t store_bytes = 0;
    std::uint64_t free_bytes = 0; // of these: in pages that hold nothing, and will be used again
    Expired expired{};
    bool tidying = false; // blocks are being sealed, or what has expired is going
    std::uint64_t limit_bytes = 0;
    std::uint64_t queued_events = 0;
    std::array<std::uint64_t, 4> events_by_severity{}; // stored, by count field, for ever
    std::array<std::uint64_t, 13> commit_buckets{};
    double commit_seconds = 0;
    std::uint64_t commits = 0;
    bool full = false;             // the last commit failed for space; intake resumes by itself
    std::string stopped_writing{}; // not empty: why no write will be made until restart
    std::string stopped_sealing{}; // not empty: why the log stays as it is until restart
};

class Store final : public EventReader, public StatisticsReader, public CommitFeed, public StateStore {
public:
    // Opens or creates, replays what is newer than the last checkpoint, starts the threads.
    static Result<std::unique_ptr<Store>> open(const Options& options, Post post, const Clock& clock);
    static Result<std::unique_ptr<Store>> open(const Options& options, Post post, const Clock& clock,
                                               const Seams& seams);
    ~Store() override; // stop()

    // Appends events (all or nothing) and rows in one transaction. Idempotency keys are resolved here: a known key with
    // the same content answers the first index; other content is conflict. unavailable when the inbox is full,
    // limit_exceeded when it holds the owner's share. What one owner appends keeps its order; owners take turns.
    void append(std::vector<Event> events, std::vector<TableChange> rows, Done<Receipt> done, Owner owner = {});
    Pressure pressure() const;
    // Refuses new work, commits what is queued, answers it, joins the threads.
    void stop();

    Health health() const;
    RetentionReport retention() const;
    // Where open() found a store of an older schema.
    const std::optional<Migration>& migration() const;
    const std::string& store_id() const; // 32 hex digits
    // Posts `done` from the writer thread, behind what it is doing: proof that it is alive.
    void ping_writer(std::move_only_function<void()> done);
    void ping_readers(std::move_only_function<void()> done);

    // As Manager says (core/ports.hpp). percent: of the backup under way.
    void backup(int file, Done<Backup> done);
    Result<std::unique_ptr<BackupStream>> backup();
    std::optional<unsigned> backup_percent() const;

    // Occurrences (sum of `count`) of one name in [from_hour, to_hour) by hour (µs of its start, UTC), and for ever.
    struct HourCount {
        std::int64_t hour_us;
        std::uint64_t count;
    };
    Result<std::vector<HourCount>> hourly(std::string_view event_name, std::int64_t from_us, std::int64_t to_us) const;
    Result<std::uint64_t> total(std::string_view event_name) const;

    // EventReader
    void get(std::uint64_t index, Done<Event> done) override;
    void query(Filter filter, std::size_t limit, std::string cursor, Done<Page> done) override;
    void count(Filter filter, Done<std::uint64_t> done) override;
    void read_after(std::uint64_t after, Filter filter, std::size_t limit, Done<Slice> done) override;
    std::uint64_t first_index() const override;
    std::uint64_t last_index() const override;
    // StatisticsReader
    void totals(Filter filter, std::vector<GroupKey> by, Done<Totals> done) override;
    void hourly(Filter filter, std::size_t limit, std::string cursor, Done<HourPage> done) override;
    void histogram(std::string event_name, std::int64_t day_us, Done<DayCounts> done) override;
    // CommitFeed
    std::unique_ptr<Subscription> on_commit(std::function<void(const CommitNotice&)> handler) override;
    // StateStore
    void commit(StateChange change, Done<std::vector<std::uint64_t>> done) override;
    void scan(Table table, std::string after, std::size_t limit, bool descending, Done<std::vector<Row>> done) override;
    void load(Table table, std::string key, Done<std::optional<std::string>> done) override;
    Result<void> for_each(Table table, const std::function<void(const Row&)>& use) const override;
    std::uint64_t cursor(std::string_view name) const override;

private:
    struct Impl;
    explicit Store(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace tocsin::storage
