// SPDX-License-Identifier: Apache-2.0
#include "storage/store.hpp"

#include "storage/backup.hpp"
#include "storage/counters.hpp"
#include "storage/keys.hpp"
#include "storage/query.hpp"
#include "storage/restored.hpp"
#include "storage/schema.hpp"
#include "storage/seams.hpp"
#include "storage/state_tables.hpp"
#include "storage/statistics.hpp"
#include "storage/writer.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::storage {

namespace {

constexpr std::size_t cursor_name_bytes_max = 255;

// What the log could not give back, or could not hold at all.
Result<void> check_op(const Op& op) {
    if (op.events.size() > limits::inbox_events) {
        return fail(Code::limit_exceeded, "store", "batch", "has too many events; send less at once");
    }
    for (std::size_t i = 0; i < op.events.size(); ++i) {
        if (op.events[i].count > limits::count_max) {
            return std::unexpected(field_error("count", "is larger than " + std::to_string(limits::count_max), i));
        }
    }
    for (const TableChange& row : op.rows) {
        if (auto checked = check_row(row); !checked) {
            return checked;
        }
    }
    if (op.cursor_name.size() > cursor_name_bytes_max) {
        return fail(Code::invalid_argument, "store", "cursor", "its name is too long");
    }
    return {};
}

} // namespace

struct Store::Impl {
    Impl(const Options& chosen, Post post_on_io, const Clock& chosen_clock, DirectoryLock held)
        : options(chosen), post(std::move(post_on_io)), clock(chosen_clock), lock(std::move(held)) {}

    void push(Op op);
    QueryBounds bounds() const { return {.query_us_max = options.query_us_max, .page_us_max = options.page_us_max}; }

    Options options;
    Post post;
    const Clock& clock;
    DirectoryLock lock;
    std::unique_ptr<Env> env{};
    StoreMeta meta{};
    std::optional<Migration> migration{};
    std::string id{};
    Publisher publisher{};
    std::shared_ptr<Feed> feed = std::make_shared<Feed>();
    std::unique_ptr<LogState> log{};
    std::unique_ptr<Writer> writer{};
    std::unique_ptr<ReaderPool> readers{};
    std::unique_ptr<Backups> backups{};
};

void Store::Impl::push(Op op) {
    auto checked = check_op(op);
    auto refused = checked ? writer->inbox().push(op) : std::optional(std::move(checked.error()));
    if (refused) {
        post([done = std::move(op.done), error = std::move(*refused)]() mutable {
            done(std::unexpected(std::move(error)));
        });
    }
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
    stop();
}

Result<std::unique_ptr<Store>> Store::open(const Options& options, Post post, const Clock& clock) {
    return open(options, std::move(post), clock, Seams{});
}

Result<std::unique_ptr<Store>> Store::open(const Options& options, Post post, const Clock& clock, const Seams& seams) {
    auto lock = DirectoryLock::take(options.directory);
    if (!lock) {
        return std::unexpected(lock.error());
    }
    auto impl = std::make_unique<Impl>(options, std::move(post), clock, std::move(*lock));
    const auto restored = take_off_mark(options.directory);
    if (!restored) {
        return std::unexpected(restored.error());
    }
    auto env = Env::open({.directory = options.directory,
                          .map_bytes = seams.map_bytes,
                          .before_commit = seams.before_commit,
                          .read_only = false});
    if (!env) {
        return std::unexpected(env.error());
    }
    impl->env = std::move(*env);
    auto prepared = prepare(*impl->env, clock.wall_us(), options.copying);
    if (!prepared) {
        return std::unexpected(prepared.error());
    }
    auto meta = *restored ? renew_identity(*impl->env) : std::move(prepared->meta);
    if (!meta) {
        return std::unexpected(meta.error());
    }
    impl->migration = std::move(prepared->migration);
    impl->meta = std::move(*meta);
    impl->id = to_hex(impl->meta.identity);
    const LogState::Bounds bounds{.tail_events = std::max<std::size_t>(1, options.tail_events),
                                  .window_us = options.idempotency_window_us,
                                  .keys_max = options.idempotency_keys};
    impl->log = std::make_unique<LogState>(impl->meta, bounds);
    if (auto loaded = impl->log->load(*impl->env, clock.wall_us()); !loaded) {
        return std::unexpected(loaded.error());
    }
    impl->publisher.publish(impl->log->view());
    impl->writer =
        std::make_unique<Writer>(Writer::Parts{*impl->env, *impl->log, impl->publisher, impl->post, impl->feed, clock},
                                 Writer::Bounds{.max_bytes = options.max_bytes,
                                                .window_us = options.idempotency_window_us,
                                                .seal = seams.seal,
                                                .retention = options.retention});
    impl->readers = std::make_unique<ReaderPool>(*impl->env, impl->publisher, impl->post);
    impl->backups = std::make_unique<Backups>(*impl->env,
                                              BackupBounds{.time_us_max = options.backup_us_max,
                                                           .stall_us_max = options.backup_stall_us_max,
                                                           .max_bytes = options.max_bytes},
                                              impl->post);
    impl->writer->start();
    impl->readers->start(options.readers);
    return std::unique_ptr<Store>(new Store(std::move(impl)));
}

