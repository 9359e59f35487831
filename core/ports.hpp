// SPDX-License-Identifier: Apache-2.0
// Where the rooms meet. Faces (ipc) and readers (heartbeats, jobs) see only these interfaces; daemon/ ties them to what
// stands behind. Every call is made on the io thread, returns at once, and answers its Done exactly once, there too.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"
#include "core/filter.hpp"
#include "core/heartbeat.hpp"
#include "core/job.hpp"
#include "core/limits.hpp"
#include "core/retention.hpp"
#include "core/script.hpp"
#include "core/statistics.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

// ---- intake ----

// What a batch was answered with; indexes in the order of the batch, 0 for a beat.
struct Receipt {
    std::vector<std::uint64_t> indexes;
    std::vector<bool> duplicate; // as long as indexes: the key was known with the same content
    std::size_t duplicates = 0;
};

// Who submits, as the kernel or the bus says: what room and rates are counted by.
struct Sender {
    std::optional<std::uint32_t> uid{};
    std::string unit{}; // empty where not known
};

// Takes valid events of one sender: all or nothing, durable before the answer. Beats among them become beats.
class Intake {
public:
    virtual ~Intake() = default;
    virtual const IntakeRules& rules() const = 0;
    virtual void submit(std::vector<Event> events, Sender sender, Done<Receipt> done) = 0;
    // Why this sender shall submit nothing now: asked before what he sends is read. Fair use; nullopt for one alone.
    virtual std::optional<Error> turn_away(const Sender& /*sender*/) { return std::nullopt; }
    // How many lines a chunk of this sender's NDJSON shall have now: fewer where he keeps others waiting.
    virtual std::size_t chunk_lines(const Sender& /*sender*/) { return limits::chunk_lines; }
};

// ---- reading the log ----

struct Page {
    std::vector<Event> events;
    std::string next; // empty on the last page
};

// A slice of the log for one who follows it by index.
struct Slice {
    std::vector<Event> events;    // that match, by index
    std::uint64_t upto = 0;       // every index up to here was considered
    std::uint64_t first_kept = 1; // > after + 1: the events between are gone
};

class EventReader {
public:
    virtual ~EventReader() = default;
    virtual void get(std::uint64_t index, Done<Event> done) = 0;
    virtual void query(Filter filter, std::size_t limit, std::string cursor, Done<Page> done) = 0;
    virtual void count(Filter filter, Done<std::uint64_t> done) = 0;
    // The next matches after `after`, at most `limit` and limits::page_bytes; may be empty with upto moved on.
    virtual void read_after(std::uint64_t after, Filter filter, std::size_t limit, Done<Slice> done) = 0;
    // 0 when the log is empty.
    virtual std::uint64_t first_index() const = 0;
    virtual std::uint64_t last_index() const = 0;
};

// Sums of `count`; a filter's order says nothing here.
class StatisticsReader {
public:
    virtual ~StatisticsReader() = default;
    // limit_exceeded beyond limits::totals_max rows.
    virtual void totals(Filter filter, std::vector<GroupKey> by, Done<Totals> done) = 0;
    virtual void hourly(Filter filter, std::size_t limit, std::string cursor, Done<HourPage> done) = 0;
    // Of the 24 hours from `day_us` on.
    virtual void histogram(std::string event_name, std::int64_t day_us, Done<DayCounts> done) = 0;
};

enum class PictureFormat : std::uint8_t { png, svg, jpeg };

class Pictures {
public:
    virtual ~Pictures() = default;
    // The bytes of a picture of a day.
    virtual void histogram(std::string event_name, std::int64_t day_us, const DayCounts& counts, PictureFormat format,
                           Done<std::string> done) = 0;
};

// One commit, told to the io thread after it is durable and before any later commit.
struct CommitNotice {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::shared_ptr<const std::vector<Event>> events; // every one from first to last
};

// Something that stays registered as long as it lives.
class Subscription {
public:
    virtual ~Subscription() = default;
};

