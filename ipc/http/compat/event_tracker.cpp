// SPDX-License-Identifier: Apache-2.0
// The event tracker: named events counted by the hour. Each count is one event from the source "event_tracker"; what
// is read is of all sources. Hours and days are UTC.
#include "ipc/http/compat/compat.hpp"
#include "ipc/http/compat/histogram_page.hpp"
#include "ipc/http/compat/shapes.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tocsin::ipc::http::compat {
namespace {

constexpr std::string_view source = "event_tracker";

// The codes of its envelope.
constexpr unsigned counted = 201;
constexpr unsigned updated = 204;
constexpr unsigned forbidden = 403;
constexpr unsigned not_found = 404;

constexpr std::int64_t hour_us = 3'600'000'000;
constexpr std::size_t hour_length = 10; // of "2020091112"
constexpr std::size_t day_length = 8;

Response refuse_count(const Error& error) {
    return envelope_refusal(error, forbidden);
}
Response refuse_read(const Error& error) {
    return envelope_refusal(error, 0);
}

// ---- counting ----

// A name and how often it happened; where no number stands behind the name, once.
struct Count {
    std::string name{};
    std::optional<std::uint64_t> number{};
    std::string description{};
};

Result<std::uint64_t> parse_count(std::string_view digits) {
    const auto number = parse_index("number", digits);
    if (!number || *number > limits::count_max) {
        return std::unexpected(
            field_error("number", fmt::format("must be from 0 to {}: send more in parts", limits::count_max)));
    }
    return number;
}

Result<Count> read_count(const Request& request) {
    Count count{.description = kept_text(form_value(request.content_type, request.body, "desc"), limits::text_bytes)};
    std::span<const std::string> segments(request.captured);
    if (segments.size() > 1 && is_number(segments.back())) {
        const auto number = parse_count(segments.back());
        if (!number) {
            return std::unexpected(number.error());
        }
        count.number = *number;
        segments = segments.first(segments.size() - 1);
    }
    count.name = joined(segments);
    return count;
}

Result<Event> to_event(Context& context, const Count& count, Peer& peer) {
    EventBuilder builder(context.services.intake.rules(), context.clock.wall_us());
    builder.set("event_name", std::string_view(count.name));
    builder.set("event_src", source);
    builder.set("count", count.number.value_or(1));
    builder.set("description", std::string_view(count.description));
    auto event = builder.finish();
    if (event) {
        event->origin = peer.origin();
    }
    return event;
}

// Submits it; `success` is the code of its answer, `failure` that of a refusal.
void submit_count(Context& context, const Count& count, Peer& peer, std::pair<unsigned, unsigned> codes,
                  Responder responder) {
    auto event = to_event(context, count, peer);
    if (!event) {
        return responder.reply(envelope_refusal(event.error(), codes.second));
    }
    auto done = [codes, responder = std::move(responder)](Result<Receipt> receipt) mutable {
        responder.reply(receipt ? envelope(std::to_string(codes.first))
                                : envelope_refusal(receipt.error(), codes.second));
    };
    const Origin& origin = peer.origin();
    std::vector<Event> events;
    events.push_back(std::move(*event));
    context.services.intake.submit(std::move(events), {origin.uid, origin.unit}, std::move(done));
}

// Adding nothing leaves a name that is known as it is; one that is not cannot be kept.
void add_nothing(bool known, const Count& count, Responder responder) {
    if (known) {
        return responder.reply(envelope(std::to_string(updated)));
    }
    const Error unknown{.code = Code::not_found,
                        .context = "count",
                        .object = count.name,
                        .reason = "was never counted, and adding 0 does not begin it"};
    responder.reply(envelope_refusal(unknown, not_found));
}

void add_number(Context& context, Count count, std::shared_ptr<Peer> peer, Responder responder) {
    static_cast<void>(peer->origin()); // a sender in a hurry may be gone when the answer comes
    Filter filter;
    filter.event_name.push_back({.text = count.name});
    auto done = [&context, count = std::move(count), peer = std::move(peer),
                 responder = std::move(responder)](Result<Totals> found) mutable {
        if (!found) {
            return responder.reply(envelope_refusal(found.error(), not_found));
        }
        const bool known = !found->empty();
        if (count.number == 0U) {
            return add_nothing(known, count, std::move(responder));
        }
        submit_count(context, count, *peer, {known ? updated : counted, not_found}, std::move(responder));
    };
    context.services.statistics.totals(std::move(filter), {GroupKey::event_name}, std::move(done));
}

void count_event(Context& context, Request request, Responder responder) {
    auto count = read_count(request);
    if (!count) {
        return responder.reply(envelope_refusal(count.error(), not_found)); // only a number can be wrong here
    }
    if (count->number) {
        return add_number(context, std::move(*count), std::move(request.peer), std::move(responder));
    }
    submit_count(context, *count, *request.peer, {counted, forbidden}, std::move(responder));
}

// ---- lists ----

Error no_dates(std::string reason) {
    return bad_request("dates", std::move(reason));
}

Response refuse_dates(std::string_view external, std::string reason) {
    std::string body = R"({"status":false,"response":null,"error":{"internal":)";
    json::append_string(body, reason);
    body += R"(,"external":)";
    json::append_string(body, external);
    Response response = json_reply(body + "}}");
    response.refused = Code::invalid_argument;
    return response;
}

std::string_view parameter(const Request& request, std::string_view name) {
    const auto found = std::ranges::find(request.parameters, name, &std::pair<std::string, std::string>::first);
    return found == request.parameters.end() ? std::string_view{} : std::string_view(found->second);
}

// From an hour to the end of a day; the answer of a refusal where that cannot be.
std::expected<Filter, Response> read_dates(const Request& request) {
    const std::string_view start = parameter(request, "start_date");
    const std::string_view end = parameter(request, "end_date");
    if (!is_number(start) || !is_number(end)) {
        return std::unexpected(refuse_dates("Please give a valid date values",
                                            "start_date=YYYYMMDDHH and end_date=YYYYMMDD are both needed"));
    }
    if (start.size() != hour_length || end.size() != day_length) {
        return std::unexpected(refuse_dates("Invalid date format", "start_date has 10 digits, end_date has 8"));
    }
    const auto first_day = parse_day(start.substr(0, day_length));
    const auto last_day = parse_day(end);
    const auto hour = parse_integer("start_date", start.substr(day_length));
    if (!first_day || !last_day || !hour || *hour > 23) {
        return std::unexpected(refuse_dates("Please give a valid date values", "there is no such day or hour"));
    }
    Filter filter;
    filter.since_us = *first_day + *hour * hour_us;
    filter.until_us = *last_day + 24 * hour_us;
    if (*filter.since_us >= *filter.until_us) {
        return std::unexpected(refuse_dates("Back to the future?", "start_date is higher than end_date"));
    }
    return filter;
}

// "2020091112" of an hour's start.
std::string hour_text(std::int64_t us) {
    const std::string text = format_time(us); // "2020-09-11T12:…"
    return text.substr(0, 4) + text.substr(5, 2) + text.substr(8, 2) + text.substr(11, 2);
}

void append_hour(std::string& body, const HourRow& row) {
    body += body.empty() ? "" : ",";
    body += fmt::format(R"([{{"date":"{}","event":)", hour_text(row.hour_us));
    json::append_string(body, row.event_name);
    body += fmt::format(R"(,"count":{}}}])", row.count);
}

// The whole list, page by page: it never had pages. What is too much for one answer is refused, never cut.
class HourList : public std::enable_shared_from_this<HourList> {
public:
    HourList(Context& context, Filter filter, Responder responder)
        : context_(context), filter_(std::move(filter)), responder_(std::move(responder)) {}

