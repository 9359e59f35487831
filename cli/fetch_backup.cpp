// SPDX-License-Identifier: Apache-2.0
#include "cli/fetch_backup.hpp"

#include "cli/interrupts.hpp"
#include "cli/new_file.hpp"
#include "cli/progress.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <unistd.h>

namespace tocsin::cli {
namespace {

int write_whole(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(file, bytes.data(), bytes.size());
        if (put < 0 && errno != EINTR) {
            return errno;
        }
        bytes.remove_prefix(put > 0 ? static_cast<std::size_t>(put) : 0);
    }
    return 0;
}

} // namespace

Result<storage::WholeBackup> fetch_backup(Session& session, int file) {
    Interrupts interrupts;
    ProgressLine progress(session);
    std::uint64_t bytes = 0;
    int failed = 0;
    bool stopped = false;
    const auto use = [&](std::string_view piece) {
        stopped = interrupts.stopped();
        failed = stopped ? 0 : write_whole(file, piece);
        bytes += piece.size();
        progress.show(fmt::format("{} fetched", size_text(bytes)));
        return !stopped && failed == 0;
    };
    const auto answer = session.client.stream({.method = "POST", .target = "/v1/backup"}, use);
    if (stopped) {
        return fail(Code::unavailable, "backup", "", "stopped by a signal; nothing was kept");
    }
    if (failed != 0) {
        Error error = file_problem(failed, "the copy");
        error.reason += "; nothing was kept";
        return std::unexpected(std::move(error));
    }
    if (!answer) {
        return std::unexpected(answer.error());
    }
    if (!answer->ok()) {
        return std::unexpected(problem_of(*answer));
    }
    return storage::check_backup(file);
}

} // namespace tocsin::cli
