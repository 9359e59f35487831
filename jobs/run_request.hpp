// SPDX-License-Identifier: Apache-2.0
// What the helper is asked for a run of a job, as far as the job, its event and the settings say it: the path
// and the address of a callback are the caller's.
#pragma once

#include "core/event.hpp"
#include "core/job.hpp"
#include "jobs/job_service.hpp"
#include "jobs/protocol.hpp"

namespace tocsin::jobs {

// For the attempt after the job's last one.
protocol::Run run_request(const Settings& settings, const Job& job, const Event& event);

} // namespace tocsin::jobs
