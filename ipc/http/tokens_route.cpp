// SPDX-License-Identifier: Apache-2.0
// Tokens for the network listener: made over the Unix socket, where the kernel says who it is for.
#include "core/time.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

namespace tocsin::ipc::http {

void make_token(Context& context, Request request, Responder responder) {
    if (request.over_tcp) {
        return responder.fail({.code = Code::not_authorized,
                               .context = "http",
                               .object = "POST /v1/tokens",
                               .reason = "a token is made over the Unix socket alone"});
    }
    if (context.page.empty()) {
        Response response = problem({.code = Code::unavailable,
                                     .context = "http",
                                     .object = "listen.http",
                                     .reason = "is not set: put [listen] http = \"127.0.0.1:7878\" into the "
                                               "configuration and restart the daemon"});
        response.headers.clear(); // no Retry-After: trying again does not help
        return responder.reply(std::move(response));
    }
    const auto token = context.tokens.mint(request.peer->caller);
    if (!token) {
        return responder.fail(token.error());
    }
    const std::string page = "http://" + context.page + "/";
    std::string body;
    json::ObjectWriter writer(body);
    writer.add("token", std::string_view(*token));
    writer.add("expires", std::string_view(format_time(context.clock.wall_us() + context.limits.token_us)));
    writer.add("address", std::string_view(page));
    writer.add("link", std::string_view(page + "#token=" + *token));
    writer.close();
    responder.reply(json_reply(std::move(body), 201));
}

void forget_tokens(Context& context, Request request, Responder responder) {
    context.tokens.forget(*request.peer->caller.uid);
    Response response;
    response.status = 204;
    responder.reply(std::move(response));
}

} // namespace tocsin::ipc::http
