// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/problem.hpp"

#include "core/limits.hpp"

#include <fmt/format.h>

namespace tocsin::ipc::http {
namespace {

constexpr unsigned retry_after_s_default = 1;

void append_errors(std::string& body, const Error& error) {
    body += ",\"errors\":[";
    bool first = true;
    for (const FieldError& field : error.fields) {
        if (body.size() > limits::page_bytes) {
            break; // ten thousand events with everything wrong in each; the first ones tell
        }
        body += first ? "" : ",";
        first = false;
        json::ObjectWriter writer(body);
        writer.add("index", std::uint64_t{field.index});
        writer.add("field", std::string_view(field.field));
        writer.add("reason", std::string_view(field.reason));
        writer.close();
    }
    body += ']';
}

bool is_overload(const Error& error) {
    return error.code == Code::unavailable || (error.code == Code::limit_exceeded && !error.too_large);
}

} // namespace

Response problem(const Error& error, std::optional<Progress> progress, std::optional<unsigned> status) {
    const CodeInfo& code = info(error.code);
    Response response;
    response.status = status.value_or(error.http_status());
    response.content_type = "application/problem+json";
    response.refused = error.code;
    std::string& body = response.body;
    body = fmt::format(R"({{"type":"urn:tocsin:error:{}","title":)", code.name);
    json::append_string(body, code.title);
    body += fmt::format(R"(,"status":{},"code":"{}","detail":)", response.status, code.name);
    json::append_string(body, error.detail());
    if (!error.fields.empty()) {
        append_errors(body, error);
    }
    if (progress) {
        body += fmt::format(R"(,"accepted":{})", progress->accepted);
        if (progress->first != 0) {
            body += fmt::format(R"(,"first":{},"last":{})", progress->first, progress->last);
        }
    }
    body += '}';
    if (error.retry_after_s || is_overload(error)) {
        response.headers.emplace_back("Retry-After",
                                      std::to_string(error.retry_after_s.value_or(retry_after_s_default)));
    }
    return response;
}

Error bad_request(std::string_view what, std::string reason) {
    return {.code = Code::invalid_argument,
            .context = "http",
            .object = std::string(what),
            .reason = std::move(reason),
            .fields = {}};
}

} // namespace tocsin::ipc::http
