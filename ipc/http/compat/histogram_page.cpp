// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/compat/histogram_page.hpp"

#include "ipc/http/accept.hpp"
#include "ipc/http/compat/shapes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace tocsin::ipc::http::compat {
namespace {

constexpr unsigned bad_parameters = 400;
constexpr unsigned no_page = 404;
constexpr std::string_view bar_colour = "rgb(102, 102, 255)";

enum class Form : std::uint8_t { page, png, jpeg, json }; // the first three in the order of our liking

constexpr std::array<std::string_view, 3> types = {"text/html", "image/png", "image/jpeg"};
constexpr std::array<std::pair<std::string_view, Form>, 3> suffixes = {
    {{".png", Form::png}, {".jpg", Form::jpeg}, {".jpeg", Form::jpeg}}};

struct Asked {
    Form form = Form::page;
    std::string name{};
    std::string day{}; // yyyymmdd
    std::int64_t day_us = 0;
};

// By the ending of the day (which is taken off), else as the client likes best.
Form take_form(std::string& day, std::string_view accept) {
    for (const auto& [suffix, form] : suffixes) {
        if (day.ends_with(suffix)) {
            day.resize(day.size() - suffix.size());
            return form;
        }
    }
    return static_cast<Form>(choose_type(accept, types).value_or(0));
}

// Nothing where the path names no day of anything.
std::optional<Asked> read_path(const Request& request) {
    std::span<const std::string> segments(request.captured);
    const bool json = segments.size() > 2 && segments.front() == "json";
    if (json) {
        segments = segments.subspan(1);
    }
    if (segments.size() < 2) {
        return std::nullopt;
    }
    Asked asked{.name = joined(segments.first(segments.size() - 1)), .day = segments.back()};
    asked.form = json ? Form::json : take_form(asked.day, request.accept);
    return asked;
}

Response bad_page(unsigned status, std::string_view title, std::string_view reason) {
    Response response = page_reply(
        fmt::format("<!doctype html><title>{0}</title><h1>{0}</h1><p>{1}</p>\n", title, escape_html(reason)));
    response.status = status;
    return response;
}

Response refusal_of(Form form, const Error& error) {
    if (form == Form::json) {
        return envelope_refusal(error, 0);
    }
    const bool asked_wrongly = error.code == Code::invalid_argument;
    Response response = bad_page(asked_wrongly ? bad_parameters : error.http_status(),
                                 asked_wrongly ? "Bad Parameters" : info(error.code).title, error.detail());
    response.refused = error.code;
    return response;
}

// Its own page read the three lists at the top, its documents promise the envelope: both are there.
Response json_of(const DayCounts& counts) {
    std::array<std::size_t, 24> hours{};
    std::iota(hours.begin(), hours.end(), std::size_t{0});
    std::array<std::string, 24> colours{};
    colours.fill(fmt::format("\"{}\"", bar_colour));
    const std::string lists = fmt::format(R"("chart_labels":[{}],"chart_events":[{}],"chart_colors":[{}])",
                                          fmt::join(hours, ","), fmt::join(counts, ","), fmt::join(colours, ","));
    Response response = envelope('{' + lists + '}');
    response.body.insert(response.body.size() - 1, ',' + lists);
    return response;
}

std::string rows_of(const DayCounts& counts) {
    std::string rows;
    for (std::size_t hour = 0; hour < counts.size(); ++hour) {
        rows += fmt::format("<tr><td>{:02}:00</td><td>{}</td></tr>\n", hour, counts.at(hour));
    }
    return rows;
}

// The drawing stands in the page itself: nothing has to be fetched, from here or elsewhere.
Response page_of(const Asked& asked, const DayCounts& counts, std::string_view drawing) {
    drawing.remove_prefix(std::min(drawing.find("<svg"), drawing.size())); // what stands before is of a file's own
    const std::string day =
        fmt::format("{}-{}-{}", asked.day.substr(0, 4), asked.day.substr(4, 2), asked.day.substr(6));
    Response response = page_reply(fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{0}, {1}</title>\n"
        "<style>body{{font-family:sans-serif;margin:2em auto;max-width:52em}}svg{{max-width:100%;height:auto}}"
        "td{{padding:0 1em;text-align:right}}</style>\n<h1>{0}</h1>\n<p>{1}, hours in UTC</p>\n{2}\n"
        "<table>\n<tr><th>hour</th><th>count</th></tr>\n{3}</table>\n</html>\n",
        escape_html(asked.name), day, drawing, rows_of(counts)));
    response.headers.emplace_back("Vary", "Accept");
    return response;
}

void draw(Context& context, Asked asked, const DayCounts& counts, Responder responder) {
    const PictureFormat format = asked.form == Form::png    ? PictureFormat::png
                                 : asked.form == Form::jpeg ? PictureFormat::jpeg
                                                            : PictureFormat::svg;
    const std::string name = asked.name;
    const std::int64_t day_us = asked.day_us;
    auto done = [asked = std::move(asked), counts,
                 responder = std::move(responder)](Result<std::string> picture) mutable {
        if (!picture) {
            return responder.reply(refusal_of(asked.form, picture.error()));
        }
        if (asked.form == Form::page) {
            return responder.reply(page_of(asked, counts, *picture));
        }
        Response response;
        response.content_type = types.at(static_cast<std::size_t>(asked.form));
        response.headers.emplace_back("Vary", "Accept");
        response.body = std::move(*picture);
        responder.reply(std::move(response));
    };
    context.services.pictures.histogram(name, day_us, counts, format, std::move(done));
}

} // namespace

void show_histogram(Context& context, Request request, Responder responder) {
    auto asked = read_path(request);
    if (!asked) {
        return responder.reply(
            bad_page(no_page, "Not Found", "a histogram is /api/events/histogram/{name}/{yyyymmdd}"));
    }
    const auto day_us = parse_day(asked->day);
    if (!day_us) {
        return responder.reply(refusal_of(asked->form, day_us.error()));
    }
    asked->day_us = *day_us;
    std::string name = asked->name;
    auto done = [&context, asked = std::move(*asked),
                 responder = std::move(responder)](Result<DayCounts> counts) mutable {
        if (!counts) {
            return responder.reply(refusal_of(asked.form, counts.error()));
        }
        if (asked.form == Form::json) {
            return responder.reply(json_of(*counts));
        }
        draw(context, std::move(asked), *counts, std::move(responder));
    };
    context.services.statistics.histogram(std::move(name), *day_us, std::move(done));
}

} // namespace tocsin::ipc::http::compat
