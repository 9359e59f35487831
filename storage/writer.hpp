// SPDX-License-Identifier: Apache-2.0
// The one thread that writes: takes what waits, commits it in one flushed transaction, publishes it, then answers.
// Never waits for more work. Out of space: refuses and goes on trying; a disk whose state is unknown: never writes
// again.
#pragma once

#include "storage/feed.hpp"
#include "storage/group.hpp"
#include "storage/inbox.hpp"
#include "storage/log_state.hpp"
#include "storage/store.hpp"
#include "storage/upkeep.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

namespace tocsin::storage {

class Writer {
public:
    struct Parts {
        Env& env;
        LogState& log;
        Publisher& publisher;
        Post post;
        std::shared_ptr<Feed> feed;
        const Clock& clock;
    };
    struct Bounds {
        std::uint64_t max_bytes = 0;
        std::int64_t window_us = 0;
        bool seal = true;
        RetentionPolicy retention{};
    };
    Writer(Parts parts, const Bounds& bounds);
    ~Writer() { stop(); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void start();
    void stop();
    Inbox& inbox() { return inbox_; }
    // Fills in what the writer knows.
    void describe(Health& health) const;

private:
    using Answers = std::vector<std::pair<Done<Receipt>, Result<Receipt>>>;

    void run();
    std::optional<std::chrono::milliseconds> patience(bool full);
    bool has_upkeep();
    void keep_up();
    void serve(std::vector<Op>& ops);
    void give_up(std::vector<Op>& ops, const char* what);
    std::vector<Op*> admit(std::vector<Op>& ops);
    void measure_free();
    Space space() const;
    std::uint64_t limit_bytes() const;
    bool fits(const Op& op, std::uint64_t used_bytes) const;
    std::optional<Error> refusal(const Op& op, std::uint64_t used_bytes);
    void commit(std::span<Op* const> ops);
    int write(Group& group);
    void succeed(Group& group);
    void fail_all(std::span<Op* const> ops, int rc);
    void answer(Answers answers, CommitNotice notice = {});
    int checkpoint_if_due(); // LMDB's code; not 0: the tail must not grow further
    // What a failed transaction means, remembered.
    void note_failure(int rc, std::size_t bytes);
    void note_success(bool of_client, double seconds);
    void stop_writing(std::string reason);
    void look_for_space();
    std::string stopped_reason() const;

    Env& env_;
    LogState& log_;
    Publisher& publisher_;
    Post post_;
    std::shared_ptr<Feed> feed_;
    Bounds bounds_;
    Inbox inbox_{};
    Upkeep upkeep_;
    const Clock& clock_;
    std::thread thread_{};

    // Pages that hold nothing, as of the last look, and what was written since: a look reads the list of them.
    std::uint64_t free_bytes_ = 0;
    std::uint64_t written_bytes_ = 0;
    std::uint64_t disk_limit_bytes_ = 0; // what keep_free leaves, as of then
    std::chrono::steady_clock::time_point measured_{};
    std::atomic<bool> tidying_{false};

    mutable std::mutex health_mutex_;
    std::array<std::uint64_t, commit_bounds_s.size() + 1> buckets_{};
    double commit_seconds_ = 0;
    std::uint64_t commits_ = 0;
    std::uint64_t shown_free_bytes_ = 0;
    std::uint64_t shown_limit_bytes_ = 0;
    bool full_ = false;
    std::uint64_t wanted_bytes_ = 0; // by what failed for space
    std::string stopped_{};
};

} // namespace tocsin::storage
