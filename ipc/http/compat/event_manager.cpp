// SPDX-License-Identifier: Apache-2.0
// The event manager: detectors' events with their rule, data product and report. An event is durable before it is
// confirmed, and one that cannot be kept is refused at once.
#include "ipc/http/compat/compat.hpp"
#include "ipc/http/compat/event_table.hpp"
#include "ipc/http/compat/shapes.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tocsin::ipc::http::compat {
namespace {

constexpr unsigned unprocessable = 422;

// As its framework answered: what cannot be read is 422, too.
Response refuse_in(const Error& error, std::string_view where) {
    Response response = detail_refusal(error, where);
    if (error.code == Code::invalid_argument) {
        response.status = unprocessable;
    }
    return response;
}
Response refuse_body(const Error& error) {
    return refuse_in(error, "body");
}
Response refuse_query(const Error& error) {
    return refuse_in(error, "query");
}

struct Member {
    std::string_view name;
    bool required = false;
    bool integer = false;
};

constexpr std::array<Member, 8> event_members = {{{"scid", true, true},
                                                  {"event_time", true},
                                                  {"event_rule_id", true, true},
                                                  {"event_name", true},
                                                  {"event_rule", true},
                                                  {"event_src", true},
                                                  {"spark_script"},
                                                  {"gem_full_path"}}};

constexpr std::array<Member, 3> report_members = {{{"job_id", true, true}, {"url", true}, {"spark_id", true, true}}};

// "17" is taken for 17, as it always was.
Scalar as_number(const Scalar& value) {
    const auto* text = std::get_if<std::string_view>(&value);
    std::int64_t number = 0;
    if (text == nullptr) {
        return value;
    }
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    return error == std::errc{} && end == text->data() + text->size() ? Scalar(number) : value;
}

// Gives the members of a body that are asked for to `use`; others are not looked at. Those that are missing are told.
template <std::size_t size, typename Use>
Result<std::vector<FieldError>> read_members(Context& context, std::string_view body,
                                             const std::array<Member, size>& members, Use use) {
    std::array<bool, size> seen{};
    const auto take = [&seen, &members, &use](std::string_view key, const Scalar& value) {
        const auto member = std::ranges::find(members, key, &Member::name);
        if (member == members.end() || std::holds_alternative<std::monostate>(value)) {
            return;
        }
        seen.at(static_cast<std::size_t>(member - members.begin())) = true;
        use(key, member->integer ? as_number(value) : value);
    };
    if (auto read = context.parser.object(body, take); !read) {
        return std::unexpected(std::move(read.error()));
    }
    std::vector<FieldError> missing;
    for (std::size_t i = 0; i < size; ++i) {
        if (members.at(i).required && !seen.at(i)) {
            missing.push_back({.index = 0, .field = std::string(members.at(i).name), .reason = "Field required"});
        }
    }
    return missing;
}

Error wrong_fields(std::vector<FieldError> fields) {
    return {.code = Code::invalid_event,
            .context = "submit",
            .object = {},
            .reason = "a field is wrong",
            .fields = std::move(fields)};
}

// ---- events ----

Result<Event> read_event(Context& context, std::string_view body) {
    EventBuilder builder(context.services.intake.rules(), context.clock.wall_us());
    auto missing = read_members(context, body, event_members,
                                [&builder](std::string_view key, const Scalar& value) { builder.set(key, value); });
    if (!missing) {
        return std::unexpected(std::move(missing.error()));
    }
    if (!missing->empty()) {
        return std::unexpected(wrong_fields(std::move(*missing)));
    }
    return builder.finish();
}

void submit_event(Context& context, Request request, Responder responder) {
    auto event = read_event(context, request.body);
    if (!event) {
        return responder.reply(refuse_body(event.error()));
    }
    const Origin& origin = request.peer->origin();
    event->origin = origin;
    std::string message = R"({"message":)";
    json::append_string(message,
                        fmt::format("Received item with scid: {} and metric: {}", event->scid, event->event_name));
    auto done = [message = std::move(message), responder = std::move(responder)](Result<Receipt> receipt) mutable {
        responder.reply(receipt ? json_reply(message + '}') : refuse_body(receipt.error()));
    };
    std::vector<Event> events;
    events.push_back(std::move(*event));
    context.services.intake.submit(std::move(events), {origin.uid, origin.unit}, std::move(done));
}

void get_all(Context& context, Request, Responder responder) {
    send_table(context, Filter{.order = Order::index}, std::move(responder));
}

Result<Filter> read_question(const Parameters& parameters) {
    Filter filter{.order = Order::index};
    std::vector<FieldError> wrong;
    const auto value = [&parameters, &wrong](std::string_view name) -> std::string_view {
        const auto found = std::ranges::find(parameters, name, &std::pair<std::string, std::string>::first);
        if (found == parameters.end()) {
            wrong.push_back({.index = 0, .field = std::string(name), .reason = "Field required"});
            return {};
        }
        return found->second;
    };
    const std::string_view scid = value("scid");
    const std::string_view name = value("event_name");
    const auto number = parse_integer("scid", scid);
    if (!number && wrong.empty()) {
        wrong.push_back({.index = 0, .field = "scid", .reason = number.error().reason});
    }
    if (!wrong.empty()) {
        return std::unexpected(wrong_fields(std::move(wrong)));
    }
    filter.scid.push_back(*number);
    filter.event_name.push_back({.text = std::string(name)});
    return filter;
}

void get_some(Context& context, Request request, Responder responder) {
    auto filter = read_question(request.parameters);
    if (!filter) {
        return responder.reply(refuse_query(filter.error()));
    }
    send_table(context, std::move(*filter), std::move(responder));
}

// ---- reports ----

struct Report {
    std::int64_t event = 0;
    std::int64_t id = 0;
    std::string url{};
};

std::optional<std::string> set_number(std::int64_t& into, const Scalar& value) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr || *number <= 0) {
        return "must be an integer above 0";
    }
    into = *number;
    return std::nullopt;
}

