// SPDX-License-Identifier: Apache-2.0
#include "cli/session.hpp"

#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::cli {

Result<Response> get(Session& session, std::string target, std::string_view accept) {
    return session.client.send({.target = std::move(target), .accept = std::string(accept)});
}

Request post_of(std::string target, std::string body) {
    Request request{.method = "POST", .target = std::move(target), .body = std::move(body)};
    request.content_type = request.body.empty() ? "" : "application/json";
    return request;
}

Result<Response> post(Session& session, std::string target, std::string body) {
    return session.client.send(post_of(std::move(target), std::move(body)));
}

void write_body(Session& session, std::string_view body) {
    session.out.write(body);
    if (!body.ends_with('\n')) {
        session.out.write("\n");
    }
}

Result<int> answer(Session& session, const Result<Response>& response,
                   const std::function<void(Session&, const Value&)>& show) {
    if (response && response->ok() && session.json()) {
        write_body(session, response->body);
        return 0;
    }
    if (response && response->status == 204) {
        show(session, Value());
        return 0;
    }
    const auto value = value_of(response);
    if (!value) {
        return std::unexpected(value.error());
    }
    show(session, *value);
    return 0;
}

Result<std::string> id_argument(std::string_view name, std::string_view text) {
    const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    constexpr std::size_t digits_max = 20;
    if (!digits || text.empty() || text.size() > digits_max) {
        return usage(std::string(name), fmt::format("\"{}\" is not a whole number", text.substr(0, 64)));
    }
    return std::string(text);
}

Result<bool> each_page(Session& session, ListRequest request, const std::function<void(const Value::Array&)>& use) {
    std::size_t left = request.limit;
    ProgressLine progress(session);
    while (!session.out.gone()) {
        const std::size_t wanted = left == 0 ? request.page : std::min(left, request.page);
        Parameters parameters = request.parameters;
        parameters.emplace_back("limit", std::to_string(wanted));
        std::string address = target(request.path, parameters);
        if (!request.cursor.empty()) {
            address += "&cursor=" + request.cursor;
        }
        const auto page = value_of(get(session, std::move(address)));
        if (!page) {
            return std::unexpected(page.error());
        }
        const Value::Array& items = (*page)["items"].items();
        const bool goes_on = !(*page)["next"].text().empty();
        if (items.empty() && goes_on) { // of a search that takes long, a page ends with what was found, if anything
            progress.show(fmt::format("nothing more found yet, searching for {:.0f} s", progress.seconds()));
        } else {
            progress.clear();
        }
        use(items);
        request.cursor = percent_encode((*page)["next"].text());
        if (request.cursor.empty()) {
            return false;
        }
        if (left != 0 && items.size() >= left) {
            return true;
        }
        left -= left == 0 ? 0 : items.size();
    }
    return true;
}

} // namespace tocsin::cli