class CommitFeed {
public:
    virtual ~CommitFeed() = default;
    virtual std::unique_ptr<Subscription> on_commit(std::function<void(const CommitNotice&)> handler) = 0;
};

// ---- state of readers, kept beside the log ----

// pins: an event with a row there, by its big-endian index, does not expire.
enum class Table : std::uint8_t { watches, jobs, reports, pins };

struct TableChange {
    Table table;
    std::string key;                  // ≤ 500 bytes; big-endian numbers sort as numbers
    std::optional<std::string> value; // nullopt deletes
};

// An effect: rows, events and the reader's cursor commit together or not at all.
struct StateChange {
    std::vector<TableChange> rows{};
    std::vector<Event> events{};
    std::string cursor_name{}; // empty: no cursor moves
    std::uint64_t cursor = 0;
    // So long it may wait for something else to be committed with it; nobody waits for what is not urgent.
    std::int64_t patience_us = 0;
};

struct Row {
    std::string key;
    std::string value;
};

class StateStore {
public:
    virtual ~StateStore() = default;
    // The indexes of the appended events. Priority over client submissions; not refused for a full inbox of theirs.
    virtual void commit(StateChange change, Done<std::vector<std::uint64_t>> done) = 0;
    // Rows with key > after (or < after when descending; empty: from the end), at most limit.
    virtual void scan(Table table, std::string after, std::size_t limit, bool descending,
                      Done<std::vector<Row>> done) = 0;
    virtual void load(Table table, std::string key, Done<std::optional<std::string>> done) = 0;
    // Synchronous, only before the daemon is READY.
    virtual Result<void> for_each(Table table, const std::function<void(const Row&)>& use) const = 0;
    virtual std::uint64_t cursor(std::string_view name) const = 0; // 0: never moved
};

// Row of Table::reports: what a reader joins to an event. Key: big-endian index.
std::string report_key(std::uint64_t index);
std::string encode_report(std::int64_t report_id, std::string_view url);
Result<std::pair<std::int64_t, std::string>> decode_report(std::string_view value);

// ---- heartbeats, jobs ----

// Pages of lists: `next` is an opaque cursor, empty on the last page. Filter keys of lists are plain equalities.
using ListFilter = std::map<std::string, std::vector<std::string>, std::less<>>;
template <typename T> struct ListPage {
    std::vector<T> items;
    std::string next;
};

enum class WatchAct : std::uint8_t { pause, resume, forget };

class Heartbeats {
public:
    virtual ~Heartbeats() = default;
    // Answers when the row is durable.
    virtual void beat(Beat beat, Done<Watch> done) = 0;
    // For a batch: applies the beats and returns the rows that must commit with the batch's events. Where the
    // configuration forbids one none is applied; the error names each by its place among `beats`.
    virtual Result<std::vector<TableChange>> beats(const std::vector<Beat>& beats) = 0;
    // Keys: source, scid, state. Ordered by (source, scid).
    virtual Result<ListPage<Watch>> list(const ListFilter& filter, std::size_t limit,
                                         const std::string& cursor) const = 0;
    virtual std::optional<Watch> find(const WatchKey& key) const = 0;
    virtual void act(const WatchKey& key, WatchAct act, Done<Watch> done) = 0;
    virtual std::map<WatchState, std::size_t> counts() const = 0;
    // The most urgent first, for `busctl tree`.
    virtual std::vector<WatchKey> urgent(std::size_t limit) const = 0;
    virtual std::unique_ptr<Subscription> on_change(std::function<void(const Watch&)> handler) = 0;
};

