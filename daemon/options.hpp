// SPDX-License-Identifier: Apache-2.0
// The command line of tocsind, and where things are when it says nothing: root and systemd get the system's directories
// and bus, anybody else their own.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::daemon {

enum class Bus : std::uint8_t { system, user, none };
std::string_view to_string(Bus bus);

enum class Action : std::uint8_t { run, help, version, check_config, describe_config };

struct Options {
    Action action = Action::run;
    bool json = false;
    std::optional<std::filesystem::path> config{};
    std::filesystem::path state_dir{};   // absolute
    std::filesystem::path runtime_dir{}; // absolute
    Bus bus = Bus::system;
    std::vector<std::string> sets{}; // KEY=VALUE
};

// What the defaults depend on.
struct Surroundings {
    bool root = false;
    std::filesystem::path directory = "/"; // relative paths start here
    std::function<std::optional<std::string>(const char* name)> variable{};
};
Surroundings this_process();

// `arguments` without the program's name. invalid_argument with one line that says what to do.
Result<Options> parse_options(std::span<const char* const> arguments, const Surroundings& surroundings);

std::string usage();

} // namespace tocsin::daemon
