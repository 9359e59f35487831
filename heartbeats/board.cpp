// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/board.hpp"

#include "heartbeats/listeners.hpp"
#include "heartbeats/watch_codec.hpp"
#include "heartbeats/watch_event.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tocsin::heartbeats {
namespace {

constexpr std::size_t due_per_wake = 1'000; // then other work of the loop comes first
constexpr std::size_t item_bytes = 512;     // of a watch in a list, beside its strings
constexpr std::size_t burst_beats = 5'000;  // of different sources, in batches, within the time of a loan

std::size_t size_in_list(const Watch& watch) {
    return item_bytes + watch.key.source.size() + watch.status->size() + watch.run().size() +
           (watch.schedule() == nullptr ? 0 : watch.schedule()->expression().size());
}

Error stopped_error(const WatchKey& key) {
    return Error{.code = Code::unavailable,
                 .context = "heartbeats",
                 .object = key.source,
                 .reason = "the store does not take heartbeats now; beat again later",
                 .retry_after_s = 1};
}

} // namespace

Board::Board(StateStore& store, const Clock& clock, Loop& loop, Settings settings, BoardOptions options)
    : store_(store),
      clock_(clock),
      loop_(loop),
      settings_(std::move(settings)),
      clock_watch_(clock),
      calendars_(std::move(options.parse)),
      watches_(options.watches_max, options.watches_per_uid_max),
      listeners_(std::make_shared<Listeners>()) {
    Ledger::Hooks hooks{.row = [this](const WatchKey& key) { return row_of(key); }, .settled = [this] { proceed(); }};
    ledger_ = std::make_shared<Ledger>(store_, clock_, std::move(hooks));
}

// A commit may still be under way; it finds no hook that leads here.
Board::~Board() {
    ledger_->stop();
}

Now Board::now() {
    const ClockWatch::Sight sight = clock_watch_.look();
    std::vector<Watch> shown;
    if (sight.slept_us != 0) {
        shown = watches_.after_sleep(sight.slept_us, sight.now);
    }
    if (sight.stepped_us != 0) {
        std::ranges::move(watches_.after_wall_step(sight.stepped_us, sight.now), std::back_inserter(shown));
    }
    for (const Watch& watch : shown) {
        listeners_->tell(watch);
    }
    return sight.now;
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
    end_loans(at);
    ledger_->flush();
    rearm();
}

// A burst of beats leaves rows, loans and events as holes between the watches, as much again as these take.
void Board::end_loans(Now at) {
    for (const WatchKey& key : loans_.ended(at.boot_us)) {
        ledger_->add(key, {});
    }
    if (loans_.size() == 0 && std::exchange(lent_most_, 0) >= burst_beats) {
        loop_.tidy();
    }
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

// May it beat, and what does its schedule mean.
Result<void> Board::admit(Beat& beat) {
    if (Result<void> allowed = owners_.check(beat); !allowed) {
        return allowed;
    }
    if (!beat.schedule.empty()) {
        auto calendar = calendars_.find(beat.schedule, beat.zone);
        if (!calendar) {
            return std::unexpected(std::move(calendar.error()));
        }
        beat.calendar = std::move(*calendar);
    }
    return {};
}

void Board::beat(Beat beat, Done<Watch> done) {
    if (!running_ || ledger_->full(beat.key)) {
        answer_later(std::move(done), stopped_error(beat.key));
        return;
    }
    if (Result<void> admitted = admit(beat); !admitted) {
        answer_later(std::move(done), std::move(admitted.error()));
        return;
    }
    const Now at = now();
    Result<Outcome> outcome =
        beat.kind == BeatKind::stop ? watches_.stop(beat.key, at) : watches_.beat(beat, settings_.defaults, at);
    if (!outcome) {
        answer_later(std::move(done), std::move(outcome.error()));
        return;
    }
    record(*outcome, at.wall_us);
    outcome->watch.show_at(at.wall_us);
    ledger_->wait(beat.key, std::move(outcome->watch), std::move(done));
    ledger_->flush();
    rearm();
}

// All or none: the error is the first one's, its fields are everybody's.
Result<void> Board::admit_all(std::vector<Beat>& beats) {
    std::optional<Error> refused;
    for (std::size_t i = 0; i < beats.size(); ++i) {
        Result<void> admitted = admit(beats[i]);
        if (admitted) {
            continue;
        }
        FieldError field{.index = i, .field = "event_src", .reason = admitted.error().detail()};
        if (!refused) {
            refused = std::move(admitted.error());
        }
        if (refused->fields.size() < limits::errors_listed) {
            refused->fields.push_back(std::move(field));
        }
    }
    return refused ? Result<void>(std::unexpected(std::move(*refused))) : Result<void>();
}

Result<std::vector<TableChange>> Board::beats(std::vector<Beat> beats) {
    if (Result<void> admitted = admit_all(beats); !admitted) {
        return std::unexpected(std::move(admitted.error()));
    }
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
    std::vector<TableChange> rows = lend_rows(std::move(keys), at);
    ledger_->flush();
    rearm();
    return rows;
}

std::vector<TableChange> Board::lend_rows(std::vector<WatchKey> keys, Now at) {
    std::ranges::sort(keys);
    const auto repeated = std::ranges::unique(keys);
    keys.erase(repeated.begin(), repeated.end());
    std::vector<TableChange> rows;
    rows.reserve(keys.size());
    for (const WatchKey& key : keys) {
        rows.push_back(TableChange{Table::watches, encode_key(key), row_of(key)});
        loans_.lend(key, at.boot_us);
    }
    lent_most_ = std::max(lent_most_, loans_.size());
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
    outcome->watch.show_at(at.wall_us);
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
    std::ranges::for_each(page.items, [now_us = clock_.wall_us()](Watch& watch) { watch.show_at(now_us); });
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

std::optional<Watch> Board::find(const WatchKey& key) const {
    const Watch* found = watches_.find(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    std::optional<Watch> watch(*found);
    watch->show_at(clock_.wall_us());
    return watch;
}

std::unique_ptr<Subscription> Board::on_change(std::function<void(const Watch&)> handler) {
    return listeners_->add(std::move(handler));
}

} // namespace tocsin::heartbeats
