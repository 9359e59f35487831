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

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::uint64_t free_bytes(const std::filesystem::path& directory) {
    struct statvfs disk{};
    if (::statvfs(directory.c_str(), &disk) != 0) {
        return 0;
    }
    return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
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
      sealing_(env_, log_, [this] { inbox_.nudge(); }) {}

void Writer::start() {
    if (bounds_.seal) {
        sealing_.start();
    }
    thread_ = std::thread(&Writer::run, this);
}

void Writer::stop() {
    inbox_.close();
    if (thread_.joinable()) {
        thread_.join();
    }
    sealing_.stop();
}

void Writer::describe(Health& health) const {
    health.queued_events = inbox_.queued_events();
    const std::scoped_lock lock(health_mutex_);
    health.commit_buckets = buckets_;
    health.commit_seconds = commit_seconds_;
    health.commits = commits_;
    health.full = full_;
    health.stopped_writing = stopped_;
    health.stopped_sealing = sealing_.stopped_reason();
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
            seal_some();
        } catch (const std::exception& e) {
            give_up(work->ops, e.what());
        }
    }
}

std::optional<std::chrono::milliseconds> Writer::patience(bool full) const {
    if (full) {
        return full_patience;
    }
    return can_seal() ? std::optional(std::chrono::milliseconds(0)) : std::nullopt;
}

bool Writer::can_seal() const {
    return sealing_.due() && stopped_reason().empty() && env_.used_bytes() <= bounds_.max_bytes;
}

// One slice, between two commits. What it cannot do now waits for the next commit that succeeds.
void Writer::seal_some() {
    if (!can_seal()) {
        return;
    }
    int rc = 0;
    try {
        rc = sealing_.step();
    } catch (const std::bad_alloc&) {
        rc = ENOMEM;
    }
    if (rc == 0) {
        publisher_.publish(log_.view());
        return;
    }
    sealing_.pause();
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
    std::uint64_t used = env_.used_bytes();
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

std::uint64_t Writer::client_limit() const {
    return bounds_.max_bytes - std::min(bounds_.max_bytes / reserve_part, reserve_bytes_max);
}

std::optional<Error> Writer::refusal(const Op& op, std::uint64_t used_bytes) const {
    const std::uint64_t limit = op.effect || op.events.empty() ? bounds_.max_bytes : client_limit();
    if (used_bytes + (op.events.empty() ? 0 : op.bytes) <= limit) {
        return std::nullopt;
    }
    return full_error("the store has reached max_bytes (" + format_size(bounds_.max_bytes) +
                      "); raise store.max_bytes, then send it again");
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
    sealing_.resume();
}

void Writer::look_for_space() {
    const std::uint64_t space = free_bytes(env_.directory());
    const std::uint64_t used = env_.used_bytes();
    const std::scoped_lock lock(health_mutex_);
    full_ = space < wanted_bytes_ + free_bytes_margin || used + wanted_bytes_ > client_limit();
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
