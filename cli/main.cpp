// SPDX-License-Identifier: Apache-2.0
#include "cli/problem.hpp"
#include "cli/program.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

std::string environment(const char* name) {
    const char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): one thread
    return value == nullptr ? std::string() : std::string(value);
}

tocsin::cli::Surroundings surroundings() {
    return {.socket = environment("TOCSIN_SOCKET"),
            .runtime_dir = environment("XDG_RUNTIME_DIR"),
            .is_root = ::geteuid() == 0,
            .no_color = !environment("NO_COLOR").empty() || environment("TERM") == "dumb",
            .now_us = tocsin::SystemClock().wall_us(),
            .input_fd = STDIN_FILENO,
            .person = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1,
            .pager = environment("TERM") == "dumb" ? std::nullopt : std::optional(tocsin::cli::pager_wishes())};
}

int run(const std::vector<std::string_view>& words) {
    using namespace tocsin::cli;
    FileOutput out(STDOUT_FILENO);
    FileOutput err(STDERR_FILENO);
    int code = run_program(words, surroundings(), out, err, make_client);
    if (const auto written = out.finish(); !written) {
        err.write(render(written.error(), ""));
        code = code == 0 ? exit_code(written.error()) : code;
    }
    static_cast<void>(err.finish()); // nobody is left to tell
    return code;
}

} // namespace

int main(int argc, char** argv) {
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN; // a reader that left is seen by write()
    ::sigaction(SIGPIPE, &ignore, nullptr);
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        tocsin::fatal(error.what()); // out of memory, or a mistake of ours
    }
}
