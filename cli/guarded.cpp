// SPDX-License-Identifier: Apache-2.0
#include "cli/guarded.hpp"

#include "cli/value.hpp"

namespace tocsin::cli {
namespace {

constexpr unsigned forbidden = 403;
constexpr unsigned no_content = 204;

Result<Response> read_back(Session& session, const GuardedAct& act, const std::string& label) {
    if (act.then.empty()) {
        return Response{.status = no_content};
    }
    std::string target = act.then;
    if (target.ends_with('%')) {
        target.replace(target.size() - 1, 1, label);
    }
    auto response = get(session, target);
    const auto value = value_of(response);
    if (value && !(*value)["items"].items().empty()) {
        response->body = (*value)["items"].items().front().json();
    }
    return response;
}

} // namespace

Result<Response> act(Session& session, const GuardedAct& act) {
    auto response = session.client.send(act.request);
    if (!response || response->status != forbidden || !session.may_ask) {
        return response;
    }
    const TerminalAgent agent;
    const auto done = act_on_bus(act.bus);
    if (!done) {
        return std::unexpected(done.error());
    }
    return read_back(session, act, *done);
}

} // namespace tocsin::cli
