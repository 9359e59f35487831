// SPDX-License-Identifier: Apache-2.0
#include "daemon/options.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <unistd.h>

namespace tocsin::daemon {

namespace {

namespace fs = std::filesystem;

// One option: its name, whether a value follows, and what it does to the options. false: the value is wrong.
struct Option {
    std::string_view name;
    std::string_view value; // what the value is called; empty: none
    bool (*apply)(Options& options, std::string_view value);
    std::string_view help;
};

bool set_bus(Options& options, std::string_view value) {
    for (const Bus bus : {Bus::system, Bus::user, Bus::none}) {
        if (value == to_string(bus)) {
            options.bus = bus;
            return true;
        }
    }
    return false;
}

bool add_set(Options& options, std::string_view value) {
    const std::size_t equals = value.find('=');
    options.sets.emplace_back(value);
    return equals != std::string_view::npos && equals > 0;
}

bool set_path(fs::path& path, std::string_view value) {
    path = value;
    return !value.empty();
}

bool set_config(Options& options, std::string_view value) {
    return set_path(options.config.emplace(), value);
}

bool set_state_dir(Options& options, std::string_view value) {
    return set_path(options.state_dir, value);
}

bool set_runtime_dir(Options& options, std::string_view value) {
    return set_path(options.runtime_dir, value);
}

bool set_json(Options& options, std::string_view) {
    options.json = true;
    return true;
}

template <Action action> bool set_action(Options& options, std::string_view) {
    options.action = action;
    return true;
}

constexpr std::array<Option, 10> all_options = {{
    {"--config", "FILE", set_config, "read FILE and conf.d/*.toml beside it instead of the system's files"},
    {"--state-dir", "DIR", set_state_dir, "where the store and the products are kept"},
    {"--runtime-dir", "DIR", set_runtime_dir, "where the socket tocsin.sock is made"},
    {"--bus", "system|user|none", set_bus, "the D-Bus to serve on"},
    {"--set", "KEY=VALUE", add_set, "set one key of the configuration, as in store.max_bytes=4G"},
    {"--check-config", "", set_action<Action::check_config>, "check the configuration and exit"},
    {"--json", "", set_json, "with --check-config: the result as JSON"},
    {"--describe-config", "", set_action<Action::describe_config>, "print every key as JSON and exit"},
    {"--version", "", set_action<Action::version>, "print the version and exit"},
    {"--help", "", set_action<Action::help>, "print this and exit"},
}};

const Option* find_option(std::string_view name) {
    for (const Option& option : all_options) {
        if (option.name == name) {
            return &option;
        }
    }
    return nullptr;
}

std::unexpected<Error> usage_error(std::string_view object, std::string reason) {
    return fail(Code::invalid_argument, "options", std::string(object), std::move(reason));
}

Result<void> read_arguments(std::span<const char* const> arguments, Options& options) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view argument = arguments[i];
        const std::size_t equals = argument.find('=');
        const std::string_view name = argument == "-h" ? "--help" : argument.substr(0, equals);
        const Option* option = find_option(name);
        if (option == nullptr) {
            return usage_error(argument, "is not an option of tocsind; see tocsind --help");
        }
        std::optional<std::string_view> value;
        if (equals != std::string_view::npos) {
            value = argument.substr(equals + 1);
        } else if (!option->value.empty() && i + 1 < arguments.size()) {
            value = arguments[++i];
        }
        if (option->value.empty() && value) {
            return usage_error(name, "takes no value");
        }
        if (!option->value.empty() && !value) {
            return usage_error(name, fmt::format("needs a value: {} {}", name, option->value));
        }
        if (!option->apply(options, value.value_or(""))) {
            return usage_error(name, fmt::format("\"{}\" is wrong; expected {}", *value, option->value));
        }
    }
    return {};
}

