// SPDX-License-Identifier: Apache-2.0
#include "core/job.hpp"

#include "core/event.hpp"
#include "core/json.hpp"
#include "core/limits.hpp"
#include "core/nearest.hpp"

#include <array>

namespace tocsin {
namespace {

struct StateName {
    JobState state;
    std::string_view name;
    std::string_view event;
};

constexpr std::array states{
    StateName{JobState::queued, "queued", ""},
    StateName{JobState::running, "running", "job.started"},
    StateName{JobState::waiting, "waiting", ""},
    StateName{JobState::succeeded, "succeeded", "job.succeeded"},
    StateName{JobState::failed, "failed", "job.failed"},
    StateName{JobState::timed_out, "timed-out", "job.timed-out"},
    StateName{JobState::cancelled, "cancelled", "job.cancelled"},
};

const StateName& name_of(JobState state) {
    for (const StateName& entry : states) {
        if (entry.state == state) {
            return entry;
        }
    }
    fatal("a JobState that is none");
}

// running → queued is a retry, or a job that ran when the daemon died.
bool allowed(JobState from, JobState to) {
    switch (from) {
    case JobState::queued:
        return to == JobState::running || to == JobState::failed || to == JobState::cancelled;
    case JobState::running:
        return to != JobState::running;
    case JobState::waiting:
        return to != JobState::waiting && to != JobState::running;
    case JobState::succeeded:
    case JobState::failed:
    case JobState::timed_out:
    case JobState::cancelled:
        return false;
    }
    fatal("a JobState that is none");
}

std::unexpected<Error> bad_report(std::string object, std::string reason) {
    return fail(Code::invalid_argument, "report", std::move(object), std::move(reason));
}

class ReportReader {
public:
    void set(std::string_view key, const Scalar& value) {
        if (error_ || std::holds_alternative<std::monostate>(value)) {
            return;
        }
        if (key == "spark_report_id") {
            set_id(value);
        } else if (key == "url") {
            set_url(value);
        } else if (key == "pending") {
            const auto* flag = std::get_if<bool>(&value);
            flag == nullptr ? refuse(key, "must be true or false") : static_cast<void>(line_.pending = *flag);
        } else {
            refuse(key.substr(0, limits::name_bytes), "is not known here" + suggestion(key, keys));
        }
    }

    Result<ReportLine> finish() {
        if (error_) {
            return std::unexpected(std::move(*error_));
        }
        if (line_.pending && line_.report_id) {
            return bad_report("pending", "cannot be true together with spark_report_id");
        }
        if (!line_.pending && !line_.report_id && line_.url.empty()) {
            return bad_report("spark_report_id", "is missing; say {\"spark_report_id\": N} or {\"pending\": true}");
        }
        return std::move(line_);
    }

private:
    static constexpr std::array<std::string_view, 3> keys{"spark_report_id", "url", "pending"};

    void set_id(const Scalar& value) {
        const auto* number = std::get_if<std::int64_t>(&value);
        const auto* large = std::get_if<std::uint64_t>(&value);
        const bool fits = large != nullptr && *large <= static_cast<std::uint64_t>(INT64_MAX);
        const std::int64_t id = number != nullptr ? *number : fits ? static_cast<std::int64_t>(*large) : 0;
        if (id <= 0) {
            refuse("spark_report_id", "must be an integer above 0");
        } else {
            line_.report_id = id;
        }
    }

    void set_url(const Scalar& value) {
        const auto* text = std::get_if<std::string_view>(&value);
        if (text == nullptr) {
            refuse("url", "must be a string, not " + std::string(kind_of(value)));
        } else if (const auto problem = text->empty() ? std::nullopt : name_problem(*text, limits::path_bytes)) {
            refuse("url", *problem);
        } else {
            line_.url = *text;
        }
    }

    void refuse(std::string_view key, std::string reason) {
        error_ = bad_report(std::string(key), std::move(reason)).error();
    }

    ReportLine line_{};
    std::optional<Error> error_{};
};

void send_time(const FieldSink& sink, std::string_view key, std::int64_t us) {
    if (us != 0) {
        sink(key, TimeUs{us});
    }
}

} // namespace

std::string_view to_string(JobState state) {
    return name_of(state).name;
}

std::optional<JobState> job_state_from(std::string_view text) {
    for (const StateName& entry : states) {
        if (entry.name == text) {
            return entry.state;
        }
    }
    return std::nullopt;
}

bool is_final(JobState state) {
    return state != JobState::queued && state != JobState::running && state != JobState::waiting;
}

Result<void> check_transition(JobState from, JobState to) {
    if (allowed(from, to)) {
        return {};
    }
    return fail(Code::conflict, "job", "state",
                "a job that is " + std::string(to_string(from)) + " cannot become " + std::string(to_string(to)));
}

std::string_view event_name(JobState state) {
    return name_of(state).event;
}

void describe(const Job& job, const FieldSink& sink) {
    sink("id", job.id);
    sink("unique_index", job.unique_index);
    sink("script", std::string_view(job.script));
    sink("state", to_string(job.state));
    sink("attempt", job.attempt);
    if (job.exit_status) {
        sink("exit_status", std::int64_t{*job.exit_status});
    }
    send_time(sink, "queued", job.queued_us);
    send_time(sink, "started", job.started_us);
    send_time(sink, "ended", job.ended_us);
    if (job.report_id) {
        sink("report_id", *job.report_id);
    }
    if (!job.report_url.empty()) {
        sink("report_url", std::string_view(job.report_url));
    }
    if (!job.reason.empty()) {
        sink("reason", std::string_view(job.reason));
    }
    sink("output_bytes", job.output_bytes);
    sink("truncated", job.truncated);
    if (!job.joined.empty()) {
        sink("joined", std::uint64_t{job.joined.size()});
    }
}

std::optional<std::string> script_name_problem(std::string_view name) {
    if (auto problem = name_problem(name)) {
        return problem;
    }
    if (name.find('/') != std::string_view::npos) {
        return "names an installed script, never a path: it must not contain \"/\"";
    }
    if (name == "." || name.find("..") != std::string_view::npos) {
        return "names an installed script, never a path: it must not be \".\" or contain \"..\"";
    }
    return std::nullopt;
}

Result<ReportLine> parse_report_line(std::string_view line) {
    if (line.size() > limits::report_line_bytes) {
        return bad_report("", "the line is longer than " + std::to_string(limits::report_line_bytes) + " bytes");
    }
    if (line.empty()) {
        return bad_report("", "the line is empty");
    }
    ReportReader reader;
    json::Parser parser;
    const auto read =
        parser.object(line, [&reader](std::string_view key, const Scalar& value) { reader.set(key, value); });
    if (!read) {
        return bad_report("", "is not a JSON object: " + read.error().reason);
    }
    return reader.finish();
}

} // namespace tocsin
