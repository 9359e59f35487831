// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/doorway.hpp"

#include "ipc/http/problem.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::ipc::http {
namespace {

constexpr unsigned misdirected = 421;
constexpr unsigned unauthorized = 401;
constexpr std::string_view web_port = ":80";
constexpr std::size_t shown_bytes = 128;

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return out;
}

bool is_ours(const Doorway& doorway, std::string_view host) {
    return std::ranges::find(doorway.hosts, lower(host)) != doorway.hosts.end();
}

bool is_own_page(const Doorway& doorway, std::string_view origin) {
    constexpr std::string_view scheme = "http://";
    return origin.starts_with(scheme) && is_ours(doorway, origin.substr(scheme.size()));
}

// "http://host:port/path": whose it is; none of a plain path.
std::optional<std::string_view> authority_of(std::string_view target) {
    const std::size_t scheme = target.find("://");
    if (target.starts_with('/') || scheme == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view rest = target.substr(scheme + 3);
    return rest.substr(0, rest.find_first_of("/?#"));
}

Response elsewhere(const Doorway& doorway, std::string_view host) {
    return problem({.code = Code::invalid_argument,
                    .context = "http",
                    .object = "Host",
                    .reason = fmt::format("\"{}\" is not served here: use {}", host.substr(0, shown_bytes),
                                          doorway.hosts.front())},
                   std::nullopt, misdirected);
}

} // namespace

Doorway doorway_at(std::string_view address, bool compat) {
    Doorway doorway{.compat = compat};
    const std::string port(address.substr(address.rfind(':')));
    for (const std::string& host : {lower(address.substr(0, address.rfind(':'))), std::string("localhost")}) {
        doorway.hosts.push_back(host + port);
        if (port == web_port) {
            doorway.hosts.push_back(host);
        }
    }
    return doorway;
}

std::optional<Response> refuse_misled(const Doorway& doorway, const Request& request) {
    if (!is_ours(doorway, request.host)) {
        return elsewhere(doorway, request.host);
    }
    if (const auto authority = authority_of(request.target); authority && !is_ours(doorway, *authority)) {
        return elsewhere(doorway, *authority);
    }
    if (!request.origin.empty() && !is_own_page(doorway, request.origin)) {
        return problem({.code = Code::not_authorized,
                        .context = "http",
                        .object = "Origin",
                        .reason = fmt::format("\"{}\" is another site: its pages get nothing here",
                                              request.origin.substr(0, shown_bytes))});
    }
    return std::nullopt;
}

std::string_view bearer_token(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (authorization.size() <= scheme.size() || lower(authorization.substr(0, scheme.size())) != scheme) {
        return {};
    }
    std::string_view token = authorization.substr(scheme.size());
    token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
    return token;
}

Response ask_for_token(bool given) {
    Response response = problem(
        {.code = Code::not_authorized,
         .context = "http",
         .object = "Authorization",
         .reason = given ? "this token is not known, or its time is over (12 hours, or a restart of the daemon); "
                           "\"tocsinctl dashboard\" makes a new one"
                         : "takes a token: \"Authorization: Bearer …\"; \"tocsinctl dashboard\" makes one"},
        std::nullopt, unauthorized);
    response.headers.emplace_back("WWW-Authenticate", given ? R"(Bearer realm="tocsin", error="invalid_token")"
                                                            : R"(Bearer realm="tocsin")");
    return response;
}

} // namespace tocsin::ipc::http