std::optional<std::string> variable(const Surroundings& surroundings, const char* name) {
    auto value = surroundings.variable ? surroundings.variable(name) : std::nullopt;
    return value && value->empty() ? std::nullopt : value;
}

Result<fs::path> default_state_dir(const Surroundings& surroundings) {
    if (const auto systemd = variable(surroundings, "STATE_DIRECTORY")) {
        return fs::path(systemd->substr(0, systemd->find(':')));
    }
    if (surroundings.root) {
        return fs::path("/var/lib/tocsin");
    }
    if (const auto xdg = variable(surroundings, "XDG_STATE_HOME")) {
        return fs::path(*xdg) / "tocsin";
    }
    if (const auto home = variable(surroundings, "HOME")) {
        return fs::path(*home) / ".local/state/tocsin";
    }
    return usage_error("--state-dir", "is needed, since neither STATE_DIRECTORY nor XDG_STATE_HOME nor HOME is set");
}

Result<fs::path> default_runtime_dir(const Surroundings& surroundings) {
    if (surroundings.root) {
        return fs::path("/run/tocsin");
    }
    if (const auto xdg = variable(surroundings, "XDG_RUNTIME_DIR")) {
        return fs::path(*xdg) / "tocsin";
    }
    return usage_error("--runtime-dir", "is needed, since XDG_RUNTIME_DIR is not set");
}

// The given directory, or the default one, made absolute.
Result<void> settle(fs::path& path, const Surroundings& surroundings,
                    Result<fs::path> (*fallback)(const Surroundings&)) {
    if (path.empty()) {
        auto found = fallback(surroundings);
        if (!found) {
            return std::unexpected(std::move(found.error()));
        }
        path = std::move(*found);
    }
    path = (surroundings.directory / path).lexically_normal();
    if (!path.has_filename()) { // "dir/"
        path = path.parent_path();
    }
    return {};
}

} // namespace

std::string_view to_string(Bus bus) {
    static constexpr std::array<std::string_view, 3> names = {"system", "user", "none"};
    return names.at(static_cast<std::size_t>(bus));
}

Surroundings this_process() {
    std::error_code error;
    fs::path directory = fs::current_path(error);
    return Surroundings{.root = geteuid() == 0,
                        .directory = error ? fs::path("/") : std::move(directory),
                        .variable = [](const char* name) -> std::optional<std::string> {
                            const char* value = getenv(name);
                            return value == nullptr ? std::nullopt : std::optional<std::string>(value);
                        }};
}

Result<Options> parse_options(std::span<const char* const> arguments, const Surroundings& surroundings) {
    Options options;
    options.bus = surroundings.root ? Bus::system : Bus::user;
    if (auto read = read_arguments(arguments, options); !read) {
        return std::unexpected(std::move(read.error()));
    }
    if (options.json && options.action != Action::check_config) {
        return usage_error("--json", "belongs to --check-config");
    }
    if (options.config) {
        options.config = (surroundings.directory / *options.config).lexically_normal();
    }
    if (options.action == Action::run || options.action == Action::check_config) {
        if (auto settled = settle(options.state_dir, surroundings, default_state_dir); !settled) {
            return std::unexpected(std::move(settled.error()));
        }
    }
    if (options.action == Action::run) {
        if (auto settled = settle(options.runtime_dir, surroundings, default_runtime_dir); !settled) {
            return std::unexpected(std::move(settled.error()));
        }
    }
    return options;
}

std::string usage() {
    std::string out = "Usage: tocsind [OPTION]…\nTakes in events and heartbeats, keeps them, runs the scripts that "
                      "belong to them.\n\n";
    for (const Option& option : all_options) {
        const std::string left =
            option.value.empty() ? std::string(option.name) : fmt::format("{} {}", option.name, option.value);
        out += fmt::format("  {:<23} {}\n", left, option.help);
    }
    return out + "\nSee tocsind(8) and tocsin.toml(5).\n";
}

} // namespace tocsin::daemon
