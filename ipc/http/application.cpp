// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/application.hpp"

#include "ipc/http/command.hpp"
#include "ipc/http/doorway.hpp"
#include "ipc/http/fanout.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"
#include "ipc/http/target.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tocsin::ipc::http {
namespace {

constexpr unsigned no_content = 204;
constexpr unsigned method_not_allowed = 405;
constexpr std::string_view all_methods = "GET, HEAD, POST, PUT, DELETE, OPTIONS";

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return out;
}

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    const std::size_t last = text.find_last_not_of(" \t");
    return first == std::string_view::npos ? std::string_view{} : text.substr(first, last - first + 1);
}

// "application/json" of "Application/JSON; charset=utf-8"; empty when a charset other than UTF-8 is named.
std::string media_type(std::string_view header) {
    const std::string text = lower(header);
    const std::size_t semicolon = text.find(';');
    const std::size_t charset = text.find("charset=");
    if (charset != std::string::npos) {
        std::string_view value = trim(std::string_view(text).substr(charset + 8));
        value = value.substr(0, value.find_first_of("; "));
        if (value != "utf-8" && value != "\"utf-8\"" && value != "us-ascii") {
            return {};
        }
    }
    return std::string(trim(std::string_view(text).substr(0, semicolon)));
}

// "POST /v1/reload", for messages.
std::string name_of(const Route& route) {
    return fmt::format("{} {}", route.method, route.pattern);
}

// Whether a route of this listener is for those without a token, too.
bool is_open(const Route& route, const Doorway& doorway) {
    return route.open == (doorway.compat ? Open::compat : Open::page);
}

std::string allow_of(const Match& match) {
    return fmt::format("{}, OPTIONS", fmt::join(match.allow, ", "));
}

} // namespace

Error too_large(std::string_view what, std::size_t bytes_max) {
    return {.code = Code::limit_exceeded,
            .context = "http",
            .object = std::string(what),
            .reason = fmt::format("is larger than {} bytes", bytes_max),
            .fields = {},
            .retry_after_s = {},
            .too_large = true};
}

Application::Application(Parts parts)
    : context_{parts.services,
               parts.clock,
               parts.access,
               parts.authority,
               parts.limits,
               std::move(parts.store_id),
               Budget(parts.limits.bodies_bytes),
               Tokens(parts.clock, {.all = parts.limits.tokens,
                                    .per_uid = parts.limits.tokens_per_uid,
                                    .lives_us = parts.limits.token_us}),
               std::move(parts.page)},
      router_([&parts] {
          std::vector<std::span<const Route>> tables = compat_routes(parts.compat);
          tables.insert(tables.begin(), all_routes());
          return tables;
      }()),
      compat_(compat_routes(parts.compat)) {}

void Application::follow_on(boost::asio::io_context& io) {
    const Services& services = context_.services;
    context_.fanout = std::make_shared<Fanout>(io, services.feed, services.reader, context_.limits);
}

Response Application::not_found(const Request& request, const Match& match) const {
    Error error{.code = Code::not_found, .context = "http", .object = {}, .reason = {}};
    if (match.allow.empty()) {
        error.reason =
            fmt::format("no such path: {}", request.target.substr(0, request.target.find('?')).substr(0, 256));
        return problem(error);
    }
    const std::string allow = allow_of(match);
    error.reason = fmt::format("this path takes {}, not {}", allow, request.method.substr(0, 32));
    Response response = problem(error, std::nullopt, method_not_allowed);
    response.headers.emplace_back("Allow", allow);
    return response;
}

std::size_t Application::streams_hold() const {
    return context_.fanout->held();
}

// What a path takes; of "*", the methods of all routes.
Response Application::options(const Request& request, const Match& match) const {
    if (request.target != "*" && match.allow.empty()) {
        return not_found(request, match);
    }
    Response response;
    response.status = no_content;
    response.headers.emplace_back("Allow", request.target == "*" ? all_methods : allow_of(match));
    return response;
}

Match Application::find(const Request& request) const {
    const bool compat = request.peer->doorway && request.peer->doorway->compat;
    return (compat ? compat_ : router_).match(request.method, request.segments);
}

// Over TCP the kernel says nothing about who asks: a token does. Without one, what is open is answered to nobody in
// particular, and a listener whose routes are known anyway says which it has not.
std::optional<Response> Application::enter(const Plan& plan, Request& request) {
    const auto doorway = request.peer->doorway;
    if (!doorway) {
        return std::nullopt;
    }
    request.over_tcp = true;
    if (auto misled = refuse_misled(*doorway, request)) {
        return misled;
    }
    if (!request.authorization.empty()) {
        auto maker = context_.tokens.find(bearer_token(request.authorization));
        if (!maker) {
            return ask_for_token(true);
        }
        request.peer = std::move(maker);
        return std::nullopt;
    }
    const bool open = plan.route != nullptr ? is_open(*plan.route, *doorway) : doorway->compat;
    return open ? std::nullopt : std::optional(ask_for_token(false));
}