void Store::stop() {
    impl_->backups->stop();
    impl_->writer->stop();
    impl_->readers->stop();
}

// ---- backups ----

void Store::backup(int file, Done<Backup> done) {
    impl_->backups->to_file(Fd(file), {last_index(), impl_->clock.wall_us()}, std::move(done));
}

Result<std::unique_ptr<BackupStream>> Store::backup() {
    return impl_->backups->stream({last_index(), impl_->clock.wall_us()});
}

std::optional<unsigned> Store::backup_percent() const {
    return impl_->backups->percent();
}

// ---- writing ----

void Store::append(std::vector<Event> events, std::vector<TableChange> rows, Done<Receipt> done, Owner owner) {
    impl_->push(Op{.owner = owner, .events = std::move(events), .rows = std::move(rows), .done = std::move(done)});
}

Pressure Store::pressure() const {
    return impl_->writer->inbox().pressure();
}

void Store::commit(StateChange change, Done<std::vector<std::uint64_t>> done) {
    impl_->push(Op{.effect = true,
                   .events = std::move(change.events),
                   .rows = std::move(change.rows),
                   .cursor_name = std::move(change.cursor_name),
                   .cursor = change.cursor,
                   .patience_us = change.patience_us,
                   .done = [done = std::move(done)](Result<Receipt> receipt) mutable {
                       done(receipt ? Result<std::vector<std::uint64_t>>(std::move(receipt->indexes))
                                    : std::unexpected(std::move(receipt.error())));
                   }});
}

std::unique_ptr<Subscription> Store::on_commit(std::function<void(const CommitNotice&)> handler) {
    return impl_->feed->add(std::move(handler));
}

void Store::ping_writer(std::move_only_function<void()> done) {
    impl_->writer->inbox().ping(std::move(done));
}

// ---- reading the log ----

void Store::get(std::uint64_t index, Done<Event> done) {
    impl_->readers->submit(get_task(impl_->post, index, std::move(done)));
}

void Store::query(Filter filter, std::size_t limit, std::string cursor, Done<Page> done) {
    PageRequest request{.filter = std::move(filter), .limit = limit, .cursor = std::move(cursor)};
    impl_->readers->submit(page_task(impl_->post, impl_->bounds(), std::move(request), std::move(done)));
}

void Store::count(Filter filter, Done<std::uint64_t> done) {
    impl_->readers->submit(count_task(impl_->post, impl_->bounds(), std::move(filter), std::move(done)));
}

void Store::read_after(std::uint64_t after, Filter filter, std::size_t limit, Done<Slice> done) {
    FollowRequest request{.after = after, .filter = std::move(filter), .limit = limit};
    impl_->readers->submit(follow_task(impl_->post, std::move(request), std::move(done)));
}

void Store::ping_readers(std::move_only_function<void()> done) {
    impl_->readers->ping(std::move(done));
}

std::uint64_t Store::first_index() const {
    return impl_->publisher.take().first;
}

std::uint64_t Store::last_index() const {
    return impl_->publisher.take().last;
}

// ---- rows and cursors ----

void Store::scan(Table table, std::string after, std::size_t limit, bool descending, Done<std::vector<Row>> done) {
    ScanRequest request{.table = table, .after = std::move(after), .limit = limit, .descending = descending};
    impl_->readers->submit(scan_task(impl_->post, std::move(request), std::move(done)));
}

void Store::load(Table table, std::string key, Done<std::optional<std::string>> done) {
    impl_->readers->submit(load_task(impl_->post, table, std::move(key), std::move(done)));
}

Result<void> Store::for_each(Table table, const std::function<void(const Row&)>& use) const {
    const auto txn = Txn::read(*impl_->env);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    return each_row(*txn, table, use);
}

std::uint64_t Store::cursor(std::string_view name) const {
    const auto txn = Txn::read(*impl_->env);
    if (!txn || name.empty() || name.size() > cursor_name_bytes_max) {
        return 0;
    }
    return read_count(*txn, Tree::cursors, name).value_or(0);
}

// ---- numbers ----

