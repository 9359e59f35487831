// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/board.hpp"

#include "core/json.hpp"
#include "heartbeats/listeners.hpp"
#include "heartbeats/watch_codec.hpp"
#include "heartbeats/watch_event.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::heartbeats {
namespace {

constexpr std::size_t due_per_wake = 1'000;   // then other work of the loop comes first
constexpr std::size_t damaged_told_max = 100; // rows named in the event
constexpr std::size_t item_bytes = 512;       // of a watch in a list, beside its strings

std::size_t size_in_list(const Watch& watch) {
    return item_bytes + watch.key.source.size() + watch.status.size() + watch.run.size();
}

Error stopped_error(const WatchKey& key) {
    return Error{.code = Code::unavailable,
                 .context = "heartbeats",
                 .object = key.source,
                 .reason = "the store does not take heartbeats now; beat again later",
                 .retry_after_s = 1};
}

} // namespace

Board::Board(StateStore& store, const Clock& clock, Loop& loop, Settings settings, std::size_t watches_max)
    : store_(store),
      clock_(clock),
      loop_(loop),
      settings_(std::move(settings)),
      watches_(watches_max),
      listeners_(std::make_shared<Listeners>()) {
    Ledger::Hooks hooks{.row = [this](const WatchKey& key) { return row_of(key); }, .settled = [this] { proceed(); }};
    ledger_ = std::make_shared<Ledger>(store_, clock_, std::move(hooks));
}

// A commit may still be under way; it finds no hook that leads here.
Board::~Board() {
    ledger_->stop();
}

Result<void> Board::start() {
    if (Result<void> loaded = load(); !loaded) {
        return loaded;
    }
    running_ = true;
    apply_configuration();
    proceed();
    return {};
}

Result<void> Board::load() {
    std::vector<std::string> damaged;
    const Now held_from = now();
    Result<void> read = store_.for_each(Table::watches, [this, &damaged, held_from](const Row& row) {
        Result<Watch> watch = decode_watch(row.key, row.value);
        if (watch) {
            watches_.restore(std::move(*watch), held_from);
        } else if (damaged.size() < damaged_told_max) {
            damaged.push_back(row.key);
        }
    });
    if (read && !damaged.empty()) {
        report_damage(std::move(damaged));
    }
    return read;
}

// One bad row must not keep the daemon from watching the others; it is told and removed.
void Board::report_damage(std::vector<std::string> keys) {
    StateChange change;
    for (std::string& key : keys) {
        std::string payload;
        json::ObjectWriter writer(payload);
        const Result<WatchKey> name = decode_key(key);
        writer.add("table", std::string_view("watches"));
        writer.add("source", name ? Scalar(std::string_view(name->source)) : Scalar(std::string_view("unknown")));
        writer.close();
        change.events.push_back(daemon_event("log.corrupt", now().wall_us, now().wall_us, payload, Severity::error));
        change.rows.push_back(TableChange{Table::watches, std::move(key), std::nullopt});
    }
    // Where this fails the rows are still there at the next start, and told then.
    store_.commit(std::move(change), [](const Result<std::vector<std::uint64_t>>& /*indexes*/) {});
}

void Board::stop() {
    running_ = false;
    ledger_->stop();
}

void Board::reconfigure(Settings settings) {
    settings_ = std::move(settings);
    if (running_) {
        apply_configuration();
        proceed();
    }
}

void Board::apply_configuration() {
    const Now at = now();
    std::vector<WatchKey> named;
    named.reserve(settings_.watches.size());
    for (const WatchConfig& entry : settings_.watches) {
        const std::int64_t interval_us = entry.interval_us > 0 ? entry.interval_us : settings_.defaults.interval_us;
        const std::int64_t grace_us = entry.grace_us >= 0 ? entry.grace_us : settings_.defaults.grace_us;
        named.push_back(entry.key);
        if (const auto outcome = watches_.configure(entry.key, interval_us, grace_us, at)) {
            record(*outcome, at.wall_us);
        }
    }
    std::ranges::sort(named);
    for (const WatchKey& key : watches_.configured()) {
        if (!std::ranges::binary_search(named, key)) {
            if (const auto outcome = watches_.release(key)) {
                record(*outcome, at.wall_us);
            }
        }
    }
}

// Whatever changed goes to the ledger with its events, then to whoever listens.
void Board::record(const Outcome& outcome, std::int64_t now_us) {
    std::vector<Event> events;
    events.reserve(outcome.happened.size());
    for (const Happening& happening : outcome.happened) {
        events.push_back(make_event(happening, now_us));
    }
    ledger_->add(outcome.watch.key, std::move(events));
    loans_.touch(outcome.watch.key);
    if (outcome.visible) {
        listeners_->tell(outcome.watch);
    }
}

void Board::wake() {
    armed_boot_us_.reset();
    proceed();
}