    void next(std::string cursor) {
        auto done = [self = shared_from_this()](Result<HourPage> page) { self->take(std::move(page)); };
        context_.services.statistics.hourly(filter_, limits::page_max, std::move(cursor), std::move(done));
    }

private:
    void take(Result<HourPage> page) {
        if (!page) {
            return responder_.reply(refuse_read(page.error()));
        }
        for (const HourRow& row : page->rows) {
            if (!is_own_name(row.event_name)) {
                append_hour(rows_, row);
            }
        }
        if (rows_.size() > limits::page_bytes) {
            return responder_.reply(refuse_read(no_dates("span more than one answer holds: ask for fewer days")));
        }
        page->next.empty() ? responder_.reply(envelope('[' + rows_ + ']')) : next(std::move(page->next));
    }

    Context& context_;
    Filter filter_;
    Responder responder_;
    std::string rows_{};
};

void list_hours(Context& context, Request request, Responder responder) {
    auto filter = read_dates(request);
    if (!filter) {
        return responder.reply(std::move(filter.error()));
    }
    std::make_shared<HourList>(context, std::move(*filter), std::move(responder))->next({});
}

void list_totals(Context& context, Request, Responder responder) {
    auto done = [responder = std::move(responder)](Result<Totals> found) mutable {
        if (!found) {
            return responder.reply(refuse_read(found.error()));
        }
        std::string rows;
        for (const TotalsRow& row : *found) {
            if (is_own_name(row.values.front())) {
                continue;
            }
            rows += rows.empty() ? R"([{"event":)" : R"(,[{"event":)";
            json::append_string(rows, row.values.front());
            rows += fmt::format(R"(,"count":{}}}])", row.count);
        }
        responder.reply(envelope('[' + rows + ']'));
    };
    context.services.statistics.totals(Filter{}, {GroupKey::event_name}, std::move(done));
}

// ---- the table ----

constexpr std::array routes = std::to_array<Route>({
    {.method = "POST",
     .pattern = "/api/events/{path...}",
     .action = Action::submit,
     .handler = count_event,
     .parameters = "*",
     .open = Open::compat,
     .refuse = refuse_count,
     .fills_log = true},
    {.method = "GET",
     .pattern = "/api/events",
     .action = Action::read,
     .handler = list_hours,
     .parameters = "*",
     .open = Open::compat,
     .refuse = refuse_read},
    {.method = "GET",
     .pattern = "/api/events/unique",
     .action = Action::read,
     .handler = list_totals,
     .parameters = "*",
     .open = Open::compat,
     .refuse = refuse_read},
    {.method = "GET",
     .pattern = "/api/events/histogram/{path...}",
     .action = Action::read,
     .handler = show_histogram,
     .parameters = "*",
     .open = Open::compat,
     .refuse = refuse_read},
});

} // namespace

std::span<const Route> event_tracker_routes() {
    return routes;
}

} // namespace tocsin::ipc::http::compat
