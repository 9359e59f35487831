// SPDX-License-Identifier: Apache-2.0
#include "jobs/outcome.hpp"

#include "core/event.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <cstring>

namespace tocsin::jobs {

namespace {

constexpr std::int64_t retry_delay_us_min = 1'000'000;
constexpr std::int64_t retry_delay_us_max = 300'000'000;
constexpr std::int32_t signal_status_base = 128; // as a shell tells it
constexpr std::string_view blanks = " \t\r\n";

std::string signal_name(int number) {
    const char* const name = ::sigabbrev_np(number);
    return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(number);
}

void become(Job& job, JobState state, std::string reason) {
    job.state = state;
    job.reason = std::move(reason);
}

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(blanks);
    const auto end = text.find_last_not_of(blanks);
    return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, end - begin + 1);
}

void succeed(Job& job) {
    job.state = JobState::succeeded;
    if (!job.report_id) {
        job.report_id = static_cast<std::int64_t>(job.id);
    }
}

// Exit status 0: what it said on descriptor 3 decides. A report that came by SetReport meanwhile is kept.
void conclude_exit(Job& job, const RunResult& result) {
    const std::string_view line = trimmed(result.report ? std::string_view(*result.report) : std::string_view{});
    if (line.empty()) {
        return succeed(job);
    }
    if (line.find('\n') != std::string_view::npos && line.size() <= limits::report_line_bytes) {
        return become(job, JobState::failed, "descriptor 3: more than one line");
    }
    auto report = parse_report_line(line);
    if (!report) {
        return become(job, JobState::failed, "descriptor 3: " + report.error().detail());
    }
    if (report->pending && !job.report_id) {
        return become(job, JobState::waiting, "");
    }
    if (!report->pending) {
        job.report_id = report->report_id ? report->report_id : job.report_id;
        job.report_url = report->url.empty() ? job.report_url : report->url;
    }
    succeed(job);
}

void conclude_ended(Job& job, const RunResult& result, const Policy& policy) {
    const protocol::Ended& ended = *result.ended;
    if (ended.outcome == protocol::Outcome::not_started) {
        become(job, JobState::failed, ended.reason);
    } else if (ended.cause == protocol::Cause::timeout) {
        become(job, JobState::timed_out, "ran longer than " + format_duration(policy.timeout_us));
    } else if (ended.cause == protocol::Cause::stopped) {
        become(job, JobState::failed, "its supervisor was told to stop");
    } else if (ended.outcome == protocol::Outcome::signalled) {
        become(job, JobState::failed, "ended by " + signal_name(ended.code));
    } else if (ended.code != 0) {
        become(job, JobState::failed, "exit status " + std::to_string(ended.code));
    } else {
        conclude_exit(job, result);
    }
}

void note_facts(Job& job, const RunResult& result) {
    job.pid = 0;
    job.output = result.output;
    job.output_bytes = result.output.size();
    if (!result.ended) {
        return;
    }
    const protocol::Ended& ended = *result.ended;
    job.output_bytes = ended.output_bytes;
    job.truncated = ended.truncated;
    if (ended.outcome != protocol::Outcome::not_started) {
        const bool signalled = ended.outcome == protocol::Outcome::signalled;
        job.exit_status = ended.code + (signalled ? signal_status_base : 0);
    }
}

// Bounded, and UTF-8 whatever the script or the system said.
std::string readable(std::string text) {
    text.resize(std::min(text.size(), protocol::reason_bytes));
    if (!valid_utf8(text)) {
        std::ranges::replace_if(text, [](char byte) { return static_cast<unsigned char>(byte) >= 0x80; }, '?');
    }
    return text;
}

// What was not kept does not change what became of the job, but is said.
void note_products(Job& job, const RunResult& result) {
    if (result.products_dropped > 0 && job.state != JobState::cancelled) {
        job.reason += (job.reason.empty() ? "" : "; ") + std::to_string(result.products_dropped) +
                      " of what it left was not kept: " + result.dropped_reason;
    }
}

bool may_retry(const Job& job, const Policy& policy) {
    const bool unsuccessful = job.state == JobState::failed || job.state == JobState::timed_out;
    return unsuccessful && job.attempt <= policy.retries;
}

} // namespace

Job conclude(Job job, const RunResult& result, const Policy& policy, std::int64_t now_us) {
    note_facts(job, result);
    job.ended_us = now_us;
    if (policy.cancelled) {
        become(job, JobState::cancelled, "cancelled while it ran");
    } else if (result.ended) {
        conclude_ended(job, result, policy);
    } else {
        become(job, JobState::failed,
               "its supervisor, tocsin-spark, " +
                   (result.problem.empty() ? std::string("ended without a word") : "failed: " + result.problem));
    }
    note_products(job, result);
    job.reason = readable(std::move(job.reason));
    if (may_retry(job, policy)) {
        job.state = JobState::queued;
        job.reason = "attempt " + std::to_string(job.attempt) + ": " + job.reason;
    }
    if (!is_final(job.state)) {
        job.ended_us = 0;
    }
    return job;
}

std::int64_t retry_delay_us(std::uint32_t attempt) {
    constexpr std::uint32_t doublings_max = 16; // far above the longest delay
    const std::uint32_t doublings = std::min(attempt > 0 ? attempt - 1 : 0, doublings_max);
    return std::min(retry_delay_us_min << doublings, retry_delay_us_max);
}

} // namespace tocsin::jobs