std::optional<std::string> set_url(std::string& into, const Scalar& value) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr || text->size() > limits::path_bytes) {
        return fmt::format("must be a string of at most {} bytes", limits::path_bytes);
    }
    into = *text;
    return std::nullopt;
}

Result<Report> read_report(Context& context, std::string_view body) {
    Report report;
    std::vector<FieldError> wrong;
    const auto use = [&report, &wrong](std::string_view key, const Scalar& value) {
        auto problem = key == "url"      ? set_url(report.url, value)
                       : key == "job_id" ? set_number(report.event, value)
                                         : set_number(report.id, value);
        if (problem) {
            wrong.push_back({.index = 0, .field = std::string(key), .reason = std::move(*problem)});
        }
    };
    auto missing = read_members(context, body, report_members, use);
    if (!missing) {
        return std::unexpected(std::move(missing.error()));
    }
    std::ranges::move(*missing, std::back_inserter(wrong));
    return wrong.empty() ? Result<Report>(std::move(report)) : std::unexpected(wrong_fields(std::move(wrong)));
}

// job_id is the event's index; the event need not have a job.
void take_report(Context& context, Request request, Responder responder) {
    auto report = read_report(context, request.body);
    if (!report) {
        return responder.reply(refuse_body(report.error()));
    }
    auto done = [responder = std::move(responder)](Result<void> set) mutable {
        responder.reply(set ? json_reply("null") : refuse_body(set.error()));
    };
    context.services.jobs.set_report(static_cast<std::uint64_t>(report->event), report->id, std::move(report->url),
                                     std::move(done));
}

void welcome(Context&, Request, Responder responder) {
    responder.reply(json_reply(R"({"message":"Welcome to the event manager of Tocsin"})"));
}

// ---- the table ----

constexpr std::array routes = std::to_array<Route>({
    {.method = "GET",
     .pattern = "/api",
     .action = Action::read,
     .handler = welcome,
     .parameters = "*",
     .open = Open::compat,
     .refuse = refuse_query},
    {.method = "POST",
     .pattern = "/event/submit",
     .action = Action::submit,
     .handler = submit_event,
     .parameters = "*",
     .body = Body::any,
     .open = Open::compat,
     .refuse = refuse_body,
     .fills_log = true},
    {.method = "GET",
     .pattern = "/get_all_data",
     .action = Action::read,
     .handler = get_all,
     .parameters = "*",
     .open = Open::compat,
     .refuse = refuse_query},
    {.method = "GET",
     .pattern = "/get_event_data",
     .action = Action::read,
     .handler = get_some,
     .parameters = "*",
     .open = Open::compat,
     .refuse = refuse_query},
    {.method = "POST",
     .pattern = "/spark_endpoint",
     .action = Action::set_report,
     .handler = take_report,
     .parameters = "*",
     .open = Open::compat,
     .refuse = refuse_body},
});

} // namespace

std::span<const Route> event_manager_routes() {
    return routes;
}

} // namespace tocsin::ipc::http::compat
