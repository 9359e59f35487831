// SPDX-License-Identifier: Apache-2.0
// What scripts wrote, line by line, in the daemon's log: with the job's fields where the log is the journal. Bounded by
// lines of one run and by lines of all runs in a while; what is beyond is counted in one line, and stands in the job. A
// run that finds no room at all says nothing here.
#pragma once

#include "core/clock.hpp"
#include "core/job.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::daemon {

class JobOutput {
public:
    using Fields = std::vector<std::pair<std::string_view, std::string>>; // TOCSIN_JOB, …
    using Write = std::function<void(std::string_view line, const Fields& fields)>;

    static constexpr std::size_t run_lines_max = 100;
    static constexpr std::size_t span_lines_max = 1'000; // of all runs in span_us
    static constexpr std::int64_t span_us = 10'000'000;

    JobOutput(const Clock& clock, Write write) : clock_(clock), write_(std::move(write)) {}
    void add(const Job& job, std::string_view output);

private:
    std::size_t allowance();

    const Clock& clock_;
    Write write_;
    std::int64_t span_began_us_ = 0;
    std::size_t span_lines_ = 0;
};

} // namespace tocsin::daemon