class Jobs {
public:
    virtual ~Jobs() = default;
    virtual void run(std::uint64_t unique_index, std::string script, Done<Job> done) = 0;
    // Works for an event without a job, too.
    virtual void set_report(std::uint64_t unique_index, std::int64_t report_id, std::string url, Done<void> done) = 0;
    // A script that this event asked for runs now, as a user of its own: the report is its affair.
    virtual bool runs_as(std::uint64_t unique_index, std::uint32_t uid) const = 0;
    // By the secret of a run that was given one; not_found for anything else, without saying why.
    virtual void call_back(std::string secret, std::int64_t report_id, std::string url, Done<Job> done) = 0;
    // What run() would start, without starting it.
    virtual void preview(std::uint64_t unique_index, std::string script, Done<JobPreview> done) = 0;
    // Every installed or configured one, or the one with this name.
    virtual std::vector<ScriptReport> scripts(std::string_view only) const = 0;
    // Keys: state, script, unique_index. Newest first.
    virtual void list(ListFilter filter, std::size_t limit, std::string cursor, Done<ListPage<Job>> done) = 0;
    virtual void find(std::uint64_t id, Done<Job> done) = 0;
    virtual void cancel(std::uint64_t id, Done<Job> done) = 0;
    virtual void rerun(std::uint64_t id, Done<Job> done) = 0;
    virtual void output(std::uint64_t id, Done<std::string> done) = 0;
    // queued, running, waiting now; final ones since start
    virtual std::map<JobState, std::uint64_t> counts() const = 0;
    // Unfinished ones, then the newest, for `busctl tree` and cached properties.
    virtual std::vector<Job> recent(std::size_t limit) const = 0;
    virtual std::unique_ptr<Subscription> on_change(std::function<void(const Job&)> handler) = 0;
};

// ---- the daemon itself ----

struct Status {
    std::string version;
    std::string hostname;
    std::string store_id; // 32 hex digits
    std::uint64_t event_count = 0;
    std::uint64_t first_index = 0;
    std::uint64_t last_index = 0;
    std::uint64_t store_bytes = 0;
    double intake_rate = 0; // events per second, last minute
    std::vector<std::string> degraded{};
    std::int64_t started_us = 0;
    std::optional<unsigned> indexing_percent{}; // while much that was stored before the start gets its indexes
    std::optional<unsigned> backup_percent{};   // while a backup is made
};
// Version, Hostname, StoreId, EventCount, FirstIndex, LastIndex, StoreBytes, IntakeRate, Degraded as snake_case.
void describe(const Status& status, const FieldSink& sink);

struct Backup {
    std::uint64_t bytes = 0;
    std::uint64_t last_index = 0; // every event up to here is in it; later ones may be
};

// A backup that is fetched: it ends when this is destroyed.
class BackupStream {
public:
    virtual ~BackupStream() = default;
    // The next piece, empty after the last one; or why there will be none. One pull at a time.
    virtual void pull(Done<std::string> ready) = 0;
};

class Manager {
public:
    virtual ~Manager() = default;
    virtual Status status() const = 0;
    virtual void reload(Done<void> done) = 0;
    // A copy of the log and all that belongs to it, while intake goes on. One at a time, else conflict. The first takes
    // the descriptor of an empty regular file; it answers when all is flushed there.
    virtual void backup(int file, Done<Backup> done) = 0;
    virtual Result<std::unique_ptr<BackupStream>> backup() = 0;
    virtual RetentionReport retention() const = 0;
    virtual std::string metrics() const = 0; // Prometheus text
    // {"files":[…],"items":[{"key","value","origin"}…]}: what is in effect and where it was said. Secrets are not
    // shown.
    virtual std::string config() const = 0;
    // Counted for /metrics; called by the faces for every refused submission.
    virtual void count_rejected(Code code) = 0;
    virtual std::unique_ptr<Subscription> on_degraded(std::function<void(const std::vector<std::string>&)> handler) = 0;
};

// What a face is given.
struct Services {
    Intake& intake;
    EventReader& reader;
    CommitFeed& feed;
    Heartbeats& heartbeats;
    Jobs& jobs;
    Manager& manager;
    StatisticsReader& statistics;
    Pictures& pictures;
};

} // namespace tocsin