void Board::proceed() {
    if (!running_) {
        return;
    }
    const Now at = now();
    for (std::size_t i = 0; i < due_per_wake && !ledger_->crowded(); ++i) {
        const std::optional<Outcome> outcome = watches_.advance(at);
        if (!outcome) {
            break;
        }
        if (!outcome->happened.empty()) {
            record(*outcome, at.wall_us);
        } else if (outcome->visible) {
            listeners_->tell(outcome->watch); // late: shown, but not worth a commit
        }
    }
    for (const WatchKey& key : loans_.ended(at.boot_us)) {
        ledger_->add(key, {});
    }
    ledger_->flush();
    rearm();
}

// Earlier than asked: ask again. Later: let it come, find nothing due, and ask then; so a beat costs no system call.
void Board::rearm() {
    std::optional<std::int64_t> wanted = ledger_->crowded() ? std::nullopt : watches_.next_due_boot_us();
    for (const auto& other : {ledger_->retry_boot_us(), loans_.next_boot_us()}) {
        wanted = other ? std::min(wanted.value_or(*other), *other) : wanted;
    }
    if (wanted && (!armed_boot_us_ || *wanted < *armed_boot_us_)) {
        armed_boot_us_ = wanted;
        loop_.wake_at(*wanted);
    }
}

std::optional<std::string> Board::row_of(const WatchKey& key) const {
    const Watch* watch = watches_.find(key);
    return watch == nullptr ? std::nullopt : std::optional(encode_watch(*watch));
}

void Board::answer_later(Done<Watch> done, Error error) {
    loop_.defer([answer = std::move(done), reason = std::move(error)]() mutable {
        answer(std::unexpected(std::move(reason)));
    });
}

void Board::beat(const Beat& beat, Done<Watch> done) {
    if (!running_ || ledger_->full(beat.key)) {
        answer_later(std::move(done), stopped_error(beat.key));
        return;
    }
    const Now at = now();
    Result<Outcome> outcome = watches_.beat(beat, settings_.defaults, at);
    if (!outcome) {
        answer_later(std::move(done), std::move(outcome.error()));
        return;
    }
    record(*outcome, at.wall_us);
    ledger_->wait(beat.key, std::move(outcome->watch), std::move(done));
    ledger_->flush();
    rearm();
}

std::vector<TableChange> Board::beats(const std::vector<Beat>& beats) {
    std::vector<WatchKey> keys;
    const Now at = now();
    for (const Beat& beat : beats) {
        if (!running_ || ledger_->full(beat.key)) {
            continue;
        }
        const Result<Outcome> outcome = watches_.beat(beat, settings_.defaults, at);
        if (!outcome) {
            continue; // one source more than can be watched: a batch is not refused for it
        }
        keys.push_back(beat.key);
        if (!outcome->happened.empty()) {
            record(*outcome, at.wall_us);
        } else if (outcome->visible) {
            listeners_->tell(outcome->watch);
        }
    }
    std::ranges::sort(keys);
    const auto repeated = std::ranges::unique(keys);
    keys.erase(repeated.begin(), repeated.end());
    std::vector<TableChange> rows;
    rows.reserve(keys.size());
    for (const WatchKey& key : keys) {
        rows.push_back(TableChange{Table::watches, encode_key(key), row_of(key)});
        loans_.lend(key, at.boot_us);
    }
    ledger_->flush();
    rearm();
    return rows;
}

void Board::act(const WatchKey& key, WatchAct act, Done<Watch> done) {
    if (!running_ || ledger_->full(key)) {
        answer_later(std::move(done), stopped_error(key));
        return;
    }
    const Now at = now();
    Result<Outcome> outcome = watches_.act(key, act, at);
    if (!outcome) {
        answer_later(std::move(done), std::move(outcome.error()));
        return;
    }
    record(*outcome, at.wall_us);
    ledger_->wait(key, std::move(outcome->watch), std::move(done));
    ledger_->flush();
    rearm();
}

Result<ListPage<Watch>> Board::list(const ListFilter& filter, std::size_t limit, const std::string& cursor) const {
    const Result<ListQuery> query = parse_query(filter);
    if (!query) {
        return std::unexpected(query.error());
    }
    std::optional<WatchKey> after;
    if (!cursor.empty()) {
        Result<WatchKey> last = decode_cursor(*query, cursor);
        if (!last) {
            return std::unexpected(std::move(last.error()));
        }
        after = std::move(*last);
    }
    const std::size_t items_max = limit == 0 ? limits::page_default : std::min(limit, limits::page_max);
    ListPage<Watch> page{watches_.list(*query, after, items_max), {}};
    std::size_t kept = 0;
    std::size_t bytes = 0;
    while (kept < page.items.size() && kept < items_max &&
           bytes + size_in_list(page.items[kept]) <= limits::page_bytes) {
        bytes += size_in_list(page.items[kept++]);
    }
    if (kept < page.items.size()) {
        page.items.resize(kept);
        page.next = encode_cursor(*query, page.items.back().key);
    }
    return page;
}

std::unique_ptr<Subscription> Board::on_change(std::function<void(const Watch&)> handler) {
    return listeners_->add(std::move(handler));
}

} // namespace tocsin::heartbeats
