// SPDX-License-Identifier: Apache-2.0
// Reads the configuration from all of its sources, in their order:
//   /usr/lib/tocsin/tocsin.toml, /usr/lib/tocsin/conf.d/*.toml, /etc/tocsin/tocsin.toml, /etc/tocsin/conf.d/*.toml
//     (with --config FILE instead: FILE and conf.d/*.toml beside it, and FILE must exist),
//   STATE_DIR/conf.d/*.toml (what the faces wrote), TOCSIN_CONF_SECTION__KEY=value, --set section.key=value.
// Blocks on files; meant for the start and for a reload.
#pragma once

#include "core/error.hpp"
#include "daemon/config.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::daemon {

struct ConfigSources {
    std::optional<std::filesystem::path> file{}; // --config
    std::filesystem::path vendor = "/usr/lib/tocsin";
    std::filesystem::path admin = "/etc/tocsin";
    std::filesystem::path written{}; // STATE_DIR/conf.d; empty: none
    std::vector<std::pair<std::string, std::string>>
        environment{};               // every variable; others than TOCSIN_CONF_* are ignored
    std::vector<std::string> sets{}; // KEY=VALUE
    bool owner_must_be_root = false; // refuse files that others than root can change
};

Loaded load_config(const ConfigSources& sources);

// The variables of this process.
std::vector<std::pair<std::string, std::string>> process_environment();

// The first problem, and how many more there are, as one error.
Error first_problem(const Loaded& loaded);

} // namespace tocsin::daemon
