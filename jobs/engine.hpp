// SPDX-License-Identifier: Apache-2.0
// What JobService does: queue, runs, acts. Every change of a job goes through change(): committed first, then kept in
// memory, then told. While a change of a job is being committed, the next one waits for it (Entry::after), so no row
// overtakes another.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "core/script.hpp"
#include "jobs/committer.hpp"
#include "jobs/follower.hpp"
#include "jobs/helper_probe.hpp"
#include "jobs/helper_run.hpp"
#include "jobs/job_change.hpp"
#include "jobs/job_service.hpp"
#include "jobs/list_query.hpp"
#include "jobs/records.hpp"
#include "jobs/scripts.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::jobs {

inline constexpr std::string_view cursor_name = "jobs"; // how far the log was read

class Engine : public std::enable_shared_from_this<Engine> {
public:
    struct Ports {
        StateStore& store;
        EventReader& reader;
        CommitFeed& feed;
        const Clock& clock;
    };
    Engine(boost::asio::io_context& io, Ports ports, Settings settings);

    Result<void> start();
    void stop(std::move_only_function<void()> done);
    // As if the daemon died: sockets close, nobody is answered.
    void abandon();
    void reconfigure(Settings settings);
    void on_helper(std::function<void(const HelperState&)> handler);
    std::uint64_t lag() const;

    // What a job is asked to do, beyond its event.
    struct Order {
        std::string script{};
        std::vector<JoinedEvent> joined{};
    };
    void run(std::uint64_t unique_index, Order order, Done<Job> done);
    void preview(std::uint64_t unique_index, std::string script, Done<JobPreview> done) const;
    std::vector<ScriptReport> scripts(std::string_view only) const;
    void set_report(Report report, Done<void> done);
    bool runs_as(std::uint64_t unique_index, std::uint32_t uid) const;
    // By the secret of a run; the report's event is that of its job.
    void call_back(std::string token, Report report, Done<Job> done);
    void list(ListQuery query, std::size_t limit, Done<ListPage<Job>> done);
    void find(std::uint64_t id, Done<Job> done);
    void cancel(std::uint64_t id, Done<Job> done);
    void rerun(std::uint64_t id, Done<Job> done);
    void output(std::uint64_t id, Done<std::string> done);
    const Records& records() const { return records_; }
    std::vector<Job> recent(std::size_t limit) const;
    std::unique_ptr<Subscription> on_change(std::function<void(const Job&)> handler);
    using OutputHandler = std::function<void(const Job&, std::string_view output)>;
    void on_output(OutputHandler handler) { output_handler_ = std::move(handler); }
    void on_queue_full(std::function<void(bool full)> handler) { full_handler_ = std::move(handler); }
    bool queue_full() const { return full_; }
    void forget_handler(std::uint64_t number) { handlers_.erase(number); }

private:
    // A job that has one of the `parallel` places.
    struct Place {
        std::string script{};
        protocol::Run request{};
        std::string event_json{};
        std::shared_ptr<HelperRun> run{}; // while the helper lives
        bool cancelled = false;
        std::vector<Done<Job>> cancel_waiters{};
    };
    using Then = std::move_only_function<void(Result<void>)>;
    struct Change {
        Job job{};
        std::int64_t due_us = 0; // wall time, see StoredJob
        Persistence persistence = Persistence::until_kept;
    };

    // engine.cpp: the passing of time and of changes
    Result<void> load();
    Result<void> load_row(const Row& row, std::vector<Job>& cut_short);
    void resume_or_end(Job job);
    void pump();
    void arm();
    void expire(std::uint64_t id);
    void change(Job next, std::int64_t due_us, Persistence persistence, Then then);
    void commit_change(Change change, StateChange writes, Then then);
    void settled(const Change& change, Result<void> result, Then then);
    void tell(const Job& job);
    std::int64_t boot_of(std::int64_t wall_us) const;
    Job view(const Job& job) const;