void Store::totals(Filter filter, std::vector<GroupKey> by, Done<Totals> done) {
    impl_->readers->submit(
        totals_task(impl_->post, impl_->bounds(), std::move(filter), std::move(by), std::move(done)));
}

void Store::hourly(Filter filter, std::size_t limit, std::string cursor, Done<HourPage> done) {
    PageRequest request{.filter = std::move(filter), .limit = limit, .cursor = std::move(cursor)};
    impl_->readers->submit(hourly_task(impl_->post, impl_->bounds(), std::move(request), std::move(done)));
}

void Store::histogram(std::string event_name, std::int64_t day_us, Done<DayCounts> done) {
    impl_->readers->submit(histogram_task(impl_->post, std::move(event_name), day_us, std::move(done)));
}

Result<std::vector<Store::HourCount>> Store::hourly(std::string_view event_name, std::int64_t from_us,
                                                    std::int64_t to_us) const {
    const auto at = consistent(*impl_->env, impl_->publisher);
    if (!at) {
        return std::unexpected(at.error());
    }
    const std::uint32_t until = hour_of(to_us) + (to_us > 0 && to_us % hour_us != 0 ? 1U : 0U);
    if (event_name.empty() || event_name.size() > limits::name_bytes) {
        return std::vector<HourCount>{};
    }
    const auto counts = count_by_hour(at->second, at->first, event_name, {hour_of(from_us), until});
    if (!counts) {
        return std::unexpected(counts.error());
    }
    std::vector<HourCount> out;
    out.reserve(counts->size());
    for (const auto& [hour, count] : *counts) {
        out.push_back({static_cast<std::int64_t>(hour) * hour_us, count});
    }
    return out;
}

Result<std::uint64_t> Store::total(std::string_view event_name) const {
    if (event_name.empty() || event_name.size() > limits::name_bytes) {
        return 0;
    }
    const auto at = consistent(*impl_->env, impl_->publisher);
    return at ? count_total(at->second, at->first, event_name) : std::unexpected(at.error());
}

Health Store::health() const {
    Health health;
    const View view = impl_->publisher.take();
    health.event_count = view.events();
    health.first_index = view.first;
    health.last_index = view.last;
    health.sealed_index = view.sealed;
    const std::uint64_t found = impl_->meta.sealed;
    const std::uint64_t wanted = impl_->meta.checkpoint;
    if (wanted - found > 2 * impl_->options.tail_events && view.sealed < wanted) {
        health.indexing_percent = static_cast<unsigned>((view.sealed - found) * 100 / (wanted - found));
    }
    health.store_bytes = impl_->env->used_bytes();
    health.events_by_severity = view.by_severity;
    impl_->writer->describe(health);
    return health;
}

RetentionReport Store::retention() const {
    constexpr std::int64_t pace_us = RetentionPolicy::day_us;
    const View view = impl_->publisher.take();
    const std::int64_t now_us = impl_->clock.wall_us();
    std::array<std::uint64_t, 4> in_tail{};
    for (std::size_t at = 0; at < view.rows; ++at) {
        ++in_tail[view.tail->columns(at / rows_per_chunk).bits[at % rows_per_chunk] & bits::severity_mask];
    }
    RetentionReport out = report_retention(impl_->options.retention, *view.blocks, view.age, in_tail, now_us);
    const Health now = health();
    out.free_bytes = now.free_bytes;
    out.used_bytes = now.store_bytes - std::min(now.store_bytes, now.free_bytes);
    out.limit_bytes = now.limit_bytes;
    for (std::size_t rank = 0; rank < out.severities.size(); ++rank) {
        out.severities[rank].expired_by_age = now.expired.by_age[rank];
        out.severities[rank].expired_for_space = now.expired.for_space[rank];
    }
    std::uint64_t fresh = view.rows;
    for (const BlockSummary& block : *view.blocks) {
        fresh += block.min_received_us > now_us - pace_us ? block.events : 0;
    }
    if (fresh != 0 && out.limit_bytes > out.used_bytes) {
        const double bytes_a_day =
            static_cast<double>(out.used_bytes) / static_cast<double>(view.events()) * static_cast<double>(fresh);
        const double days = static_cast<double>(out.limit_bytes - out.used_bytes) / bytes_a_day;
        const auto longest =
            static_cast<double>(std::ranges::max(impl_->options.retention.age_us)) / static_cast<double>(pace_us);
        if (days < longest) { // beyond, as much goes as comes
            out.full_by_us = now_us + static_cast<std::int64_t>(days * static_cast<double>(pace_us));
        }
    }
    return out;
}

const std::optional<Migration>& Store::migration() const {
    return impl_->migration;
}

const std::string& Store::store_id() const {
    return impl_->id;
}

} // namespace tocsin::storage
