// SPDX-License-Identifier: Apache-2.0
// SPARK jobs: run, report, callback, list, cancel, run again, output; and their scripts. Acts answer 200 with the
// object.
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

namespace tocsin::ipc::http {
namespace {

struct ReportBody {
    std::optional<std::int64_t> id{};
    std::string url{};
};

struct RunBody {
    std::string script{};
    bool dry_run = false;
};

std::optional<Error> set_run_member(RunBody& run, std::string_view key, const Scalar& value) {
    if (key == "script") {
        const auto* text = std::get_if<std::string_view>(&value);
        if (text == nullptr) {
            return bad_request(key, fmt::format("must be a string, not {}", kind_of(value)));
        }
        run.script = *text;
        return std::nullopt;
    }
    if (key == "dry_run") {
        const auto* flag = std::get_if<bool>(&value);
        if (flag == nullptr) {
            return bad_request(key, fmt::format("must be true or false, not {}", kind_of(value)));
        }
        run.dry_run = *flag;
        return std::nullopt;
    }
    return bad_request(key, R"(is not known here; the body is {"script":"NAME"}, perhaps with "dry_run":true)");
}

// The members of a small body, each given to `set`; the first one that it refuses is told.
template <typename Body>
Result<Body> read_body(Context& context, const std::string& text,
                       std::optional<Error> (*set)(Body&, std::string_view, const Scalar&)) {
    Body body;
    std::optional<Error> refused;
    const auto member = [&body, &refused, set](std::string_view key, const Scalar& value) {
        if (auto error = set(body, key, value); error && !refused) {
            refused = std::move(error);
        }
    };
    if (const auto read = context.parser.object(text, member); !read) {
        return std::unexpected(read.error());
    }
    if (refused) {
        return std::unexpected(std::move(*refused));
    }
    return body;
}

Result<RunBody> read_run(Context& context, const std::string& text) {
    auto run = read_body<RunBody>(context, text, set_run_member);
    if (run && run->script.empty()) {
        return std::unexpected(bad_request("script", "is required: the name of an installed script"));
    }
    if (const auto wrong = run ? script_name_problem(run->script) : std::nullopt) {
        return std::unexpected(bad_request("script", *wrong));
    }
    return run;
}

std::optional<Error> set_report_member(ReportBody& report, std::string_view key, const Scalar& value) {
    if (key == "spark_report_id") {
        if (const auto* id = std::get_if<std::int64_t>(&value)) {
            report.id = *id;
            return std::nullopt;
        }
        return bad_request(key, fmt::format("must be an integer, not {}", kind_of(value)));
    }
    if (key == "url") {
        if (const auto* url = std::get_if<std::string_view>(&value)) {
            report.url = *url;
            return std::nullopt;
        }
        return std::holds_alternative<std::monostate>(value)
                   ? std::nullopt
                   : std::optional(bad_request(key, fmt::format("must be a string, not {}", kind_of(value))));
    }
    return bad_request(key, R"(is not known here; the body is {"spark_report_id":N,"url":"…"})");
}

// SPARK servers answer {"job_id":…,"url":"…","spark_id":N}: the secret says which job it is, so job_id is not looked
// at.
std::optional<Error> set_callback_member(ReportBody& report, std::string_view key, const Scalar& value) {
    if (key == "job_id") {
        return std::nullopt;
    }
    return set_report_member(report, key == "spark_id" ? "spark_report_id" : key, value);
}

Result<ReportBody> check_report(Result<ReportBody> report) {
    if (report && (!report->id || *report->id <= 0)) {
        return std::unexpected(bad_request("spark_report_id", "is required and must be above 0"));
    }
    if (report && report->url.size() > limits::path_bytes) {
        return std::unexpected(bad_request("url", fmt::format("is longer than {} bytes", limits::path_bytes)));
    }
    return report;
}

using JobAct = void (Jobs::*)(std::uint64_t, Done<Job>);

void act_on_job(Context& context, const Request& request, Responder responder, JobAct act) {
    const auto id = parse_index("id", request.captured.front());
    if (!id) {
        return responder.fail(id.error());
    }
    (context.services.jobs.*act)(*id, answer_object<Job>(std::move(responder)));
}

} // namespace

void run_script(Context& context, Request request, Responder responder) {
    const auto index = parse_index("unique_index", request.captured.front());
    if (!index) {
        return responder.fail(index.error());
    }
    auto run = read_run(context, request.body);
    if (!run) {
        return responder.fail(run.error());
    }
    if (run->dry_run) {
        return context.services.jobs.preview(*index, std::move(run->script),
                                             answer_object<JobPreview>(std::move(responder)));
    }
    context.services.jobs.run(*index, std::move(run->script), answer_object<Job>(std::move(responder)));
}

bool is_own_report(const Context& context, const Request& request) {
    const auto index = parse_index("unique_index", request.captured.front());
    const auto uid = request.peer->caller.uid;
    return index && uid && context.services.jobs.runs_as(*index, *uid);
}

void set_report(Context& context, Request request, Responder responder) {
    const auto index = parse_index("unique_index", request.captured.front());
    if (!index) {
        return responder.fail(index.error());
    }
    auto report = check_report(read_body<ReportBody>(context, request.body, set_report_member));
    if (!report) {
        return responder.fail(report.error());
    }
    auto done = [&context, index = *index, responder = std::move(responder)](Result<void> set) mutable {
        if (!set) {
            return responder.fail(set.error());
        }
        context.services.reader.get(index, answer_object<Event>(std::move(responder)));
    };
    context.services.jobs.set_report(*index, *report->id, std::move(report->url), std::move(done));
}

void list_jobs(Context& context, Request request, Responder responder) {
    auto page = take_page(request.parameters);
    if (!page) {
        return responder.fail(page.error());
    }
    auto done = [responder = std::move(responder)](Result<ListPage<Job>> found) mutable {
        if (!found) {
            return responder.fail(found.error());
        }
        responder.reply(list_reply(found->items, found->next));
    };
    context.services.jobs.list(list_filter(page->rest), page->limit, std::move(page->cursor), std::move(done));
}

void get_job(Context& context, Request request, Responder responder) {
    act_on_job(context, request, std::move(responder), &Jobs::find);
}

void cancel_job(Context& context, Request request, Responder responder) {
    act_on_job(context, request, std::move(responder), &Jobs::cancel);
}

void rerun_job(Context& context, Request request, Responder responder) {
    act_on_job(context, request, std::move(responder), &Jobs::rerun);
}

void job_output(Context& context, Request request, Responder responder) {
    const auto id = parse_index("id", request.captured.front());
    if (!id) {
        return responder.fail(id.error());
    }
    auto done = [responder = std::move(responder)](Result<std::string> output) mutable {
        if (!output) {
            return responder.fail(output.error());
        }
        Response response;
        response.content_type = "text/plain; charset=utf-8";
        response.body = std::move(*output);
        responder.reply(std::move(response));
    };
    context.services.jobs.output(*id, std::move(done));
}

void call_back(Context& context, Request request, Responder responder) {
    auto report = check_report(read_body<ReportBody>(context, request.body, set_callback_member));
    if (!report) {
        return responder.fail(report.error());
    }
    context.services.jobs.call_back(std::move(request.captured.front()), *report->id, std::move(report->url),
                                    answer_object<Job>(std::move(responder)));
}

void list_scripts(Context& context, Request request, Responder responder) {
    const std::string_view only = request.parameters.empty() ? std::string_view{} : request.parameters.front().second;
    responder.reply(list_reply(context.services.jobs.scripts(only), ""));
}

} // namespace tocsin::ipc::http
