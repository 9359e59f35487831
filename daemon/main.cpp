// SPDX-License-Identifier: Apache-2.0
#include "daemon/app.hpp"
#include "daemon/config_describe.hpp"
#include "daemon/logging.hpp"
#include "daemon/process.hpp"
#include "storage/problems.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <span>
#include <unistd.h>

namespace {

constexpr int newer_store = 78; // the unit knows that trying again is in vain

using namespace tocsin;
using namespace tocsin::daemon;

ConfigSources config_sources(const Options& options) {
    return ConfigSources{.file = options.config,
                         .written = options.state_dir / "conf.d",
                         .environment = process_environment(),
                         .sets = options.sets,
                         .owner_must_be_root = geteuid() == 0};
}

int check_config(const Options& options) {
    const Loaded loaded = load_config(config_sources(options));
    fmt::print("{}", options.json ? check_config_json(loaded) : check_config_text(loaded));
    return loaded.problems.empty() ? 0 : info(Code::invalid_argument).exit_code;
}

int serve(const Options& options) {
    prepare_process();
    ConfigSources sources = config_sources(options);
    Loaded loaded = load_config(sources);
    log::start(loaded.config.daemon_log_level);
    for (const Problem& problem : loaded.problems) {
        log::error(problem.text());
    }
    if (!loaded.problems.empty()) {
        return info(Code::invalid_argument).exit_code;
    }
    for (const Warning& warning : loaded.warnings) {
        log::warning(warning.text());
    }
    App app(options, LiveConfig(std::move(sources), std::move(loaded)));
    if (auto started = app.start(); !started) {
        log::error(started.error().detail());
        return storage::is_from_newer_version(started.error()) ? newer_store : info(started.error().code).exit_code;
    }
    return app.run();
}

int tocsind(std::span<const char* const> arguments) {
    const auto options = parse_options(arguments, this_process());
    if (!options) {
        fmt::print(stderr, "tocsind: {}\n", options.error().detail());
        return info(options.error().code).exit_code;
    }
    switch (options->action) {
    case Action::help:
        fmt::print("{}", usage());
        return 0;
    case Action::version:
        fmt::print("tocsind {}\n", TOCSIN_VERSION);
        return 0;
    case Action::describe_config:
        fmt::print("{}", describe_config_json());
        return 0;
    case Action::check_config:
        return check_config(*options);
    case Action::run:
        return serve(*options);
    }
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return tocsind(std::span<const char* const>(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0));
    } catch (const std::exception& error) {
        fmt::print(stderr, "tocsind: {}\n", error.what());
        return 1;
    }
}
