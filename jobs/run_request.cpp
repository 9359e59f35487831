// SPDX-License-Identifier: Apache-2.0
#include "jobs/run_request.hpp"

#include "core/time.hpp"
#include "jobs/scripts.hpp"

namespace tocsin::jobs {

protocol::Run run_request(const Settings& settings, const Job& job, const Event& event) {
    const ScriptPlan plan = plan_of(settings, job.script);
    protocol::Run run;
    run.job_id = job.id;
    run.attempt = job.attempt + 1;
    run.script = job.script;
    run.owner_uid = script_owner(settings);
    run.socket = settings.socket;
    run.event_index = event.unique_index;
    run.event_name = event.event_name;
    run.event_src = event.event_src;
    run.event_scid = event.scid;
    run.event_time = format_time(event.event_time_us);
    run.event_severity = std::string(to_string(event.severity));
    run.timeout_us = plan.timeout_us;
    run.kill_after_us = plan.kill_after_us;
    run.output_bytes = limits::job_output_bytes;
    run.limits = {
        .memory_bytes = settings.memory_bytes, .file_bytes = settings.file_bytes, .open_files = settings.open_files};
    return run;
}

} // namespace tocsin::jobs
