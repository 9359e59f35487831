// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/message.hpp"

#include "ipc/http/problem.hpp"

#include <unistd.h>

namespace tocsin::ipc::http {

Peer::~Peer() {
    if (pidfd >= 0) {
        ::close(pidfd);
    }
}

const Origin& Peer::origin() {
    if (!looked_up_) {
        looked_up_ = true;
        look_up_process(caller.origin, pidfd);
    }
    return caller.origin;
}

Responder::~Responder() {
    if (send_) {
        fail({.code = Code::unavailable,
              .context = "http",
              .object = {},
              .reason = "the daemon could not answer this request; it may be stopping: try again"});
    }
}

void Responder::reply(Response response) {
    if (auto send = std::exchange(send_, nullptr)) {
        send(std::move(response));
    }
}

void Responder::fail(const Error& error) {
    reply(problem(error));
}

Response json_reply(std::string body, unsigned status) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

} // namespace tocsin::ipc::http
