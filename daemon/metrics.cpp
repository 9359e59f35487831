// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics.hpp"

#include <fmt/format.h>

namespace tocsin::daemon {

namespace {

std::string escape_label(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '\\' || c == '"') {
            out += '\\';
        }
        out += c;
    }
    return out;
}

class Exposition {
public:
    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    }
    template <typename T> void sample(const T& value) {
        fmt::format_to(std::back_inserter(text_), "{} {}\n", name_, value);
    }
    template <typename T> void sample(std::string_view label, std::string_view label_value, const T& value) {
        fmt::format_to(std::back_inserter(text_), "{}{{{}=\"{}\"}} {}\n", name_, label, escape_label(label_value),
                       value);
    }
    template <typename T> void part(std::string_view suffix, const T& value) {
        fmt::format_to(std::back_inserter(text_), "{}{} {}\n", name_, suffix, value);
    }
    std::string take() { return std::move(text_); }

private:
    std::string name_;
    std::string text_;
};

void add_events(Exposition& out, const MetricsInput& input) {
    out.family("tocsin_events_total", "counter", "Occurrences stored, by severity.");
    for (const Severity severity : {Severity::info, Severity::warning, Severity::error, Severity::critical}) {
        out.sample("severity", to_string(severity),
                   input.health.events_by_severity.at(static_cast<std::size_t>(severity)));
    }
    out.family("tocsin_submit_rejected_total", "counter", "Submissions that were refused, by error code.");
    for (std::size_t i = 0; i < all_codes().size(); ++i) {
        out.sample("code", all_codes()[i].name, input.rejected.at(i));
    }
}

void add_suppressed(Exposition& out, const SuppressedCounts& counts) {
    out.family("tocsin_suppressed_total", "counter",
               "Submissions and datagrams that were not taken in so that others have their share, by reason.");
    for (std::size_t i = 0; i < suppressions.size(); ++i) {
        out.sample("reason", suppressions.at(i), counts.at(i));
    }
}

void add_notify(Exposition& out, const ipc::notify::Counts& counts) {
    out.family("tocsin_notify_datagrams_total", "counter", "Datagrams on the notify socket, by what became of them.");
    out.sample("result", "taken", counts.taken);
    out.sample("result", "barrier", counts.barriers);
    out.sample("result", "ignored", counts.ignored);
    out.sample("result", "malformed", counts.malformed);
    out.sample("result", "unidentified", counts.unidentified);
    out.sample("result", "refused", counts.refused);
    out.sample("result", "dropped", counts.dropped);
}

void add_store(Exposition& out, const storage::Health& health) {
    out.family("tocsin_commit_seconds", "histogram", "Time of a commit of the log, flush included.");
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < storage::commit_bounds_s.size(); ++i) {
        below += health.commit_buckets.at(i);
        out.part(fmt::format("_bucket{{le=\"{}\"}}", storage::commit_bounds_s[i]), below);
    }
    below += health.commit_buckets.back();
    out.part("_bucket{le=\"+Inf\"}", below);
    out.part("_sum", health.commit_seconds);
    out.part("_count", below);
    out.family("tocsin_store_bytes", "gauge", "Size of the store.");
    out.sample(health.store_bytes);
    out.family("tocsin_store_free_bytes", "gauge", "Of the store: what holds nothing and is used again.");
    out.sample(health.free_bytes);
    out.family("tocsin_store_limit_bytes", "gauge", "Size beyond which older events go before their time.");
    out.sample(health.limit_bytes);
    out.family("tocsin_events_expired_total", "counter", "Events that went, by severity and reason.");
    for (std::size_t rank = 0; rank < health.expired.by_age.size(); ++rank) {
        const std::string_view severity = to_string(static_cast<Severity>(rank));
        out.part(fmt::format("{{severity=\"{}\",reason=\"age\"}}", severity), health.expired.by_age[rank]);
        out.part(fmt::format("{{severity=\"{}\",reason=\"space\"}}", severity), health.expired.for_space[rank]);
    }
    out.family("tocsin_writer_queue_events", "gauge", "Events that wait for the writer.");
    out.sample(health.queued_events);
}

void add_readers(Exposition& out, const MetricsInput& input) {
    out.family("tocsin_reader_lag_events", "gauge", "Events of the log that a reader has not considered yet.");
    for (const auto& [reader, lag] : input.reader_lag) {
        out.sample("reader", reader, lag);
    }
    out.family("tocsin_heartbeats", "gauge", "Watches, by state.");
    for (const WatchState state : {WatchState::fresh, WatchState::up, WatchState::late, WatchState::down,
                                   WatchState::started, WatchState::paused}) {
        const auto found = input.watches.find(state);
        out.sample("state", to_string(state), found == input.watches.end() ? 0 : found->second);
    }
    out.family("tocsin_jobs", "gauge", "Jobs, by state: unfinished ones now, finished ones since the start.");
    for (const JobState state : {JobState::queued, JobState::running, JobState::waiting, JobState::succeeded,
                                 JobState::failed, JobState::timed_out, JobState::cancelled}) {
        const auto found = input.jobs.find(state);
        out.sample("state", to_string(state), found == input.jobs.end() ? 0 : found->second);
    }
}

} // namespace

std::string render_metrics(const MetricsInput& input) {
    Exposition out;
    add_events(out, input);
    add_suppressed(out, input.suppressed);
    add_notify(out, input.notify);
    add_store(out, input.health);
    add_readers(out, input);
    if (!input.degraded.empty()) {
        out.family("tocsin_degraded", "gauge", "1 for each reason why the daemon is not whole.");
        for (const std::string& reason : input.degraded) {
            out.sample("reason", reason, 1);
        }
    }
    out.family("tocsin_build_info", "gauge", "1, with the version of the daemon.");
    out.sample("version", input.version, 1);
    return out.take();
}

} // namespace tocsin::daemon
