// SPDX-License-Identifier: Apache-2.0
// The daemon itself: status, reload, metrics, health, and the description of this interface.
#include "ipc/http/openapi.hpp"
#include "ipc/http/resources.hpp"

namespace tocsin::ipc::http {

void get_status(Context& context, Request, Responder responder) {
    responder.reply(object_reply(context.services.manager.status()));
}

void get_config(Context& context, Request, Responder responder) {
    responder.reply(json_reply(context.services.manager.config()));
}

void reload(Context& context, Request, Responder responder) {
    auto done = [&context, responder = std::move(responder)](Result<void> reloaded) mutable {
        if (!reloaded) {
            return responder.fail(reloaded.error());
        }
        responder.reply(object_reply(context.services.manager.status()));
    };
    context.services.manager.reload(std::move(done));
}

void metrics(Context& context, Request, Responder responder) {
    Response response;
    response.content_type = "text/plain; version=0.0.4";
    response.body = context.services.manager.metrics();
    responder.reply(std::move(response));
}

void healthz(Context& context, Request, Responder responder) {
    const Status status = context.services.manager.status();
    if (status.degraded.empty()) {
        return responder.reply(json_reply(R"({"status":"ok"})"));
    }
    std::string body = R"({"status":"degraded","reasons":[)";
    for (std::size_t i = 0; i < status.degraded.size(); ++i) {
        body += i == 0 ? "" : ",";
        json::append_string(body, status.degraded[i]);
    }
    responder.reply(json_reply(body + "]}", info(Code::unavailable).http_status));
}

void openapi(Context&, Request, Responder responder) {
    responder.reply(json_reply(std::string(openapi_json())));
}

} // namespace tocsin::ipc::http
