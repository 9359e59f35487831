// SPDX-License-Identifier: Apache-2.0
// export: events as NDJSON or CSV, to a file or standard output, page after page.
#include "cli/filters.hpp"
#include "cli/interrupts.hpp"
#include "cli/new_file.hpp"
#include "cli/pages.hpp"
#include "cli/progress.hpp"
#include "cli/verbs.hpp"
#include "core/json.hpp"

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

constexpr std::array own_options = std::to_array<Option>({
    {.name = "format",
     .value = "FORMAT",
     .help = "ndjson (the default) or csv; by the name of FILE where it ends so",
     .words = "ndjson csv"},
    {.name = "order",
     .value = "ORDER",
     .help = "index (the default), oldest or newest",
     .words = "index oldest newest"},
});

Result<Format> choose_format(const Arguments& arguments, std::string_view file) {
    const auto output = arguments.value("output");
    const bool lines = output == "ndjson" || output == "csv"; // -o json is about what is told of a FILE
    if (lines && arguments.has("format")) {
        return usage("--format", "is the same as --output; give one of them");
    }
    const std::string_view text =
        lines ? *output : arguments.value_or("format", file.ends_with(".csv") ? "csv" : "ndjson");
    const auto format = format_from(text);
    if (!format || (*format != Format::ndjson && *format != Format::csv)) {
        return usage("--format", fmt::format("\"{}\" is not ndjson or csv", text.substr(0, 64)));
    }
    return *format;
}

struct Written {
    std::size_t events = 0;
    bool stopped = false;
};

Result<Written> write_events(Session& session, Output& out, ListRequest request, Format format) {
    Interrupts interrupts;
    ProgressLine progress(session);
    Session other{.client = session.client, .out = out, .err = session.err};
    Written written;
    const auto more = [&](std::size_t events) {
        written.events = events;
        progress.show(fmt::format("{} events", events));
        written.stopped = interrupts.stopped();
        return !written.stopped;
    };
    const auto done = write_pages(other, std::move(request), format, more);
    return done ? Result<Written>(written) : std::unexpected(done.error());
}

void show(Session& session, const std::string& path, std::size_t events) {
    if (!session.json()) {
        session.out.line(fmt::format("{}: {} event{}", path, events, events == 1 ? "" : "s"));
        return;
    }
    std::string line;
    json::ObjectWriter writer(line);
    writer.add("path", std::string_view(path));
    writer.add("count", std::uint64_t{events});
    writer.close();
    session.out.line(line);
}

Error stopped() {
    return {.code = Code::unavailable, .context = "export", .object = {}, .reason = "stopped by a signal"};
}

Result<int> export_file(Session& session, const std::string& path, ListRequest request, Format format) {
    auto file = NewFile::create(path);
    if (!file) {
        return std::unexpected(file.error());
    }
    FileOutput out(file->get());
    const auto written = write_events(session, out, std::move(request), format);
    if (!written || written->stopped) {
        return std::unexpected(written ? stopped() : written.error());
    }
    if (auto whole = out.finish(); !whole) {
        return std::unexpected(whole.error());
    }
    if (auto kept = file->keep(); !kept) {
        return std::unexpected(kept.error());
    }
    show(session, path, written->events);
    return 0;
}

Result<int> run_export(Session& session, const Arguments& arguments) {
    const std::string path = arguments.positional.empty() ? "-" : arguments.positional.front();
    const auto format = choose_format(arguments, path);
    if (!format) {
        return std::unexpected(format.error());
    }
    ListRequest request{.path = "/v1/events", .parameters = filter_parameters(arguments, session.now_us)};
    request.parameters.emplace_back("order", arguments.value_or("order", "index"));
    request.page = limits::page_max;
    if (path != "-") {
        return export_file(session, path, std::move(request), *format);
    }
    const auto written = write_events(session, session.out, std::move(request), *format);
    if (!written || written->stopped) {
        return std::unexpected(written ? stopped() : written.error());
    }
    return 0;
}

constexpr std::array<std::string_view, 4> examples{
    "tocsinctl export events.ndjson",
    "tocsinctl export --since -1d --min-severity warning warnings.csv",
    "tocsinctl export --src sshd | zstd > sshd.ndjson.zst",
    "tocsinctl export | tocsinctl --socket /run/other/tocsin.sock import -",
};

constexpr std::array table = std::to_array<Verb>({
    {.name = "export",
     .arguments = "[FILE | -]",
     .summary = "write events as NDJSON or CSV",
     .text =
         "Every event, or those that the options ask for, with all that is known of it: one JSON object a line, or a "
         "row of\n"
         "CSV. FILE appears when it is whole and on the disk, and is never overwritten; without it, or with \"-\", "
         "they go\n"
         "to standard output. Events that arrive meanwhile are not in it.",
     .options = {filter_options, own_options},
     .arguments_max = 1,
     .examples = examples,
     .run = run_export,
     .formats = "table json ndjson csv",
     .words = "@files"},
});

} // namespace

std::span<const Verb> export_verbs() {
    return table;
}

} // namespace tocsin::cli
