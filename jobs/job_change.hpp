// SPDX-License-Identifier: Apache-2.0
// What a change of a job writes: its row, the event that tells it, the report on the event, all in one commit. Pure.
#pragma once

#include "core/job.hpp"
#include "core/ports.hpp"
#include "jobs/job_codec.hpp"

#include <cstdint>

namespace tocsin::jobs {

// Appends rows and events of a job that has just become what it is. A job that succeeded has a report id.
void append_change(StateChange& change, const StoredJob& stored, std::int64_t now_us);

// The row alone: what is told later.
void append_row(StateChange& change, const StoredJob& stored);

// The report of a job, on its event and on those that it joined.
void append_report_rows(StateChange& change, const Job& job);

// A report that came for an event without a job: the row that readers join, and an event.
struct Report {
    std::uint64_t unique_index = 0;
    std::uint32_t cause_depth = 0; // of the event
    std::int64_t report_id = 0;
    std::string url{};
};
void append_report(StateChange& change, const Report& report, std::int64_t now_us);
void append_report_row(StateChange& change, const Report& report);

// The row of the counter, which goes with every new job.
void append_counter(StateChange& change, std::uint64_t next_id);

// Removes a job and its output; the report on its event stays.
void append_removal(StateChange& change, std::uint64_t id);

} // namespace tocsin::jobs
