// SPDX-License-Identifier: Apache-2.0
// A SPARK job: one run of a script for one event. Pure states; who runs the child is jobs/'s matter.
#pragma once

#include "core/error.hpp"
#include "core/scalar.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

enum class JobState : std::uint8_t { queued, running, waiting, succeeded, failed, timed_out, cancelled };
std::string_view to_string(JobState state); // "timed-out"
std::optional<JobState> job_state_from(std::string_view text);
bool is_final(JobState state);
// conflict when `from` may not become `to`.
Result<void> check_transition(JobState from, JobState to);
// "job.started" for running, "job.succeeded", …; empty for queued and waiting
std::string_view event_name(JobState state);

// A further event whose report a job makes.
struct JoinedEvent {
    std::uint64_t unique_index = 0;
    std::uint32_t cause_depth = 0;
    friend bool operator==(const JoinedEvent&, const JoinedEvent&) = default;
};

struct Job {
    std::uint64_t id = 0;
    std::uint64_t unique_index = 0; // the event
    std::uint32_t cause_depth = 0;  // of that event
    std::string script{};
    JobState state = JobState::queued;
    std::uint32_t attempt = 0;                 // 1 for the first run
    std::uint32_t pid = 0;                     // of the helper while running; 0 else
    std::optional<std::int32_t> exit_status{}; // exit code, or 128 + signal
    std::int64_t queued_us = 0;
    std::int64_t started_us = 0;
    std::int64_t ended_us = 0;
    std::optional<std::int64_t> report_id{};
    std::string report_url{};
    std::string reason{};           // why it failed, for a person
    std::uint64_t output_bytes = 0; // all that it wrote, kept or not
    bool truncated = false;
    std::vector<JoinedEvent> joined{}; // in the order of the log
    std::string output{};              // kept bytes; not described
    std::string callback_secret{};     // of this run, while a report may come by it; never described, never told
    friend bool operator==(const Job&, const Job&) = default;
};

// id, unique_index, script, state, attempt, exit_status, queued, started, ended, report_id, report_url, reason,
// output_bytes, truncated, joined (how many)
void describe(const Job& job, const FieldSink& sink);

// The reason why it cannot be the name of a script ("/", "..", control characters), else nullopt.
std::optional<std::string> script_name_problem(std::string_view name);

// What a script says on descriptor 3.
struct ReportLine {
    std::optional<std::int64_t> report_id{};
    std::string url{};
    bool pending = false;
};
Result<ReportLine> parse_report_line(std::string_view line);

} // namespace tocsin
