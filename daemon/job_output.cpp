// SPDX-License-Identifier: Apache-2.0
#include "daemon/job_output.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::daemon {

namespace {

JobOutput::Fields fields_of(const Job& job) {
    return {{"TOCSIN_JOB", std::to_string(job.id)},
            {"TOCSIN_SCRIPT", job.script},
            {"TOCSIN_EVENT_INDEX", std::to_string(job.unique_index)},
            {"TOCSIN_ATTEMPT", std::to_string(job.attempt)}};
}

std::size_t lines_in(std::string_view text) {
    const auto ends = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    return ends + (text.empty() || text.ends_with('\n') ? 0 : 1);
}

} // namespace

// How many lines may be written now.
std::size_t JobOutput::allowance() {
    const std::int64_t now_us = clock_.boot_us();
    if (span_began_us_ == 0 || now_us - span_began_us_ >= span_us) {
        span_began_us_ = now_us;
        span_lines_ = 0;
    }
    return std::min(run_lines_max, span_lines_max - std::min(span_lines_, span_lines_max));
}

void JobOutput::add(const Job& job, std::string_view output) {
    const std::size_t allowed = allowance();
    const Fields fields = fields_of(job);
    const std::string prefix = fmt::format("job {} ({} for event {}): ", job.id, job.script, job.unique_index);
    std::size_t written = 0;
    for (; written < allowed && !output.empty(); ++written) {
        const std::size_t end = std::min(output.find('\n'), output.size());
        write_(fmt::format("{}{}", prefix, output.substr(0, end)), fields);
        output.remove_prefix(std::min(end + 1, output.size()));
    }
    span_lines_ += written;
    if (!output.empty() && written > 0) {
        write_(fmt::format("{}{} more lines are not shown here; see: tocsinctl jobs output {}", prefix,
                           lines_in(output), job.id),
               fields);
    }
}

} // namespace tocsin::daemon
