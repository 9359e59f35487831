// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/arguments.hpp"
#include "ipc/dbus/interfaces.hpp"
#include "ipc/dbus/memfd.hpp"
#include "ipc/dbus/read_variant.hpp"

#include <utility>

namespace tocsin::ipc::dbus {

namespace {

// A name and a day, as Histogram and HistogramImage take them.
struct NamedDay {
    std::string event_name{};
    std::int64_t day_us = 0;
};

Result<NamedDay> read_named_day(sd_bus_message* message) {
    const char* name = nullptr;
    const char* day = nullptr;
    if (sd_bus_message_read(message, "ss", &name, &day) < 0) {
        return std::unexpected(unreadable("event_name and yyyymmdd"));
    }
    const auto day_us = parse_day(day);
    return day_us ? Result<NamedDay>(NamedDay{name, *day_us}) : std::unexpected(day_us.error());
}

} // namespace

Interface StatisticsFace::interface() {
    Interface self{statistics_interface};
    self.methods = {
        {"Totals",
         Action::read,
         {"a{sv}as", {"filter", "group_by"}},
         {"a(ast)", {"totals"}},
         bind(this, &StatisticsFace::totals)},
        {"Hourly",
         Action::read,
         {"a{sv}us", {"filter", "limit", "cursor"}},
         {"a(tst)s", {"items", "next"}},
         bind(this, &StatisticsFace::hourly)},
        {"Histogram",
         Action::read,
         {"ss", {"event_name", "yyyymmdd"}},
         {"at", {"counts"}},
         bind(this, &StatisticsFace::histogram)},
        {"HistogramImage",
         Action::read,
         {"sss", {"event_name", "yyyymmdd", "format"}},
         {"h", {"image"}},
         bind(this, &StatisticsFace::histogram_image)},
    };
    return self;
}

void StatisticsFace::totals(Call call) {
    auto filter = read_filter(call.message(), services_.intake.rules().zone);
    if (!filter) {
        call.refuse(filter.error());
        return;
    }
    const auto names = read_texts(call.message(), "group_by");
    const auto by = names ? parse_group_keys(*names) : std::unexpected(names.error());
    if (!by) {
        call.refuse(by.error());
        return;
    }
    services_.statistics.totals(std::move(*filter), *by, [held = std::move(call)](Result<Totals> totals) mutable {
        if (!totals) {
            held.refuse(totals.error());
            return;
        }
        held.reply([&totals](Out& out) {
            out.open('a', "(ast)");
            for (const TotalsRow& row : *totals) {
                out.open('r', "ast");
                out.texts(row.values);
                out.counter(row.count);
                out.close();
            }
            out.close();
        });
    });
}

void StatisticsFace::hourly(Call call) {
    auto filter = read_filter(call.message(), services_.intake.rules().zone);
    if (!filter) {
        call.refuse(filter.error());
        return;
    }
    const auto page = read_page(call.message());
    if (!page) {
        call.refuse(page.error());
        return;
    }
    services_.statistics.hourly(std::move(*filter), page->limit, page->cursor,
                                [held = std::move(call)](Result<HourPage> hours) mutable {
                                    if (!hours) {
                                        held.refuse(hours.error());
                                        return;
                                    }
                                    held.reply([&hours](Out& out) {
                                        out.open('a', "(tst)");
                                        for (const HourRow& row : hours->rows) {
                                            out.open('r', "tst");
                                            out.counter(static_cast<std::uint64_t>(row.hour_us));
                                            out.text(row.event_name);
                                            out.counter(row.count);
                                            out.close();
                                        }
                                        out.close();
                                        out.text(hours->next);
                                    });
                                });
}

void StatisticsFace::histogram(Call call) {
    auto asked = read_named_day(call.message());
    if (!asked) {
        call.refuse(asked.error());
        return;
    }
    services_.statistics.histogram(
        std::move(asked->event_name), asked->day_us, [held = std::move(call)](Result<DayCounts> counts) mutable {
            if (!counts) {
                held.refuse(counts.error());
                return;
            }
            held.reply([&counts](Out& out) { out.counters({counts->begin(), counts->end()}); });
        });
}

namespace {

void answer_picture(Call call, const Result<std::string>& picture) {
    const auto file = picture ? Memfd::sealed(*picture) : std::unexpected(picture.error());
    if (!file) {
        call.refuse(file.error());
        return;
    }
    call.reply([&file](Out& out) { out.descriptor(file->get()); });
}

} // namespace

void StatisticsFace::histogram_image(Call call) {
    auto asked = read_named_day(call.message());
    const char* format = nullptr;
    if (asked && sd_bus_message_read_basic(call.message(), 's', &format) < 0) {
        asked = std::unexpected(unreadable("format"));
    }
    const std::string_view wanted = asked ? format : "";
    if (asked && wanted != "png" && wanted != "svg") {
        asked = fail(Code::invalid_argument, "statistics", "format", "is neither png nor svg");
    }
    if (!asked) {
        call.refuse(asked.error());
        return;
    }
    const PictureFormat picture = wanted == "png" ? PictureFormat::png : PictureFormat::svg;
    auto draw = [&pictures = services_.pictures, day = *asked, picture,
                 held = std::move(call)](Result<DayCounts> counts) mutable {
        if (!counts) {
            held.refuse(counts.error());
            return;
        }
        pictures.histogram(
            day.event_name, day.day_us, *counts, picture,
            [held = std::move(held)](Result<std::string> drawn) mutable { answer_picture(std::move(held), drawn); });
    };
    services_.statistics.histogram(asked->event_name, asked->day_us, std::move(draw));
}

} // namespace tocsin::ipc::dbus
