// SPDX-License-Identifier: Apache-2.0
// The handlers of the route table, one file per resource. Each answers its Responder exactly once, now or later.
#pragma once

#include "ipc/http/router.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::ipc::http {

// events.cpp
void submit_events(Context& context, Request request, Responder responder); // a whole JSON body
void query_events(Context& context, Request request, Responder responder);
void get_event(Context& context, Request request, Responder responder);

// ndjson.cpp
std::shared_ptr<BodySink> submit_ndjson(Context& context, const Request& request, Responder responder);

// stream.cpp
void follow_events(Context& context, Request request, Responder responder);

// heartbeats.cpp
void beat(Context& context, Request request, Responder responder);
void list_heartbeats(Context& context, Request request, Responder responder);
void act_on_heartbeat(Context& context, Request request, Responder responder);

// jobs.cpp
void run_script(Context& context, Request request, Responder responder);
void set_report(Context& context, Request request, Responder responder);
bool is_own_report(const Context& context, const Request& request); // of the script that runs for that event
void list_jobs(Context& context, Request request, Responder responder);
void get_job(Context& context, Request request, Responder responder);
void cancel_job(Context& context, Request request, Responder responder);
void rerun_job(Context& context, Request request, Responder responder);
void job_output(Context& context, Request request, Responder responder);
void call_back(Context& context, Request request, Responder responder);
void list_scripts(Context& context, Request request, Responder responder);

// statistics.cpp
void totals(Context& context, Request request, Responder responder);
void hourly(Context& context, Request request, Responder responder);
void histogram(Context& context, Request request, Responder responder);

// backup.cpp
void make_backup(Context& context, Request request, Responder responder);

// operation.cpp
void get_status(Context& context, Request request, Responder responder);
void get_retention(Context& context, Request request, Responder responder);
void get_config(Context& context, Request request, Responder responder);
void reload(Context& context, Request request, Responder responder);
void metrics(Context& context, Request request, Responder responder);
void healthz(Context& context, Request request, Responder responder);
void make_token(Context& context, Request request, Responder responder);
void forget_tokens(Context& context, Request request, Responder responder);
void openapi(Context& context, Request request, Responder responder);

// ---- arguments, shared ----

Result<std::uint64_t> parse_index(std::string_view name, std::string_view text);
Result<std::int64_t> parse_integer(std::string_view name, std::string_view text);

struct PageRequest {
    std::size_t limit = limits::page_default;
    std::string cursor{};
    Parameters rest{}; // the other parameters, in order
};
Result<PageRequest> take_page(const Parameters& parameters);

// A page of what a filter of events leaves.
struct FilteredPage {
    PageRequest page{};
    Filter filter{};
};
Result<FilteredPage> take_filtered_page(const Context& context, const Parameters& parameters);
// The rest as a filter of events.
Result<Filter> filter_of(const Context& context, const Parameters& parameters);
// The rest as plain equalities.
ListFilter list_filter(const Parameters& rest);

} // namespace tocsin::ipc::http
