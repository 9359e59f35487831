// SPDX-License-Identifier: Apache-2.0
// backup: a copy of the running daemon's store in a directory of its own.
#include "cli/fetch_backup.hpp"
#include "cli/new_file.hpp"
#include "cli/progress.hpp"
#include "cli/verbs.hpp"
#include "core/json.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

namespace tocsin::cli {
namespace {

constexpr mode_t directory_mode = 0700; // it holds what the store holds
constexpr std::string_view file_name = "data.mdb";

void show(Session& session, const std::string& path, const storage::WholeBackup& made) {
    if (!session.json()) {
        session.out.line(
            fmt::format("{}: {}, every event up to index {}", path, size_text(made.bytes), made.last_index));
        return;
    }
    std::string line;
    json::ObjectWriter writer(line);
    writer.add("path", std::string_view(path));
    writer.add("bytes", made.bytes);
    writer.add("last_index", made.last_index);
    writer.add("made", TimeUs{made.made_us});
    writer.close();
    session.out.line(line);
}

Result<int> run_backup(Session& session, const Arguments& arguments) {
    const std::string directory = arguments.positional.front();
    if (::mkdir(directory.c_str(), directory_mode) != 0 && errno != EEXIST) {
        return std::unexpected(file_problem(errno, directory));
    }
    auto file = NewFile::create(fmt::format("{}/{}", directory, file_name));
    if (!file) {
        return std::unexpected(file.error());
    }
    const auto made = fetch_backup(session, file->get());
    if (!made) {
        return std::unexpected(made.error());
    }
    if (auto kept = file->keep(); !kept) {
        return std::unexpected(kept.error());
    }
    show(session, file->path(), *made);
    return 0;
}

constexpr std::array<std::string_view, 2> examples{
    "tocsinctl backup /srv/backups/$(date +%F)",
    "tocsinctl verify /srv/backups/2026-01-02",
};

constexpr std::array table = std::to_array<Verb>({
    {.name = "backup",
     .arguments = "DIR",
     .summary = "copy the store while the daemon runs",
     .text =
         "Makes DIR where it is missing, and in it data.mdb, with every event that was acknowledged before, and all "
         "that\n"
         "belongs to them. The file appears when it is whole, checked and on the disk; nothing is overwritten, so "
         "each\n"
         "backup has a DIR of its own. A daemon whose store directory holds just this file starts from it.",
     .arguments_min = 1,
     .arguments_max = 1,
     .examples = examples,
     .run = run_backup,
     .words = "@files"},
});

} // namespace

std::span<const Verb> backup_verbs() {
    return table;
}

} // namespace tocsin::cli
