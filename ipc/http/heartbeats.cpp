// SPDX-License-Identifier: Apache-2.0
// Heartbeats: beats by GET or POST, with options in the query or as a small JSON object; lists; pause, resume, forget.
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <algorithm>
#include <array>

namespace tocsin::ipc::http {
namespace {

constexpr std::array<std::string_view, 7> options = {"scid", "interval", "grace", "schedule", "zone", "run", "status"};

std::optional<WatchAct> act_from(std::string_view text) {
    if (text == "pause") {
        return WatchAct::pause;
    }
    if (text == "resume") {
        return WatchAct::resume;
    }
    return text == "forget" ? std::optional(WatchAct::forget) : std::nullopt;
}

Result<void> read_body(Context& context, const Request& request, BeatBuilder& builder) {
    std::optional<Error> refused;
    const auto set = [&refused, &request, &builder](std::string_view key, const Scalar& value) {
        const auto same = [key](const auto& parameter) { return parameter.first == key; };
        if (std::ranges::find(options, key) == options.end()) {
            refused = bad_request(key, "is not an option of a beat");
        } else if (std::ranges::any_of(request.parameters, same)) {
            refused = bad_request(key, "is given in the query and in the body");
        } else {
            builder.set(key, value);
        }
    };
    auto read = context.parser.object(request.body, set);
    if (read && refused) {
        return std::unexpected(*refused);
    }
    return read;
}

} // namespace

void beat(Context& context, Request request, Responder responder) {
    BeatBuilder builder(request.captured.front());
    if (request.segments.size() == 4) { // /v1/heartbeats/{source}/{state}
        builder.set("state", std::string_view(request.segments.back()));
    }
    for (const auto& [key, value] : request.parameters) {
        builder.set(key, std::string_view(value));
    }
    if (!request.body.empty()) {
        if (const auto read = read_body(context, request, builder); !read) {
            return responder.fail(read.error());
        }
    }
    builder.from(request.peer->origin());
    auto beat = builder.finish(context.clock.wall_us());
    if (!beat) {
        return responder.fail(beat.error());
    }
    context.services.heartbeats.beat(std::move(*beat), answer_object<Watch>(std::move(responder)));
}

void list_heartbeats(Context& context, Request request, Responder responder) {
    const auto page = take_page(request.parameters);
    if (!page) {
        return responder.fail(page.error());
    }
    const auto found = context.services.heartbeats.list(list_filter(page->rest), page->limit, page->cursor);
    if (!found) {
        return responder.fail(found.error());
    }
    responder.reply(list_reply(found->items, found->next));
}

void act_on_heartbeat(Context& context, Request request, Responder responder) {
    const auto act = act_from(request.segments.back());
    WatchKey key{.source = request.captured.front(), .scid = 0};
    if (!request.parameters.empty()) {
        const auto scid = parse_integer("scid", request.parameters.front().second);
        if (!scid) {
            return responder.fail(scid.error());
        }
        key.scid = *scid;
    }
    if (!act) {
        return responder.fail(bad_request("path", "is not an act on a heartbeat"));
    }
    context.services.heartbeats.act(key, *act, answer_object<Watch>(std::move(responder)));
}

} // namespace tocsin::ipc::http
