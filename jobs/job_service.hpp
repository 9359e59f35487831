// SPDX-License-Identifier: Apache-2.0
// SPARK jobs: follows the log for events that name a script, keeps the durable queue, runs each job through the helper
// tocsin-spark, and puts the report on the event. Each step is a row and an event in one commit.
#pragma once

#include "core/clock.hpp"
#include "core/limits.hpp"
#include "core/ports.hpp"
#include "jobs/pace.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace tocsin::jobs {

// One [[script]] of the configuration; what is not set comes from Settings.
struct ScriptConfig {
    std::optional<std::int64_t> timeout_us{};
    std::optional<std::int64_t> kill_after_us{};
    std::optional<unsigned> retries{};
    unsigned parallel = 0; // runs at the same time; 0: as many as there are places
    bool submit = true;    // false: only root, admins and rules may start it
    bool rerun = true;     // false: not again after the daemon died during a run
    bool callback = false; // it learns an address by which its report may come later
    bool coalesce = false; // later events of the same name, source and scid join a queued job
};

struct Settings {
    std::filesystem::path helper;                   // tocsin-spark
    std::filesystem::path helper_socket{};          // where the service manager starts one; empty: nowhere
    bool helper_socket_required = false;            // never start it ourselves, even where there is no such socket
    std::vector<std::filesystem::path> directories; // of scripts, first hit wins
    std::filesystem::path products;                 // a directory per job is made here
    std::string socket;                             // TOCSIN_SOCKET of the children
    unsigned parallel = 2;
    Pace::Limits pace{}; // of the beginnings of runs
    std::int64_t timeout_us = 600'000'000;
    std::int64_t kill_after_us = 5'000'000;
    std::int64_t callback_timeout_us = 600'000'000;
    unsigned retries = 0;
    std::uint64_t memory_bytes = 0; // of each process of a script; 0: no limit
    std::uint64_t file_bytes = 0;   // of each file it writes
    std::uint32_t open_files = 0;
    std::uint64_t products_bytes_max = 1024 * limits::MiB; // of all jobs
    std::size_t queue = limits::jobs_queued_max;           // jobs that have not ended; beyond it events wait in the log
    std::string callback_base{};                           // in front of /v1/callbacks/…; without a trailing slash
    bool owner_is_root = true;                             // scripts must be root's; else the daemon's own user's
    std::map<std::string, ScriptConfig, std::less<>> scripts{};
};

// Why jobs cannot run as they should; both empty where they can.
struct HelperState {
    std::string unusable{};  // there is no helper
    std::string unlimited{}; // it runs, but nothing limits its memory or processes
    friend bool operator==(const HelperState&, const HelperState&) = default;
};

class JobService final : public Jobs {
public:
    JobService(boost::asio::io_context& io, StateStore& store, EventReader& reader, CommitFeed& feed,
               const Clock& clock, Settings settings);
    ~JobService() override;

    // Loads unfinished jobs (those that ran are run again unless their script says no) and follows the log.
    Result<void> start();
    // Takes no new job and ends the children (TERM, then KILL); `done` when none is left. Their jobs stay "running" in
    // the table, as after a crash.
    void stop(std::move_only_function<void()> done);
    void reconfigure(Settings settings);
    // Called at once and at every change. The helper is looked at at the start and in each run.
    void on_helper(std::function<void(const HelperState&)> handler);
    // What a run wrote, as far as it is kept, when it has ended; for the daemon's log.
    void on_output(std::function<void(const Job&, std::string_view output)> handler);
    // No room for more jobs: events that ask for scripts wait in the log; and when half of the queue is free again.
    void on_queue_full(std::function<void(bool full)> handler);
    bool queue_full() const;
    // How many events of the log its reader has not considered yet.
    std::uint64_t lag() const;

    void run(std::uint64_t unique_index, std::string script, Done<Job> done) override;
    void set_report(std::uint64_t unique_index, std::int64_t report_id, std::string url, Done<void> done) override;
    bool runs_as(std::uint64_t unique_index, std::uint32_t uid) const override;
    void call_back(std::string secret, std::int64_t report_id, std::string url, Done<Job> done) override;
    void preview(std::uint64_t unique_index, std::string script, Done<JobPreview> done) override;
    std::vector<ScriptReport> scripts(std::string_view only) const override;
    void list(ListFilter filter, std::size_t limit, std::string cursor, Done<ListPage<Job>> done) override;
    void find(std::uint64_t id, Done<Job> done) override;
    void cancel(std::uint64_t id, Done<Job> done) override;
    void rerun(std::uint64_t id, Done<Job> done) override;
    void output(std::uint64_t id, Done<std::string> done) override;
    std::map<JobState, std::uint64_t> counts() const override;
    std::vector<Job> recent(std::size_t limit) const override;
    std::unique_ptr<Subscription> on_change(std::function<void(const Job&)> handler) override;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

} // namespace tocsin::jobs
