// SPDX-License-Identifier: Apache-2.0
// Pings as healthchecks takes them: a beat of the watch that is named like the check, by GET, HEAD or POST; what is
// posted becomes its status.
#include "ipc/http/compat/compat.hpp"
#include "ipc/http/compat/shapes.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace tocsin::ipc::http::compat {
namespace {

struct Ping {
    BeatKind kind = BeatKind::ok;
    std::string status{}; // where nothing was posted
};

// What stands behind the check's name; nothing where that is none of it.
std::optional<Ping> ping_of(std::string_view word) {
    if (word == "start") {
        return Ping{.kind = BeatKind::start};
    }
    if (word == "fail") {
        return Ping{.kind = BeatKind::fail};
    }
    if (word == "log") {
        return Ping{.kind = BeatKind::note};
    }
    std::uint8_t exit_code = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), exit_code);
    if (error != std::errc{} || end != word.data() + word.size()) {
        return std::nullopt;
    }
    return exit_code == 0 ? Ping{} : Ping{.kind = BeatKind::fail, .status = fmt::format("exit code {}", exit_code)};
}

void ping(Context& context, Request request, Responder responder) {
    const auto asked = request.captured.size() == 1 ? Ping{} : ping_of(request.captured.back());
    if (!asked) {
        return responder.reply(
            text_refusal({.code = Code::not_found,
                          .context = "ping",
                          .object = request.captured.back(),
                          .reason = "is not one of start, fail, log or an exit code from 0 to 255"}));
    }
    const std::string status = kept_text(request.body, limits::status_bytes);
    BeatBuilder builder(request.captured.front());
    builder.set("status", std::string_view(status.empty() ? asked->status : status));
    for (const auto& [key, value] : request.parameters) {
        if (key == "rid") {
            builder.set("run", std::string_view(value));
        }
    }
    builder.from(request.peer->origin());
    auto beat = builder.finish(context.clock.wall_us());
    if (!beat) {
        return responder.reply(text_refusal(beat.error()));
    }
    beat->kind = asked->kind;
    auto done = [responder = std::move(responder)](Result<Watch> kept) mutable {
        if (!kept) {
            return responder.reply(text_refusal(kept.error()));
        }
        Response response = text_reply("OK");
        response.headers.emplace_back("Ping-Body-Limit", std::to_string(limits::status_bytes));
        responder.reply(std::move(response));
    };
    context.services.heartbeats.beat(std::move(*beat), std::move(done));
}

constexpr Route row(std::string_view method, std::string_view pattern) {
    return {.method = method,
            .pattern = pattern,
            .action = Action::submit,
            .handler = ping,
            .parameters = "*",
            .body = Body::any,
            .open = Open::compat,
            .refuse = text_refusal};
}

constexpr std::array routes = std::to_array<Route>({
    row("GET", "/ping/{check}"),
    row("POST", "/ping/{check}"),
    row("GET", "/ping/{check}/{what}"),
    row("POST", "/ping/{check}/{what}"),
});

} // namespace

std::span<const Route> healthchecks_routes() {
    return routes;
}

} // namespace tocsin::ipc::http::compat
