// SPDX-License-Identifier: Apache-2.0
#include "jobs/job_change.hpp"

#include "core/json.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::jobs {

namespace {

// `about`: its event, or one that it joined.
std::string payload_of(const Job& job, std::uint64_t about) {
    std::string payload;
    json::ObjectWriter out(payload);
    out.add("job", job.id);
    out.add("unique_index", about);
    out.add("script", std::string_view(job.script));
    out.add("attempt", job.attempt);
    if (job.exit_status) {
        out.add("exit_status", std::int64_t{*job.exit_status});
    }
    if (!job.reason.empty()) {
        out.add("reason", std::string_view(job.reason));
    }
    if (job.report_id) {
        out.add("report_id", *job.report_id);
    }
    if (!job.report_url.empty()) {
        out.add("report_url", std::string_view(job.report_url));
    }
    if (!job.joined.empty() && about == job.unique_index) {
        out.add("joined", std::uint64_t{job.joined.size()});
    }
    out.close();
    return payload;
}

std::string payload_of(const Report& report) {
    std::string payload;
    json::ObjectWriter out(payload);
    out.add("unique_index", report.unique_index);
    out.add("report_id", report.report_id);
    if (!report.url.empty()) {
        out.add("report_url", std::string_view(report.url));
    }
    out.close();
    return payload;
}

Severity severity_of(JobState state) {
    switch (state) {
    case JobState::failed:
    case JobState::timed_out:
        return Severity::error;
    case JobState::cancelled:
        return Severity::warning;
    default:
        return Severity::info;
    }
}

// The first thing that a job tells: it started, or it ended without.
bool tells_first(const Job& job) {
    return job.state == JobState::running ? job.attempt == 1 : job.attempt == 0;
}

struct Cause {
    std::uint64_t index = 0;
    std::uint32_t depth = 0;
};

// The event `name`, or where its chain ends here, the one that says so.
Event caused_event(std::string_view name, const Cause& cause, Severity severity, std::string payload,
                   std::int64_t now_us) {
    const bool cut = cause.depth + 1 >= limits::cause_depth_max;
    if (cut) {
        payload.pop_back();
        payload += ",\"event_name\":";
        json::append_string(payload, name);
        payload += '}';
    }
    Event event = cut ? daemon_event("chain.cut", now_us, now_us, std::move(payload), Severity::warning)
                      : daemon_event(name, now_us, now_us, std::move(payload), severity);
    event.cause = cause.index;
    event.cause_depth = std::min<std::uint32_t>(cause.depth + 1, limits::cause_depth_max);
    return event;
}

} // namespace

void append_row(StateChange& change, const StoredJob& stored) {
    const Job& job = stored.job;
    change.rows.push_back({Table::jobs, job_key(job.id), encode_job(stored)});
    if (!job.output.empty()) {
        change.rows.push_back({Table::jobs, output_key(job.id), job.output});
    } else if (job.state == JobState::running && job.attempt > 1) {
        change.rows.push_back({Table::jobs, output_key(job.id), std::nullopt}); // of the attempt before
    }
}

void append_change(StateChange& change, const StoredJob& stored, std::int64_t now_us) {
    const Job& job = stored.job;
    append_row(change, stored);
    if (job.state == JobState::succeeded) {
        append_report_rows(change, job);
    }
    const auto name = event_name(job.state);
    if (name.empty()) {
        return;
    }
    const bool cut = job.cause_depth + 1 >= limits::cause_depth_max;
    if (!cut || tells_first(job)) { // a chain is cut once
        change.events.push_back(caused_event(name, {job.unique_index, job.cause_depth}, severity_of(job.state),
                                             payload_of(job, job.unique_index), now_us));
    }
    if (!is_final(job.state)) {
        return;
    }
    for (const JoinedEvent& joined : job.joined) { // each is told once: how its report ended
        change.events.push_back(caused_event(name, {joined.unique_index, joined.cause_depth}, severity_of(job.state),
                                             payload_of(job, joined.unique_index), now_us));
    }
}

void append_report_rows(StateChange& change, const Job& job) {
    append_report_row(change, {job.unique_index, job.cause_depth, job.report_id.value_or(0), job.report_url});
    for (const JoinedEvent& joined : job.joined) {
        append_report_row(change, {joined.unique_index, joined.cause_depth, job.report_id.value_or(0), job.report_url});
    }
}

void append_report_row(StateChange& change, const Report& report) {
    change.rows.push_back(
        {Table::reports, report_key(report.unique_index), encode_report(report.report_id, report.url)});
}

void append_report(StateChange& change, const Report& report, std::int64_t now_us) {
    append_report_row(change, report);
    change.events.push_back(caused_event("job.succeeded", {report.unique_index, report.cause_depth}, Severity::info,
                                         payload_of(report), now_us));
}

void append_counter(StateChange& change, std::uint64_t next_id) {
    change.rows.push_back({Table::jobs, counter_key(), encode_counter(next_id)});
}

void append_removal(StateChange& change, std::uint64_t id) {
    change.rows.push_back({Table::jobs, job_key(id), std::nullopt});
    change.rows.push_back({Table::jobs, output_key(id), std::nullopt});
}

} // namespace tocsin::jobs
