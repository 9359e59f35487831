// SPDX-License-Identifier: Apache-2.0
// Sums of `count`: by up to three fields, by hour and name, and the day of one name.
#include "core/time.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::ipc::http {
namespace {

struct TotalsQuestion {
    std::vector<GroupKey> by{};
    Filter filter{};
};

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> out;
    while (true) {
        const std::size_t comma = std::min(list.find(','), list.size());
        out.emplace_back(list.substr(0, comma));
        if (comma == list.size()) {
            return out;
        }
        list.remove_prefix(comma + 1);
    }
}

Result<TotalsQuestion> read_question(Context& context, const Parameters& parameters) {
    TotalsQuestion out;
    Parameters rest;
    std::vector<std::string> names;
    for (const auto& [key, value] : parameters) {
        if (key != "group_by") {
            rest.emplace_back(key, value);
            continue;
        }
        std::ranges::move(split(value), std::back_inserter(names));
    }
    auto by = parse_group_keys(names);
    if (!by) {
        return std::unexpected(std::move(by.error()));
    }
    auto filter = filter_of(context, rest);
    if (!filter) {
        return std::unexpected(std::move(filter.error()));
    }
    return TotalsQuestion{std::move(*by), std::move(*filter)};
}

bool is_number(GroupKey key) {
    return key == GroupKey::scid || key == GroupKey::event_rule_id;
}

void append_value(std::string& body, GroupKey key, const std::string& value) {
    if (!is_number(key)) {
        json::append_string(body, value);
    } else {
        body += value.empty() ? "null" : value;
    }
}

Response totals_reply(const Totals& totals, const std::vector<GroupKey>& by) {
    std::string body = R"({"items":[)";
    for (const TotalsRow& row : totals) {
        body += body.back() == '[' ? "{" : ",{";
        for (std::size_t i = 0; i < by.size(); ++i) {
            body += fmt::format("\"{}\":", to_string(by[i]));
            append_value(body, by[i], row.values[i]);
            body += ',';
        }
        body += fmt::format("\"count\":{}}}", row.count);
    }
    return json_reply(body + "]}");
}

Response hours_reply(const HourPage& page) {
    std::string body = R"({"items":[)";
    for (const HourRow& row : page.rows) {
        body += body.back() == '[' ? "{" : ",{";
        body += fmt::format("\"hour\":\"{}\",\"event_name\":", format_time(row.hour_us));
        json::append_string(body, row.event_name);
        body += fmt::format(",\"count\":{}}}", row.count);
    }
    body += ']';
    if (!page.next.empty()) {
        body += ",\"next\":";
        json::append_string(body, page.next);
    }
    return json_reply(body + '}');
}

// A picture, where the last segment ends so (which is taken off), or where the client names no JSON.
std::optional<PictureFormat> take_format(std::string& day, std::string_view accept) {
    for (const auto& [suffix, format] :
         {std::pair(".png", PictureFormat::png), std::pair(".svg", PictureFormat::svg)}) {
        if (day.ends_with(suffix)) {
            day.resize(day.size() - std::string_view(suffix).size());
            return format;
        }
    }
    if (accept.find("json") != std::string_view::npos) {
        return std::nullopt;
    }
    const std::size_t png = accept.find("image/png");
    const std::size_t svg = accept.find("image/svg+xml");
    if (png == svg) {
        return std::nullopt; // neither
    }
    return png < svg ? PictureFormat::png : PictureFormat::svg;
}

struct NamedDay {
    std::string event_name{};
    std::int64_t day_us = 0;
    DayCounts counts{};
};

void draw(const Context& context, const NamedDay& day, PictureFormat format, Responder responder) {
    auto done = [format, responder = std::move(responder)](Result<std::string> picture) mutable {
        if (!picture) {
            return responder.fail(picture.error());
        }
        Response response;
        response.content_type = format == PictureFormat::png ? "image/png" : "image/svg+xml";
        response.body = std::move(*picture);
        responder.reply(std::move(response));
    };
    context.services.pictures.histogram(day.event_name, day.day_us, day.counts, format, std::move(done));
}

Response day_reply(std::string_view name, std::string_view day, const DayCounts& counts) {
    std::string body = R"({"event_name":)";
    json::append_string(body, name);
    body += fmt::format(R"(,"day":"{}","counts":[{}]}})", day, fmt::join(counts, ","));
    return json_reply(std::move(body));
}

} // namespace

void totals(Context& context, Request request, Responder responder) {
    auto asked = read_question(context, request.parameters);
    if (!asked) {
        return responder.fail(asked.error());
    }
    auto done = [by = asked->by, responder = std::move(responder)](Result<Totals> found) mutable {
        found ? responder.reply(totals_reply(*found, by)) : responder.fail(found.error());
    };
    context.services.statistics.totals(std::move(asked->filter), std::move(asked->by), std::move(done));
}

void hourly(Context& context, Request request, Responder responder) {
    auto asked = take_filtered_page(context, request.parameters);
    if (!asked) {
        return responder.fail(asked.error());
    }
    auto done = [responder = std::move(responder)](Result<HourPage> found) mutable {
        found ? responder.reply(hours_reply(*found)) : responder.fail(found.error());
    };
    context.services.statistics.hourly(std::move(asked->filter), asked->page.limit, std::move(asked->page.cursor),
                                       std::move(done));
}

void histogram(Context& context, Request request, Responder responder) {
    std::string name = request.captured.front();
    std::string day = request.captured.back();
    const auto format = take_format(day, request.accept);
    const auto day_us = parse_day(day);
    if (!day_us) {
        return responder.fail(day_us.error());
    }
    auto done = [&context, name, day, day_us = *day_us, format,
                 responder = std::move(responder)](Result<DayCounts> counts) mutable {
        if (!counts) {
            responder.fail(counts.error());
        } else if (format) {
            draw(context, {name, day_us, *counts}, *format, std::move(responder));
        } else {
            responder.reply(day_reply(name, day, *counts));
        }
    };
    context.services.statistics.histogram(std::move(name), *day_us, std::move(done));
}

} // namespace tocsin::ipc::http
