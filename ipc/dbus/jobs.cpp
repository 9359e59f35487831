// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/arguments.hpp"
#include "ipc/dbus/interfaces.hpp"
#include "ipc/dbus/memfd.hpp"
#include "ipc/dbus/paged.hpp"
#include "ipc/dbus/path.hpp"
#include "ipc/dbus/read_variant.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

constexpr std::size_t nodes_max = 1'000; // what `busctl tree` shows
constexpr std::int32_t not_ended = -1;   // ExitStatus while there is none

std::uint64_t as_time(std::int64_t us) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
}

std::vector<PropertyValue> values_of(const Job& job) {
    return {
        job.unique_index,
        job.script,
        std::string(to_string(job.state)),
        job.pid,
        job.attempt,
        job.exit_status.value_or(not_ended),
        as_time(job.started_us),
        as_time(job.ended_us),
        job.report_id.value_or(0),
        job.report_url,
    };
}

// The new job's path.
Done<Job> answer_path(Call call) {
    return [held = std::move(call)](Result<Job> job) mutable {
        if (!job) {
            held.refuse(job.error());
            return;
        }
        held.reply([&job](Out& out) { out.path(job_path(job->id)); });
    };
}

Error no_job(const std::string& path) {
    return Error{Code::not_found, "job", path, "is not a job"};
}

} // namespace

Interface JobsFace::interface() {
    Interface self{jobs_interface};
    self.methods = {
        {"Run", Action::run, {"ts", {"unique_index", "script"}}, {"o", {"job"}}, bind(this, &JobsFace::run)},
        {"List",
         Action::read,
         {"a{sv}us", {"filter", "limit", "cursor"}},
         {"aa{sv}s", {"items", "next"}},
         bind(this, &JobsFace::list)},
        {"SetReport",
         Action::set_report,
         {"txs", {"unique_index", "report_id", "url"}},
         {},
         bind(this, &JobsFace::set_report)},
    };
    self.methods.back().own = [this](const Caller& caller, sd_bus_message* message) {
        std::uint64_t index = 0;
        return caller.uid && sd_bus_message_read(message, "t", &index) >= 0 && jobs_.runs_as(index, *caller.uid);
    };
    return self;
}

Interface JobsFace::object() {
    Interface self{job_interface};
    self.methods = {
        {"Cancel", Action::cancel, {}, {}, bind(this, &JobsFace::cancel)},
        {"Rerun", Action::rerun, {}, {"o", {"job"}}, bind(this, &JobsFace::rerun)},
        {"Output", Action::read, {}, {"h", {"output"}}, bind(this, &JobsFace::output)},
    };
    self.properties = {
        {"Event", "t"},    {"Script", "s"},     {"State", "s", Emits::change}, {"Pid", "u"},
        {"Attempt", "u"},  {"ExitStatus", "i"}, {"StartedUSec", "t"},          {"EndedUSec", "t"},
        {"ReportId", "x"}, {"ReportUrl", "s"},
    };
    self.read = [this](const std::string& path, Done<std::vector<PropertyValue>> done) { read(path, std::move(done)); };
    return self;
}

std::vector<std::string> JobsFace::paths() const {
    std::vector<std::string> found;
    for (const Job& job : jobs_.recent(nodes_max)) {
        found.push_back(job_path(job.id));
    }
    return found;
}

void JobsFace::run(Call call) {
    std::uint64_t index = 0;
    const char* script = nullptr;
    if (sd_bus_message_read(call.message(), "ts", &index, &script) < 0) {
        call.refuse(unreadable("the arguments"));
        return;
    }
    std::string name = script;
    jobs_.run(index, std::move(name), answer_path(std::move(call)));
}

void JobsFace::list(Call call) {
    auto filter = read_list_filter(call.message());
    if (!filter) {
        call.refuse(filter.error());
        return;
    }
    auto page = read_page(call.message());
    if (!page) {
        call.refuse(page.error());
        return;
    }
    Jobs& from = jobs_;
    answer_paged<Job>(std::move(call), page->limit,
                      [&from, wanted = std::move(*filter), cursor = page->cursor](std::size_t limit, auto done) {
                          from.list(wanted, limit, cursor, std::move(done));
                      });
}

void JobsFace::set_report(Call call) {
    std::uint64_t index = 0;
    std::int64_t report = 0;
    const char* url = nullptr;
    if (sd_bus_message_read(call.message(), "txs", &index, &report, &url) < 0) {
        call.refuse(unreadable("the arguments"));
        return;
    }
    std::string where = url;
    jobs_.set_report(index, report, std::move(where), [held = std::move(call)](Result<void> set) mutable {
        set ? held.reply() : held.refuse(set.error());
    });
}

void JobsFace::cancel(Call call) {
    const auto id = job_of(call.path());
    if (!id) {
        call.refuse(no_job(call.path()));
        return;
    }
    jobs_.cancel(*id,
                 [held = std::move(call)](Result<Job> job) mutable { job ? held.reply() : held.refuse(job.error()); });
}

void JobsFace::rerun(Call call) {
    const auto id = job_of(call.path());
    if (!id) {
        call.refuse(no_job(call.path()));
        return;
    }
    jobs_.rerun(*id, answer_path(std::move(call)));
}

namespace {

void answer_output(Call call, const Result<std::string>& output) {
    if (!output) {
        call.refuse(output.error());
        return;
    }
    const auto file = Memfd::sealed(*output);
    if (!file) {
        call.refuse(file.error());
        return;
    }
    call.reply([&file](Out& out) { out.descriptor(file->get()); });
}

} // namespace

void JobsFace::output(Call call) {
    const auto id = job_of(call.path());
    if (!id) {
        call.refuse(no_job(call.path()));
        return;
    }
    jobs_.output(
        *id, [held = std::move(call)](Result<std::string> output) mutable { answer_output(std::move(held), output); });
}

void JobsFace::read(const std::string& path, Done<std::vector<PropertyValue>> done) {
    const auto id = job_of(path);
    if (!id) {
        done(std::unexpected(no_job(path)));
        return;
    }
    jobs_.find(*id, [next = std::move(done)](Result<Job> job) mutable {
        if (!job) {
            next(std::unexpected(std::move(job.error())));
            return;
        }
        next(values_of(*job));
    });
}

} // namespace tocsin::ipc::dbus
