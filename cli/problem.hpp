// SPDX-License-Identifier: Apache-2.0
// Errors as people and programs meet them: a problem document of the daemon becomes an Error, an Error becomes lines on
// standard error (what is wrong, where, what to do next) and an exit code.
#pragma once

#include "cli/client.hpp"
#include "cli/value.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::cli {

// What a refused NDJSON body says beside the error.
struct Progress {
    std::uint64_t accepted = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

// An answer that is no problem document becomes unavailable with its status.
Error problem_of(const Response& response);
Progress progress_of(const Response& response);

// The body parsed, or the problem.
Result<Value> value_of(const Result<Response>& response);

int exit_code(const Error& error);
// Lines that end with a newline; printable.
std::string render(const Error& error, std::string_view verb);
// The problem document, for programs that asked for JSON.
std::string render_json(const Error& error, const Progress* progress = nullptr);

} // namespace tocsin::cli