    // engine_queue.cpp: new jobs
    // What a slice of the log becomes.
    struct Arrivals {
        std::map<std::string, Result<std::string>, std::less<>> scripts{}; // each looked for once a slice
        std::vector<Job> jobs{};
        std::map<std::string, std::size_t, std::less<>> open{}; // by the key to join: the newest of `jobs`
        std::map<std::uint64_t, Job> grown{};                   // queued before, with the events that joined
        std::uint64_t upto = 0;
    };
    void take_events(const std::vector<const Event*>& events, std::uint64_t upto, Follower::Taken taken);
    bool take_event(Arrivals& arrivals, const Event& event);
    bool join(Arrivals& arrivals, const std::string& key, const Event& event);
    void keep_arrivals(Arrivals arrivals, Follower::Taken taken);
    void remember_arrivals(Arrivals arrivals);
    void remember_grown(Job job);
    std::size_t unfinished() const { return records_.unfinished().size() + arriving_; }
    bool is_full() const { return unfinished() >= settings_.queue; }
    void hold_log(Follower::Taken taken);
    void release_log();
    void tell_full(bool full);
    Job new_job(const Event& event, std::string script);
    // The job that goes for this new one; 0: none.
    static std::uint64_t superseded(std::uint64_t id);
    void add_new(StateChange& change, const Job& job) const;
    void remember_new(std::vector<Job> jobs);
    void enqueue(const Event& event, Order order, Done<Job> done);
    void remember_asked(Job job, const Result<void>& kept, Done<Job> done);
    std::optional<Error> refusal() const;

    // engine_run.cpp: one run
    void begin(std::uint64_t id);
    void fetched(std::uint64_t id, Result<Event> event);
    Result<void> prepare(Place& place, const Job& job, const Event& event) const;
    void launch(std::uint64_t id, const Result<void>& kept);
    boost::asio::thread_pool* spawner();
    void finished(std::uint64_t id, RunResult result);
    void end_unstarted(std::uint64_t id, JobState state, std::string reason);
    void leave(std::uint64_t id);
    void check_stopped();

    // engine_helper.cpp: whether there is one, and whether it is limited
    void look_at_helper();
    void learn_helper(const std::string& socket, const std::optional<protocol::Hello>& hello,
                      const std::string& problem);
    void set_helper_state(HelperState state);

    // engine_acts.cpp: what callers ask for
    void rerun_found(const Job& job, Done<Job> done);
    // engine_reports.cpp: what comes from outside about a report
    void report_for(Report report, Done<void> done);
    void report_job(Job job, Report report, Done<void> done);
    void call_back_now(std::uint64_t id, Report report, Done<Job> done);
    Entry* entry_of(std::string_view token);
    void cancel_unfinished(const Entry& entry, Done<Job> done);
    void cancel_run(Place& place, const Job& job, Done<Job> done);
    // engine_look.cpp
    JobPreview preview_of(const Event& event, std::string script) const;
    void load_output(std::uint64_t id, Done<std::string> done);
    void list_stored(std::shared_ptr<ListRequest> request);
    void list_memory(ListRequest& request) const;
    void list_rows(const std::shared_ptr<ListRequest>& request, Result<std::vector<Row>> rows);

    boost::asio::io_context& io_;
    Ports ports_;
    Settings settings_;
    Records records_{};
    std::shared_ptr<Committer> committer_;
    std::shared_ptr<Follower> follower_{};
    std::shared_ptr<Products> products_;
    std::shared_ptr<HelperProbe> probe_{};
    HelperState helper_state_{};
    std::function<void(const HelperState&)> helper_handler_{};
    boost::asio::steady_timer timer_;
    std::optional<boost::asio::thread_pool> spawner_{};
    std::map<std::uint64_t, Place> places_{};
    Pace pace_;
    std::map<std::uint64_t, std::function<void(const Job&)>> handlers_{};
    std::uint64_t next_handler_ = 0;
    OutputHandler output_handler_{};
    std::function<void(bool)> full_handler_{};
    Follower::Taken held_{};   // the log waits here while there is no room
    bool full_ = false;        // as it was told
    std::size_t arriving_ = 0; // jobs whose first row is being committed
    bool stopping_ = false;
    std::vector<std::move_only_function<void()>> stop_waiters_{};
};

} // namespace tocsin::jobs
