// SPDX-License-Identifier: Apache-2.0
// import: events of an export, taken in by a daemon as new ones.
#include "cli/import_lines.hpp"
#include "cli/interrupts.hpp"
#include "cli/new_file.hpp"
#include "cli/session.hpp"
#include "cli/upload.hpp"
#include "cli/verbs.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

namespace tocsin::cli {
namespace {

constexpr std::array own_options = std::to_array<Option>({
    {.name = "format", .value = "FORMAT", .help = "ndjson (the default) or csv; by the name of FILE where it ends so"},
    {.name = "no-keys", .help = "give events without an idempotency key none: imported again, they are there twice"},
    {.name = "no-scripts", .help = "leave out spark_script, so that no script is started"},
});

Result<ImportRules> read_rules(const Arguments& arguments, std::string_view name) {
    const std::string_view format = arguments.value_or("format", name.ends_with(".csv") ? "csv" : "ndjson");
    if (format != "ndjson" && format != "csv") {
        return usage("--format", fmt::format("\"{}\" is not ndjson or csv", format.substr(0, 64)));
    }
    return ImportRules{.format = format == "csv" ? ImportFormat::csv : ImportFormat::ndjson,
                       .keys = !arguments.has("no-keys"),
                       .scripts = !arguments.has("no-scripts")};
}

Result<int> run_import(Session& session, const Arguments& arguments) {
    const std::string& name = arguments.positional.front();
    const auto rules = read_rules(arguments, name);
    if (!rules) {
        return std::unexpected(rules.error());
    }
    const Fd file(name == "-" ? -1 : ::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (name != "-" && !file.valid()) {
        return std::unexpected(file_problem(errno, name));
    }
    ImportLines lines(*rules);
    Interrupts interrupts;
    return Upload(session, interrupts, name, &lines).run(file.valid() ? file.get() : session.input_fd);
}

constexpr std::array<std::string_view, 3> examples{
    "tocsinctl import events.ndjson",
    "tocsinctl import --no-scripts old.csv",
    "zstd -dc sshd.ndjson.zst | tocsinctl import -",
};

constexpr std::array table = std::to_array<Verb>({
    {.name = "import",
     .arguments = "FILE | -",
     .summary = "take in events of an export",
     .text =
         "All that a sender says of an event comes back as it was, event_time included. What the daemon says of it is "
         "said\n"
         "anew: unique_index, received_time, host, origin, cause and report; events of a daemon's own (event_src "
         "tocsin)\n"
         "are left out. An event without an idempotency_key gets one, so a file that is imported again, within the\n"
         "daemon's store.idempotency_window and by the same user, adds nothing. spark_script asks for its script "
         "again.",
     .options = {own_options, {}},
     .arguments_min = 1,
     .arguments_max = 1,
     .examples = examples,
     .run = run_import,
     .words = "@files"},
});

} // namespace

std::span<const Verb> import_verbs() {
    return table;
}

} // namespace tocsin::cli
