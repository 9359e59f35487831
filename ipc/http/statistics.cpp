// SPDX-License-Identifier: Apache-2.0
// Sums of `count`: by up to three fields, by hour and name, and the day of one name.
#include "core/hash.hpp"
#include "core/time.hpp"
#include "ipc/http/accept.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tocsin::ipc::http {
namespace {

constexpr unsigned not_modified = 304;

struct Form {
    std::string_view type;
    std::string_view suffix;
    std::optional<PictureFormat> picture{};
};

// A day of one name, in the order of our liking.
constexpr std::array<Form, 3> forms = {{{"application/json", ".json", std::nullopt},
                                        {"image/png", ".png", PictureFormat::png},
                                        {"image/svg+xml", ".svg", PictureFormat::svg}}};

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

// What a day is shown as: by the ending of the last segment (which is taken off), else as the client likes best.
std::size_t take_form(std::string& day, std::string_view accept) {
    for (std::size_t form = 0; form < forms.size(); ++form) {
        const std::string_view suffix = forms[form].suffix;
        if (day.ends_with(suffix)) {
            day.resize(day.size() - suffix.size());
            return form;
        }
    }
    std::array<std::string_view, forms.size()> types{};
    std::ranges::transform(forms, types.begin(), &Form::type);
    return choose_type(accept, types).value_or(0);
}

struct NamedDay {
    std::string event_name{};
    std::string day{}; // yyyymmdd
    std::int64_t day_us = 0;
    DayCounts counts{};
};

// Of what is shown, so that a picture that did not change need not be drawn to be known. Weak: SVG of the same counts
// need not be the same bytes.
std::string tag_of(const NamedDay& day, const Form& form) {
    const std::string shown = fmt::format("{}\n{}\n{}\n{}\n{}", TOCSIN_VERSION, form.type, day.day,
                                          fmt::join(day.counts, ","), day.event_name);
    return fmt::format("W/\"{:016x}\"", hash64(shown));
}

std::string counts_json(const NamedDay& day) {
    std::string body = R"({"event_name":)";
    json::append_string(body, day.event_name);
    body += fmt::format(R"(,"day":"{}","counts":[{}]}})", day.day, fmt::join(day.counts, ","));
    return body;
}

// Counts of any day may still grow, by events that come late: a kept answer is to be asked about.
Response day_reply(const Form& form, const std::string& tag) {
    Response response;
    response.content_type = form.type;
    response.headers = {{"ETag", tag}, {"Cache-Control", "private, no-cache"}, {"Vary", "Accept"}};
    return response;
}

void show_day(const Context& context, const NamedDay& day, const Form& form, std::string_view known,
              Responder responder) {
    const std::string tag = tag_of(day, form);
    Response response = day_reply(form, tag);
    if (names_tag(known, tag)) {
        response.status = not_modified;
        return responder.reply(std::move(response));
    }
    if (!form.picture) {
        response.body = counts_json(day);
        return responder.reply(std::move(response));
    }
    auto done = [response = std::move(response),
                 responder = std::move(responder)](Result<std::string> picture) mutable {
        if (!picture) {
            return responder.fail(picture.error());
        }
        response.body = std::move(*picture);
        responder.reply(std::move(response));
    };
    context.services.pictures.histogram(day.event_name, day.day_us, day.counts, *form.picture, std::move(done));
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
    NamedDay day{.event_name = std::move(request.captured.front()), .day = std::move(request.captured.back())};
    const Form& form = forms.at(take_form(day.day, request.accept));
    const auto day_us = parse_day(day.day);
    if (!day_us) {
        return responder.fail(day_us.error());
    }
    day.day_us = *day_us;
    std::string name = day.event_name;
    auto done = [&context, &form, day = std::move(day), known = std::move(request.if_none_match),
                 responder = std::move(responder)](Result<DayCounts> counts) mutable {
        if (!counts) {
            return responder.fail(counts.error());
        }
        day.counts = *counts;
        show_day(context, day, form, known, std::move(responder));
    };
    context.services.statistics.histogram(std::move(name), *day_us, std::move(done));
}

} // namespace tocsin::ipc::http