// Strangers have no business here at all, whatever could be asked about them.
Result<void> Application::admit(Plan& plan, const Request& request) const {
    const Caller& caller = request.peer->caller;
    if (request.over_tcp && !caller.uid) {
        return {}; // it is open: enter() saw to that
    }
    const bool guarded = plan.route != nullptr && plan.route->handler != nullptr && is_guarded(plan.route->action);
    const Action action = guarded ? plan.route->action : Action::read;
    const Standing stands = standing(context_.access, caller, action);
    if (!is_member(context_.access, caller) || stands == Standing::refused) {
        return std::unexpected(
            refusal(context_.access, caller, action, plan.route != nullptr ? name_of(*plan.route) : "this socket"));
    }
    const bool own = guarded && plan.route->own != nullptr && plan.route->own(context_, request);
    plan.ask = stands == Standing::ask && !own;
    return {};
}

void Application::ask(const Plan& plan, const Request& request,
                      std::move_only_function<void(std::optional<Response>)> done) {
    Question question{.caller = std::shared_ptr<const Caller>(request.peer, &request.peer->caller),
                      .action = plan.route->action,
                      .what = name_of(*plan.route),
                      .pidfd = request.peer->pidfd};
    auto answered = [done = std::move(done), route = plan.route,
                     command = command_for(*plan.route, request)](Result<void> may) mutable {
        if (may) {
            return done(std::nullopt);
        }
        Error error = std::move(may.error());
        if (error.code == Code::not_authorized && !command.empty()) {
            error.reason += fmt::format("; on a terminal, as an administrator: {}", command);
        }
        done(refuse(*route, error));
    };
    context_.authority.check(std::move(question), std::move(answered));
}

Result<void> Application::choose_body(Plan& plan, const Request& request) const {
    if (!request.content_encoding.empty() && lower(trim(request.content_encoding)) != "identity") {
        return std::unexpected(bad_request("Content-Encoding", "must be identity: send the body uncompressed"));
    }
    if (plan.route->fills_log) {
        const Origin& origin = request.peer->origin(); // before the body: a sender in a hurry may be gone behind it
        if (auto refused = context_.services.intake.turn_away({origin.uid, origin.unit})) {
            return std::unexpected(std::move(*refused));
        }
    }
    plan.body_bytes = plan.route->body == Body::any ? context_.limits.batch_bytes : context_.limits.control_body_bytes;
    if (plan.route->body != Body::events) {
        return {};
    }
    const std::string type = request.content_type.empty() ? "application/json" : media_type(request.content_type);
    if (type == "application/x-ndjson") {
        plan.in_pieces = true;
    } else if (type != "application/json") {
        return std::unexpected(bad_request(
            "Content-Type",
            fmt::format("\"{}\" is not taken: send application/json or application/x-ndjson, in UTF-8 (with curl: "
                        "-H 'Content-Type: application/json')",
                        request.content_type.substr(0, 128))));
    }
    plan.body_bytes = context_.limits.batch_bytes;
    return {};
}

Plan Application::plan(Request& request) {
    Plan plan;
    const bool whole = request.method == "OPTIONS" && request.target == "*"; // about all paths
    auto target = whole ? Result<Target>(Target{}) : parse_target(request.target);
    if (!target) {
        plan.refused = problem(target.error());
        return plan;
    }
    request.segments = std::move(target->segments);
    request.parameters = std::move(target->parameters);
    Match match = find(request);
    plan.route = match.route;
    request.captured = std::move(match.captured);
    if (auto refused = enter(plan, request)) {
        plan.refused = std::move(refused);
        return plan;
    }
    if (const auto admitted = admit(plan, request); !admitted) {
        plan.refused = plan.route == nullptr ? problem(admitted.error()) : refuse(*plan.route, admitted.error());
        return plan;
    }
    if (plan.route == nullptr) {
        plan.refused = request.method == "OPTIONS" ? options(request, match) : not_found(request, match);
        return plan;
    }
    if (plan.route->handler == nullptr) {
        plan.refused =
            refuse(*plan.route, {.code = Code::unavailable,
                                 .context = "http",
                                 .object = {},
                                 .reason = fmt::format("{} not available in this version", plan.route->unavailable)});
        std::erase_if(plan.refused->headers, [](const auto& header) { return header.first == "Retry-After"; });
        return plan;
    }
    auto checked = check_parameters(*plan.route, request.parameters);
    if (checked) {
        checked = choose_body(plan, request);
    }
    if (!checked) {
        plan.refused = refuse(*plan.route, checked.error());
    }
    return plan;
}

void Application::handle(const Plan& plan, Request request, Responder responder) {
    plan.route->handler(context_, std::move(request), std::move(responder));
}

std::shared_ptr<BodySink> Application::sink(const Plan&, const Request& request, Responder responder) {
    return submit_ndjson(context_, request, std::move(responder));
}

void Application::count(const Plan& plan, const Response& response) {
    if (response.refused && plan.route != nullptr && plan.route->action == Action::submit) {
        context_.services.manager.count_rejected(*response.refused);
    }
}

} // namespace tocsin::ipc::http
