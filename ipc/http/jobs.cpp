// SPDX-License-Identifier: Apache-2.0
// SPARK jobs: run, report, list, cancel, run again, output. Acts answer 200 with the object.
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

namespace tocsin::ipc::http {
namespace {

struct ReportBody {
    std::optional<std::int64_t> id{};
    std::string url{};
};

Result<std::string> read_script(Context& context, const std::string& body) {
    std::optional<std::string> script;
    std::optional<Error> refused;
    const auto set = [&script, &refused](std::string_view key, const Scalar& value) {
        const auto* text = std::get_if<std::string_view>(&value);
        if (key != "script") {
            refused = bad_request(key, "is not known here; the body is {\"script\":\"NAME\"}");
        } else if (text == nullptr) {
            refused = bad_request(key, fmt::format("must be a string, not {}", kind_of(value)));
        } else {
            script = *text;
        }
    };
    if (const auto read = context.parser.object(body, set); !read) {
        return std::unexpected(read.error());
    }
    if (refused) {
        return std::unexpected(*refused);
    }
    if (!script || script->empty()) {
        return std::unexpected(bad_request("script", "is required: the name of an installed script"));
    }
    if (const auto wrong = script_name_problem(*script)) {
        return std::unexpected(bad_request("script", *wrong));
    }
    return *script;
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
    return bad_request(key, "is not known here; the body is {\"spark_report_id\":N,\"url\":\"…\"}");
}

Result<ReportBody> read_report(Context& context, const std::string& body) {
    ReportBody report;
    std::optional<Error> refused;
    const auto set = [&report, &refused](std::string_view key, const Scalar& value) {
        if (auto error = set_report_member(report, key, value)) {
            refused = std::move(error);
        }
    };
    if (const auto read = context.parser.object(body, set); !read) {
        return std::unexpected(read.error());
    }
    if (refused) {
        return std::unexpected(*refused);
    }
    if (!report.id || *report.id <= 0) {
        return std::unexpected(bad_request("spark_report_id", "is required and must be above 0"));
    }
    if (report.url.size() > limits::path_bytes) {
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
    auto script = read_script(context, request.body);
    if (!script) {
        return responder.fail(script.error());
    }
    context.services.jobs.run(*index, std::move(*script), answer_object<Job>(std::move(responder)));
}

void set_report(Context& context, Request request, Responder responder) {
    const auto index = parse_index("unique_index", request.captured.front());
    if (!index) {
        return responder.fail(index.error());
    }
    auto report = read_report(context, request.body);
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

} // namespace tocsin::ipc::http
