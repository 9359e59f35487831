// SPDX-License-Identifier: Apache-2.0
// What a verb works with: the daemon, where its text goes, and how the person wants to see it. And the small things
// that most verbs do with it.
#pragma once

#include "cli/client.hpp"
#include "cli/format.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/problem.hpp"
#include "cli/value.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tocsin::cli {

struct Session {
    Client& client;
    Output& out;
    Output& err;
    std::int64_t now_us = 0;
    int input_fd = 0;
    int output_fd = 1; // of commands that are run; everything of our own goes to `out` and `err`
    int error_fd = 2;
    Format format = Format::table;
    bool utc = false;
    std::string socket{};  // for messages
    std::string command{}; // "tocsinctl", with the --socket that was given
    bool may_ask = false;  // a person at a terminal, who can be asked for a password
    bool json() const { return format == Format::json; }
};

// A request without a body, with one of JSON.
Result<Response> get(Session& session, std::string target, std::string_view accept = "application/json");
Result<Response> post(Session& session, std::string target, std::string body = {});
Request post_of(std::string target, std::string body = {});

// The body as it came, and a newline where there is none.
void write_body(Session& session, std::string_view body);

// --json prints the answer as it is; otherwise `show` writes it for people.
Result<int> answer(Session& session, const Result<Response>& response,
                   const std::function<void(Session&, const Value&)>& show);

// A decimal index or id of the command line as path segment.
Result<std::string> id_argument(std::string_view name, std::string_view text);

struct ListRequest {
    std::string_view path;
    Parameters parameters{};
    std::size_t limit = 0; // items in all; 0: no limit
    std::size_t page = 1'000;
    std::string cursor{}; // encoded
};
// Calls `use` with the items of each page until the limit, the end, or until nobody reads. True where there is more.
Result<bool> each_page(Session& session, ListRequest request, const std::function<void(const Value::Array&)>& use);

} // namespace tocsin::cli
