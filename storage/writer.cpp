// SPDX-License-Identifier: Apache-2.0
#include "storage/writer.hpp"

#include "storage/keys.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

namespace tocsin::storage {

namespace {

constexpr std::uint64_t reserve_bytes_max = 64ULL << 20; // of max_bytes, for readers' effects when clients are refused
constexpr std::uint64_t reserve_part = 10;               // … or this part of it
constexpr std::uint64_t free_bytes_margin = 1ULL << 20;  // beyond what failed, before a full disk counts as free again
constexpr unsigned full_retry_after_s = 30;
constexpr std::chrono::milliseconds full_patience{1'000}; // how often a full disk is looked at
constexpr std::int64_t look_again_ms_max = 3'600'000;     // clocks are set
constexpr std::uint64_t upkeep_bytes = 256ULL << 10;      // about what a step writes, or frees
constexpr std::uint64_t measure_part = 256;               // of max_bytes: written before free pages are counted again
constexpr std::chrono::seconds measure_patience{10};      // … or so much later
constexpr std::chrono::milliseconds measure_patience_full{100}; // … when clients would be refused
constexpr std::uint64_t keep_free_least = 64ULL << 20;          // of a store: no disk is too full for it
constexpr unsigned making_room_retry_after_s = 1;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Disk {
    std::uint64_t free = 0;
    std::uint64_t all = 0;
};

Disk disk_of(const std::filesystem::path& directory) {
    struct statvfs disk{};
    if (::statvfs(directory.c_str(), &disk) != 0) {
        return {};
    }
    return {.free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize,
            .all = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize};
}

bool is_of_client(const Op& op) {
    return !op.effect && !op.events.empty();
}

Error full_error(std::string reason) {
    return Error{.code = Code::storage_full,
                 .context = "store",
                 .object = "disk",
                 .reason = std::move(reason),
                 .retry_after_s = full_retry_after_s};
}

Error stopped_error(const std::string& reason) {
    return Error{.code = Code::unavailable,
                 .context = "store",
                 .object = "disk",
                 .reason = "writing stopped: " + reason + "; check the disk, then restart the daemon"};
}

} // namespace

Writer::Writer(Parts parts, const Bounds& bounds)
    : env_(parts.env),
      log_(parts.log),
      publisher_(parts.publisher),
      post_(std::move(parts.post)),
      feed_(std::move(parts.feed)),
      bounds_(bounds),
      upkeep_({env_, log_, parts.clock, [this] { return space(); }, [this] { inbox_.nudge(); }}, bounds.retention),
      clock_(parts.clock) {}

void Writer::start() {
    measure_free();
    if (bounds_.seal) {
        upkeep_.start();
    }
    thread_ = std::thread(&Writer::run, this);
}

void Writer::stop() {
    inbox_.close();
    if (thread_.joinable()) {
        thread_.join();
    }
    upkeep_.stop();
}

void Writer::describe(Health& health) const {
    health.queued_events = inbox_.queued_events();
    health.tidying = tidying_;
    const std::scoped_lock lock(health_mutex_);
    health.commit_buckets = buckets_;
    health.commit_seconds = commit_seconds_;
    health.commits = commits_;
    health.full = full_;
    health.stopped_writing = stopped_;
    health.stopped_sealing = upkeep_.stopped_reason();
    health.expired = upkeep_.expired();
    health.free_bytes = shown_free_bytes_;
    health.limit_bytes = shown_limit_bytes_;
}

void Writer::run() {
    for (;;) {
        bool full = false;
        {
            const std::scoped_lock lock(health_mutex_);
            full = full_;
        }
        auto work = inbox_.take(patience(full));
        if (!work) {
            return;
        }
        for (auto& ping : work->pings) {
            post_(std::move(ping));
        }
        if (full && work->ops.empty()) {
            look_for_space();
        }
        try {
            serve(work->ops);
            inbox_.served();
            keep_up();
        } catch (const std::exception& e) {
            give_up(work->ops, e.what());
        }
    }
}

std::optional<std::chrono::milliseconds> Writer::patience(bool full) {
    const bool due = has_upkeep();
    tidying_ = due || upkeep_.busy();
    if (due) {
        return std::chrono::milliseconds(0);
    }
    if (full) {
        return full_patience;
    }
    if (!bounds_.seal) {
        return std::nullopt;
    }
    const std::int64_t left_us = upkeep_.look_again_us() - clock_.wall_us();
    return std::chrono::milliseconds(std::clamp<std::int64_t>(left_us / 1'000 + 1, 1, look_again_ms_max));
}

bool Writer::has_upkeep() {
    return stopped_reason().empty() && upkeep_.due();
}

// One step, between two commits. What it cannot do now waits for the next commit that succeeds.
void Writer::keep_up() {
    if (!has_upkeep()) {
        return;
    }
    int rc = 0;
    try {
        rc = upkeep_.step();
    } catch (const std::bad_alloc&) {
        rc = ENOMEM;
    }
    if (rc == 0) {
        written_bytes_ += upkeep_bytes;
        if (written_bytes_ > bounds_.max_bytes / measure_part) {
            measure_free();
        }
        publisher_.publish(log_.view());
        return;
    }
    upkeep_.pause();
    // A full disk is for a client's commit to find: whether it is full for them nobody knows yet.
    if (commit_failure(rc) != CommitFailure::full || !Txn::read(env_)) {
        note_failure(rc, 0);
    }
}

// What nobody foresaw: nothing more is written, and whoever was not answered yet is told.
void Writer::give_up(std::vector<Op>& ops, const char* what) {
    log_.rollback();
    stop_writing(std::string("internal error: ") + what);
    Answers answers;
    for (Op& op : ops) {
        answers.emplace_back(std::move(op.done), std::unexpected(stopped_error(stopped_reason())));
    }
    answer(std::move(answers));
}

void Writer::serve(std::vector<Op>& ops) {
    if (ops.empty()) {
        return;
    }
    const std::vector<Op*> admitted = admit(ops);
    if (admitted.empty()) {
        return;
    }
    if (const int rc = checkpoint_if_due(); rc != 0) { // one that could not be made before
        fail_all(admitted, rc);
        return;
    }
    commit(admitted);
    checkpoint_if_due();
}

// ---- admission ----

std::vector<Op*> Writer::admit(std::vector<Op>& ops) {
    std::vector<Op*> admitted;
    Answers refused;
    std::uint64_t used = space().used_bytes;
    const bool is_full = std::ranges::any_of(ops, [this, used](const Op& op) { return !fits(op, used); });
    if (written_bytes_ > bounds_.max_bytes / measure_part ||
        std::chrono::steady_clock::now() - measured_ > (is_full ? measure_patience_full : measure_patience)) {
        measure_free();
        used = space().used_bytes;
    }
    const std::string stopped = stopped_reason();
    for (Op& op : ops) {
        auto error = stopped.empty() ? refusal(op, used) : std::optional(stopped_error(stopped));
        if (error) {
            if (error->code == Code::storage_full) {
                note_failure(ENOSPC, op.bytes);
            }
            refused.emplace_back(std::move(op.done), std::unexpected(std::move(*error)));
        } else {
            used += op.events.empty() ? 0 : op.bytes;
            admitted.push_back(&op);
        }
    }
    if (!refused.empty()) {
        answer(std::move(refused));
    }
    return admitted;
}

// What clients may fill: the rest is a reserve for readers' effects and upkeep.
std::uint64_t Writer::limit_bytes() const {
    const std::uint64_t limit = std::min(bounds_.max_bytes, disk_limit_bytes_);
    return limit - std::min(limit / reserve_part, reserve_bytes_max);
}

Space Writer::space() const {
    const std::uint64_t used = env_.used_bytes() + written_bytes_;
    return {.used_bytes = used - std::min(used, free_bytes_), .limit_bytes = limit_bytes()};
}

// The store never gives space back to the file system, so where that becomes short it may not grow beyond what it has.
void Writer::measure_free() {
    if (const auto free = env_.free_bytes()) {
        free_bytes_ = *free;
        written_bytes_ = 0;
    }
    measured_ = std::chrono::steady_clock::now();
    const Disk disk = disk_of(env_.directory());
    const auto share = static_cast<std::uint64_t>(static_cast<double>(disk.all) * bounds_.retention.keep_free_share);
    const std::uint64_t keep = std::max(bounds_.retention.keep_free_bytes, share);
    const std::uint64_t may_grow = disk.free > keep ? disk.free - keep : 0;
    disk_limit_bytes_ = std::max(keep_free_least, env_.used_bytes() + may_grow);
    const std::scoped_lock lock(health_mutex_);
    shown_free_bytes_ = free_bytes_;
    shown_limit_bytes_ = std::min(bounds_.max_bytes, disk_limit_bytes_);
}

bool Writer::fits(const Op& op, std::uint64_t used_bytes) const {
    const std::uint64_t limit = is_of_client(op) ? limit_bytes() : bounds_.max_bytes;
    return used_bytes + (op.events.empty() ? 0 : op.bytes) <= limit;
}

std::optional<Error> Writer::refusal(const Op& op, std::uint64_t used_bytes) {
    if (fits(op, used_bytes)) {
        return std::nullopt;
    }
    if (is_of_client(op) && upkeep_.makes_room(op.bytes)) {
        return Error{.code = Code::unavailable,
                     .context = "store",
                     .object = "disk",
                     .reason = "older events are being removed to make room; send it again",
                     .retry_after_s = making_room_retry_after_s};
    }
    if (disk_limit_bytes_ < bounds_.max_bytes) {
        return full_error("the disk has no more room than store.keep_free; free space there, then send it again");
    }
    return full_error("the store has reached max_bytes (" + format_size(bounds_.max_bytes) +
                      ") and nothing may go; raise store.max_bytes, or shorten store.retention");
}

// ---- commits ----

void Writer::commit(std::span<Op* const> ops) {
    Group group(env_, log_, bounds_.window_us);
    Answers refused;
    for (Op* op : ops) {
        if (auto error = group.add(*op)) {
            refused.emplace_back(std::move(op->done), std::unexpected(std::move(*error)));
        }
    }
    if (!refused.empty()) {
        answer(std::move(refused));
    }
    group.close();
    if (group.ops().empty()) {
        return;
    }
    const auto start = std::chrono::steady_clock::now();
    int rc = 0;
    try {
        rc = group.writes() ? write(group) : 0;
    } catch (const std::bad_alloc&) {
        rc = ENOMEM;
    }
    if (rc == 0) {
        log_.committed();
        if (group.writes()) {
            for (const Op* op : group.ops()) {
                written_bytes_ += op->bytes;
            }
            note_success(std::ranges::any_of(group.ops(), [](const Op* op) { return !op->effect; }),
                         seconds_since(start));
        }
        succeed(group);
        return;
    }
    log_.rollback();
    const std::vector<Op*> tried = group.ops();
    if (commit_failure(rc) == CommitFailure::one_op && tried.size() > 1) {
        for (Op* op : tried) {
            commit(std::span(&op, 1));
        }
        return;
    }
    fail_all(tried, rc);
}

int Writer::write(Group& group) {
    std::optional<Txn> txn;
    int rc = Txn::write(env_, txn);
    rc = rc != 0 ? rc : log_.append(*txn, group.events());
    for (const Op* op : group.ops()) {
        for (const TableChange& row : op->rows) {
            const Tree tree = tree_of(row.table);
            rc = rc != 0 ? rc : row.value ? txn->put(tree, row.key, *row.value) : txn->erase(tree, row.key);
        }
        if (!op->cursor_name.empty()) {
            rc = rc != 0 ? rc : txn->put(Tree::cursors, op->cursor_name, fixed_key(op->cursor));
        }
    }
    return rc != 0 ? rc : txn->commit();
}

void Writer::succeed(Group& group) {
    publisher_.publish(log_.view());
    CommitNotice notice;
    auto events = std::make_shared<std::vector<Event>>();
    const auto& ops = group.ops();
    if (!group.events().empty()) {
        notice.first = group.events().front()->unique_index;
        notice.last = group.events().back()->unique_index;
        if (ops.size() == 1 && group.receipts()[0].duplicates == 0) {
            *events = std::move(ops[0]->events);
        } else {
            events->reserve(group.events().size());
            for (Op* op : ops) {
                std::ranges::copy_if(std::make_move_iterator(op->events.begin()),
                                     std::make_move_iterator(op->events.end()), std::back_inserter(*events),
                                     [](const Event& event) { return event.unique_index != 0; });
            }
        }
        notice.events = std::move(events);
    }
    Answers answers;
    answers.reserve(ops.size());
    for (std::size_t i = 0; i < ops.size(); ++i) {
        answers.emplace_back(std::move(ops[i]->done), std::move(group.receipts()[i]));
    }
    answer(std::move(answers), std::move(notice));
}

void Writer::fail_all(std::span<Op* const> ops, int rc) {
    if (ops.empty()) {
        return;
    }
    std::size_t bytes = 0;
    for (const Op* op : ops) {
        bytes += op->bytes;
    }
    note_failure(rc, bytes);
    const std::string stopped = stopped_reason();
    Error error = !stopped.empty() ? stopped_error(stopped) : lmdb_error(rc, "store", "commit");
    if (error.code == Code::storage_full) {
        error = full_error(lmdb_reason(rc) + "; free space there: intake resumes by itself");
    } else if (commit_failure(rc) == CommitFailure::one_op) {
        error = fail(Code::limit_exceeded, "store", "commit", lmdb_reason(rc) + "; send less at once").error();
    }
    Answers answers;
    for (Op* op : ops) {
        answers.emplace_back(std::move(op->done), std::unexpected(error));
    }
    answer(std::move(answers));
}

// One post for a commit: its callers first, then who follows.
void Writer::answer(Answers answers, CommitNotice notice) {
    post_([feed = feed_, all = std::move(answers), told = std::move(notice)]() mutable {
        for (auto& [done, result] : all) {
            if (done) {
                done(std::move(result));
            }
        }
        if (told.events) {
            feed->tell(told);
        }
    });
}

int Writer::checkpoint_if_due() {
    if (!log_.wants_checkpoint() || !stopped_reason().empty()) {
        return 0;
    }
    int rc = 0;
    try {
        rc = log_.checkpoint(env_);
    } catch (const std::bad_alloc&) {
        rc = ENOMEM;
    }
    if (rc != 0) {
        note_failure(rc, 0);
        return rc;
    }
    publisher_.publish(log_.view());
    return 0;
}

// ---- what the disk says ----

void Writer::note_failure(int rc, std::size_t bytes) {
    const CommitFailure failure = commit_failure(rc);
    // A meta page that could not be written leaves LMDB refusing everything, whatever the error was.
    if (failure == CommitFailure::fatal || !Txn::read(env_)) {
        stop_writing(lmdb_reason(rc));
    } else if (failure == CommitFailure::full) {
        const std::scoped_lock lock(health_mutex_);
        full_ = true;
        wanted_bytes_ = bytes;
    }
}

void Writer::note_success(bool of_client, double seconds) {
    const auto bucket = std::ranges::lower_bound(commit_bounds_s, seconds) - commit_bounds_s.begin();
    const std::scoped_lock lock(health_mutex_);
    ++buckets_[static_cast<std::size_t>(bucket)];
    commit_seconds_ += seconds;
    ++commits_;
    full_ = full_ && !of_client;
    upkeep_.resume();
}

void Writer::look_for_space() {
    measure_free();
    const std::uint64_t free = disk_of(env_.directory()).free;
    const std::uint64_t used = space().used_bytes;
    const std::scoped_lock lock(health_mutex_);
    full_ = free < wanted_bytes_ + free_bytes_margin || used + wanted_bytes_ > limit_bytes();
}

// After a failed flush nobody knows what the disk holds: what was acknowledged stays readable, nothing is written any
// more.
void Writer::stop_writing(std::string reason) {
    {
        const std::scoped_lock lock(health_mutex_);
        stopped_ = std::move(reason);
    }
    if (!Txn::read(env_)) {
        if (auto reopened = env_.reopen_read_only(); !reopened) {
            const std::scoped_lock lock(health_mutex_);
            stopped_ += "; reading failed as well: " + reopened.error().reason;
        }
    }
}

std::string Writer::stopped_reason() const {
    const std::scoped_lock lock(health_mutex_);
    return stopped_;
}

} // namespace tocsin::storage
