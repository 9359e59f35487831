// SPDX-License-Identifier: Apache-2.0
// Events: taken in as one object or an array, one by index, and pages of them as JSON, NDJSON or CSV.
#include "ipc/http/accept.hpp"
#include "ipc/http/csv.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"
#include "ipc/http/target.hpp"

#include <fmt/format.h>

#include <array>

namespace tocsin::ipc::http {
namespace {

constexpr unsigned created = 201;

Response one_receipt(const Receipt& receipt) {
    const bool duplicate = receipt.duplicates > 0;
    const std::uint64_t index = receipt.indexes.empty() ? 0 : receipt.indexes.front();
    return json_reply(fmt::format(R"({{"unique_index":{}{}}})", index, duplicate ? R"(,"duplicate":true)" : ""),
                      duplicate ? 200 : created);
}

Response batch_receipt(const Receipt& receipt) {
    std::string body = fmt::format(R"({{"count":{},"unique_indexes":[)", receipt.indexes.size());
    for (std::size_t i = 0; i < receipt.indexes.size(); ++i) {
        body += i == 0 ? "" : ",";
        fmt::format_to(std::back_inserter(body), "{}", receipt.indexes[i]);
    }
    body += "]}";
    return json_reply(std::move(body), created);
}

// ---- pages ----

enum class Format : std::uint8_t { json, ndjson, csv }; // in the order of our liking

// JSON where the client names none of ours.
Format negotiate(std::string_view accept) {
    constexpr std::array<std::string_view, 3> types = {"application/json", "application/x-ndjson", "text/csv"};
    return static_cast<Format>(choose_type(accept, types).value_or(0));
}

std::string next_link(const Parameters& parameters, const std::string& next) {
    std::string link = "</v1/events?";
    for (const auto& [key, value] : parameters) {
        if (key != "cursor") {
            link += percent_encode(key) + '=' + percent_encode(value) + '&';
        }
    }
    return link + "cursor=" + percent_encode(next) + ">; rel=\"next\"";
}

Response rows_reply(const Page& page, Format format) {
    Response response;
    if (format == Format::csv) {
        response.content_type = "text/csv; charset=utf-8; header=present";
        append_csv_header(response.body);
    } else {
        response.content_type = "application/x-ndjson";
    }
    for (const Event& event : page.events) {
        if (format == Format::csv) {
            append_csv_row(response.body, event);
        } else {
            json::append_object(response.body, event);
            response.body += '\n';
        }
    }
    return response;
}

} // namespace

void submit_events(Context& context, Request request, Responder responder) {
    bool was_array = false;
    auto events =
        context.parser.events(request.body, context.services.intake.rules(), context.clock.wall_us(), &was_array);
    if (!events) {
        return responder.fail(events.error());
    }
    const Origin& origin = request.peer->origin();
    for (Event& event : *events) {
        event.origin = origin;
    }
    auto done = [was_array, responder = std::move(responder)](Result<Receipt> receipt) mutable {
        if (!receipt) {
            return responder.fail(receipt.error());
        }
        responder.reply(was_array ? batch_receipt(*receipt) : one_receipt(*receipt));
    };
    context.services.intake.submit(std::move(*events), {origin.uid, origin.unit}, std::move(done));
}

void query_events(Context& context, Request request, Responder responder) {
    auto asked = take_filtered_page(context, request.parameters);
    if (!asked) {
        return responder.fail(asked.error());
    }
    auto done = [format = negotiate(request.accept), parameters = std::move(request.parameters),
                 responder = std::move(responder)](Result<Page> found) mutable {
        if (!found) {
            return responder.fail(found.error());
        }
        Response response =
            format == Format::json ? list_reply(found->events, found->next) : rows_reply(*found, format);
        response.headers.emplace_back("Vary", "Accept");
        if (!found->next.empty()) {
            response.headers.emplace_back("Link", next_link(parameters, found->next));
        }
        responder.reply(std::move(response));
    };
    context.services.reader.query(std::move(asked->filter), asked->page.limit, std::move(asked->page.cursor),
                                  std::move(done));
}

void get_event(Context& context, Request request, Responder responder) {
    const auto index = parse_index("unique_index", request.captured.front());
    if (!index) {
        return responder.fail(index.error());
    }
    context.services.reader.get(*index, answer_object<Event>(std::move(responder)));
}

} // namespace tocsin::ipc::http
