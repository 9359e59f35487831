// SPDX-License-Identifier: Apache-2.0
#include "cli/program.hpp"

#include "cli/help.hpp"
#include "cli/problem.hpp"
#include "cli/session.hpp"
#include "cli/verbs.hpp"
#include "core/time.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

namespace tocsin::cli {
namespace {

constexpr std::string_view system_socket = "/run/tocsin/tocsin.sock"; // whose daemon is on the system bus
constexpr std::int64_t us_per_ms = 1'000;
constexpr std::int64_t timeout_us_max = 24LL * 3'600 * 1'000'000;

Result<std::chrono::milliseconds> read_timeout(const Arguments& arguments) {
    const auto text = arguments.value("timeout");
    if (!text) {
        return answer_default;
    }
    const auto us = parse_duration_us(*text);
    if (!us) {
        return usage("--timeout", us.error().reason);
    }
    if (*us < us_per_ms || *us > timeout_us_max) {
        return usage("--timeout", "must be between 1ms and 24h");
    }
    return std::chrono::milliseconds(*us / us_per_ms);
}

Result<void> set_colours(const Arguments& arguments, const Surroundings& surroundings, Output& out, Output& err) {
    const std::string_view when = arguments.value_or("color", "auto");
    if (when != "auto" && when != "always" && when != "never") {
        return usage("--color", fmt::format("\"{}\" is not auto, always or never", when.substr(0, 64)));
    }
    for (Output* output : {&out, &err}) {
        output->colours = when == "always" || (when == "auto" && output->terminal && !surroundings.no_color);
    }
    return {};
}

bool is_there(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0;
}

// Between us and `out`, where a person would have to scroll back.
std::unique_ptr<Output> open_pager(const Arguments& arguments, const Surroundings& surroundings, Output& out) {
    const bool wanted = arguments.verb == nullptr || arguments.verb->paged || arguments.has("help");
    const bool live = arguments.has("follow"); // what is to be seen at once
    if (!wanted || live || !out.terminal || !surroundings.pager || arguments.has("no-pager") ||
        pagers(*surroundings.pager).empty()) {
        return nullptr;
    }
    return std::make_unique<PagedOutput>(out, *surroundings.pager);
}

Result<int> run_verb(const Arguments& arguments, const Surroundings& surroundings, Output& terminal, Output& err,
                     const ClientMaker& connect) {
    const auto timeout = read_timeout(arguments);
    if (!timeout) {
        return std::unexpected(timeout.error());
    }
    const auto format = choose_format(arguments);
    if (!format) {
        return std::unexpected(format.error());
    }
    if (auto set = set_colours(arguments, surroundings, terminal, err); !set) {
        return std::unexpected(set.error());
    }
    const auto pager = open_pager(arguments, surroundings, terminal);
    Output& out = pager ? *pager : terminal;
    if (arguments.has("full")) {
        out.columns = 0;
    }
    const auto option = arguments.value("socket");
    const std::string socket = choose_socket({.option = option,
                                              .environment = surroundings.socket,
                                              .runtime_dir = surroundings.runtime_dir,
                                              .is_root = surroundings.is_root},
                                             is_there);
    const auto client = connect({.socket = socket, .answer = *timeout});
    Session session{.client = *client,
                    .out = out,
                    .err = err,
                    .now_us = surroundings.now_us,
                    .input_fd = surroundings.input_fd,
                    .output_fd = surroundings.output_fd,
                    .error_fd = surroundings.error_fd,
                    .format = *format,
                    .utc = arguments.has("utc"),
                    .socket = socket,
                    .command = option ? fmt::format("tocsinctl --socket {}", *option) : "tocsinctl",
                    .may_ask = surroundings.person && !surroundings.is_root && !arguments.has("no-ask-password") &&
                               socket == system_socket};
    return arguments.verb->run(session, arguments);
}

int tell(const Error& error, std::string_view verb, bool json, Output& err) {
    err.write(json ? render_json(error) + "\n" : render(error, verb));
    return exit_code(error);
}

} // namespace

int run_program(std::span<const std::string_view> words, const Surroundings& surroundings, Output& out, Output& err,
                const ClientMaker& connect) {
    const auto arguments = parse_words(words, all_verbs());
    if (!arguments) {
        return tell(arguments.error(), arguments.error().context, false, err);
    }
    if (arguments->has("version")) {
        out.line("tocsinctl " TOCSIN_VERSION);
        return 0;
    }
    const Verb* const verb = arguments->verb;
    if (verb == nullptr) { // --help alone
        const auto pager = open_pager(*arguments, surroundings, out);
        write_overview(pager ? *pager : out);
        return 0;
    }
    if (verb->run == nullptr) {
        err.line(fmt::format("tocsinctl: {} is not available in this version", verb->name));
        return info(Code::unavailable).exit_code;
    }
    if (arguments->has("help")) {
        const auto pager = open_pager(*arguments, surroundings, out);
        write_help(pager ? *pager : out, *verb);
        return 0;
    }
    const auto code = run_verb(*arguments, surroundings, out, err, connect);
    const bool json = arguments->has("json") || arguments->value_or("output", "") == "json";
    return code ? *code : tell(code.error(), verb->name, json, err);
}

} // namespace tocsin::cli
