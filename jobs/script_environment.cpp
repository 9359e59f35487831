// SPDX-License-Identifier: Apache-2.0
#include "jobs/script_environment.hpp"

namespace tocsin::jobs {

std::vector<std::string> script_environment(const protocol::Run& run, std::string_view home) {
    std::vector<std::string> variables{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                       "LANG=C.UTF-8",
                                       "HOME=" + std::string(home),
                                       "TOCSIN_SOCKET=" + run.socket,
                                       "TOCSIN_JOB_ID=" + std::to_string(run.job_id),
                                       "TOCSIN_ATTEMPT=" + std::to_string(run.attempt),
                                       "TOCSIN_SCRIPT=" + run.script,
                                       "TOCSIN_EVENT_INDEX=" + std::to_string(run.event_index),
                                       "TOCSIN_EVENT_NAME=" + run.event_name,
                                       "TOCSIN_EVENT_SRC=" + run.event_src,
                                       "TOCSIN_EVENT_SCID=" + std::to_string(run.event_scid),
                                       "TOCSIN_EVENT_TIME=" + run.event_time,
                                       "TOCSIN_EVENT_SEVERITY=" + run.event_severity};
    if (!run.callback.empty()) {
        variables.push_back("TOCSIN_CALLBACK=" + run.callback);
    }
    return variables;
}

} // namespace tocsin::jobs
