// SPDX-License-Identifier: Apache-2.0
// tocsinctl without its process: words and surroundings in, text and an exit code out, so that tests can run all of it.
#pragma once

#include "cli/client.hpp"
#include "cli/output.hpp"
#include "cli/pager.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::cli {

struct Surroundings {
    std::string socket{};      // TOCSIN_SOCKET
    std::string runtime_dir{}; // XDG_RUNTIME_DIR
    bool is_root = false;
    bool no_color = false; // NO_COLOR is set and not empty, or TERM=dumb
    std::int64_t now_us = 0;
    int input_fd = 0;
    int output_fd = 1;
    int error_fd = 2;
    bool person = false;                // standard input and errors are a terminal
    std::optional<PagerWishes> pager{}; // unset: no pager, whatever the other end is
};

using ClientMaker = std::function<std::unique_ptr<Client>(ClientOptions)>;

int run_program(std::span<const std::string_view> words, const Surroundings& surroundings, Output& out, Output& err,
                const ClientMaker& connect);

} // namespace tocsin::cli
