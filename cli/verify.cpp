// SPDX-License-Identifier: Apache-2.0
// verify: a store read from end to end and compared with itself. That of the running daemon is looked at in a copy: a
// look at its own files would hold their pages for as long as it takes, and its lock.
#include "cli/fetch_backup.hpp"
#include "cli/new_file.hpp"
#include "cli/progress.hpp"
#include "cli/text.hpp"
#include "cli/verbs.hpp"
#include "core/json.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>

namespace tocsin::cli {
namespace {

constexpr int found_wrong = 1;

std::string array_of(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) {
        out += out.size() > 1 ? "," : "";
        json::append_string(out, text);
    }
    return out + "]";
}

void show_json(Session& session, const storage::Inspection& seen) {
    std::string line;
    json::ObjectWriter writer(line);
    writer.add("store_id", std::string_view(seen.store_id));
    writer.add("first_index", seen.first);
    writer.add("last_index", seen.last);
    writer.add("event_count", seen.count);
    writer.add("expired_count", seen.expired);
    writer.add("counted_to", seen.checkpoint);
    writer.add("bytes", seen.bytes);
    writer.add("pages_used", seen.pages_used);
    writer.add("pages_free", seen.pages_free);
    if (seen.made_us) {
        writer.add("made", TimeUs{*seen.made_us});
    }
    writer.add("problem_count", seen.problem_count);
    const std::string problems = array_of(seen.problems);
    writer.add("problems", RawJson{problems});
    writer.close();
    session.out.line(line);
}

void show_text(Session& session, std::string_view what, const storage::Inspection& seen) {
    for (const std::string& problem : seen.problems) {
        session.out.line(printable(problem));
    }
    if (seen.problem_count > seen.problems.size()) {
        session.out.line(fmt::format("… and {} more", seen.problem_count - seen.problems.size()));
    }
    const std::string size =
        fmt::format("{}, {} pages used, {} free", size_text(seen.bytes), seen.pages_used, seen.pages_free);
    const std::string expired = seen.expired == 0 ? "" : fmt::format(", {} expired", seen.expired);
    if (seen.problem_count == 0) {
        session.out.line(
            fmt::format("{}: {} — {} events{}{}, {}", what, session.out.paint(Colour::green, "sound"), seen.count,
                        seen.count == 0 ? "" : fmt::format(" (index {} to {})", seen.first, seen.last), expired, size));
        return;
    }
    session.out.line(fmt::format("{}: {} — {} problem{}, {}", what, session.out.paint(Colour::red, "damaged"),
                                 seen.problem_count, seen.problem_count == 1 ? "" : "s", size));
    session.err.line(
        "  keep a copy of it, then restore the last sound backup (docs/operations.md, Backup and restore)");
}

Result<int> look(Session& session, const std::string& path, std::string_view what) {
    Result<storage::Inspection> seen = fail(Code::unavailable, "verify", "", "");
    {
        ProgressLine line(session);
        const auto progress = [&line](std::string_view of, std::uint64_t done, std::uint64_t all) {
            line.show(all == 0 ? fmt::format("{} {} read", done, of)
                               : fmt::format("{} of {} of {} read", size_text(done), size_text(all), of));
        };
        seen = storage::inspect(path, {}, progress);
    }
    if (!seen) {
        return std::unexpected(seen.error());
    }
    if (session.json()) {
        show_json(session, *seen);
    } else {
        show_text(session, what, *seen);
    }
    return seen->problem_count == 0 ? 0 : found_wrong;
}

// The copy has no name, so nothing of it stays whatever happens.
Result<int> look_at_running(Session& session) {
    const char* const chosen = std::getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): one thread
    const std::string directory = chosen != nullptr && *chosen != 0 ? chosen : "/var/tmp";
    std::string name = directory + "/tocsin-verify-XXXXXX";
    const Fd file(::mkostemp(name.data(), O_CLOEXEC));
    if (!file.valid()) {
        return std::unexpected(file_problem(errno, directory));
    }
    ::unlink(name.c_str());
    if (const auto fetched = fetch_backup(session, file.get()); !fetched) {
        return std::unexpected(fetched.error());
    }
    return look(session, fmt::format("/proc/self/fd/{}", file.get()), "the running daemon's store");
}

Result<int> run_verify(Session& session, const Arguments& arguments) {
    if (arguments.positional.empty()) {
        return look_at_running(session);
    }
    const std::string& path = arguments.positional.front();
    return look(session, path, printable(path));
}

constexpr std::array<std::string_view, 3> examples{
    "tocsinctl verify",
    "tocsinctl verify /srv/backups/2026-01-02",
    "systemctl stop tocsind.socket tocsind; tocsinctl verify /var/lib/tocsin",
};

constexpr std::array table = std::to_array<Verb>({
    {.name = "verify",
     .arguments = "[PATH]",
     .summary = "read a store from end to end and compare it with itself",
     .text =
         "Without PATH the store of the running daemon, in a copy made under TMPDIR (/var/tmp), which needs room for "
         "it.\n"
         "PATH is a backup, or the state directory of a stopped daemon. Every page is where it belongs, every "
         "record's\n"
         "checksum is right, counters are equal to the events, every index entry and cursor is right; what is wrong "
         "is\n"
         "named, one line each. Exit status 1 when something is.",
     .arguments_max = 1,
     .examples = examples,
     .run = run_verify,
     .words = "@files"},
});

} // namespace

std::span<const Verb> verify_verbs() {
    return table;
}

} // namespace tocsin::cli
