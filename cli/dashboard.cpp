// SPDX-License-Identifier: Apache-2.0
// dashboard: a link for the browser that carries a token in its fragment, which no request sends and no log shows.
#include "cli/rows.hpp"
#include "cli/session.hpp"
#include "cli/verbs.hpp"
#include "cli/when.hpp"

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

constexpr std::array options = std::to_array<Option>({
    {.name = "forget", .help = "make all your links useless instead"},
});

void show_link(Session& session, const Value& token) {
    session.out.line(token["link"].text());
    session.err.line(fmt::format("Open it in a browser on this machine. Until {} it is you: show it to nobody "
                                 "(\"tocsinctl dashboard --forget\" ends it).",
                                 show_time(token["expires"].text(), session.utc)));
}

void show_forgotten(Session& session, const Value&) {
    session.out.line("Your links are forgotten.");
}

Result<int> run_dashboard(Session& session, const Arguments& arguments) {
    if (arguments.has("forget")) {
        return answer(session, session.client.send(Request{.method = "DELETE", .target = "/v1/tokens"}),
                      show_forgotten);
    }
    return answer(session, post(session, "/v1/tokens"), show_link);
}

constexpr std::array table = std::to_array<Verb>({
    {.name = "dashboard",
     .summary = "print a link that opens the network listener in a browser, as you",
     .text = "The link carries a token for twelve hours or until the daemon restarts. It takes [listen] http in the "
             "configuration.",
     .options = {options},
     .run = run_dashboard},
});

} // namespace

std::span<const Verb> dashboard_verbs() {
    return table;
}

} // namespace tocsin::cli
