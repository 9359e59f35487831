// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/compat/shapes.hpp"

#include "core/utf8.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/target.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace tocsin::ipc::http::compat {
namespace {

constexpr std::size_t seconds_length = 19; // of "2026-01-02T03:00:04"

// Status, headers and what is counted are a problem's; the body is another.
Response in_shape(const Error& error, std::string_view type, std::string body) {
    Response response = problem(error);
    response.content_type = type;
    response.body = std::move(body);
    return response;
}

void append_error(std::string& body, std::string_view internal, std::string_view external) {
    body += R"(,"error":{"internal":)";
    json::append_string(body, internal);
    body += R"(,"external":)";
    json::append_string(body, external);
    body += "}}";
}

void append_field(std::string& body, const FieldError& field, std::string_view where) {
    body += fmt::format(R"({{"type":"value_error","loc":["{}",)", where);
    json::append_string(body, field.field);
    body += R"(],"msg":)";
    json::append_string(body, field.reason);
    body += '}';
}

// What stands between two boundaries behind the header that names the field.
std::string_view part_value(std::string_view body, const std::string& boundary, std::string_view name) {
    const std::string wanted = fmt::format("; name=\"{}\"", name);
    std::size_t at = body.find(boundary);
    while (at != std::string_view::npos) {
        const std::size_t begin = at + boundary.size();
        const std::size_t end = body.find("\r\n" + boundary, begin);
        const std::string_view part = body.substr(begin, end == std::string_view::npos ? 0 : end - begin);
        const std::size_t head = part.find("\r\n\r\n");
        if (head != std::string_view::npos && part.substr(0, head).find(wanted) != std::string_view::npos) {
            return part.substr(head + 4);
        }
        at = end == std::string_view::npos ? end : end + 2;
    }
    return {};
}

// "--x" of "multipart/form-data; boundary=x"; empty where the type is another.
std::string boundary_of(std::string_view content_type) {
    constexpr std::string_view key = "boundary=";
    const std::size_t at = content_type.find(key);
    if (!content_type.starts_with("multipart/form-data") || at == std::string_view::npos) {
        return {};
    }
    std::string_view boundary = content_type.substr(at + key.size());
    boundary = boundary.substr(0, boundary.find(';'));
    if (boundary.size() > 1 && boundary.front() == '"' && boundary.back() == '"') {
        boundary = boundary.substr(1, boundary.size() - 2);
    }
    return boundary.empty() ? std::string() : "--" + std::string(boundary);
}

} // namespace

Response envelope(std::string_view response) {
    return json_reply(
        fmt::format(R"({{"status":true,"response":{},"error":{{"internal":null,"external":null}}}})", response));
}

Response envelope_refusal(const Error& error, unsigned response) {
    std::string body =
        fmt::format(R"({{"status":false,"response":{})", response == 0 ? "null" : std::to_string(response));
    append_error(body, info(error.code).name, error.detail());
    Response out = in_shape(error, "application/json", std::move(body));
    if (error.code != Code::not_authorized) {
        out.status = 200;
    }
    return out;
}

Response detail_refusal(const Error& error, std::string_view where) {
    std::string body = R"({"detail":)";
    if (error.fields.empty()) {
        json::append_string(body, error.detail());
    } else {
        body += '[';
        for (std::size_t i = 0; i < error.fields.size(); ++i) {
            body += i == 0 ? "" : ",";
            append_field(body, error.fields[i], where);
        }
        body += ']';
    }
    return in_shape(error, "application/json", body + '}');
}

Response text_reply(std::string body) {
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(body);
    return response;
}

Response text_refusal(const Error& error) {
    return in_shape(error, "text/plain; charset=utf-8", error.detail());
}

Response page_reply(std::string body) {
    Response response;
    response.content_type = "text/html; charset=utf-8";
    response.headers.emplace_back("Content-Security-Policy",
                                  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    response.body = std::move(body);
    return response;
}

std::string naive_time(std::int64_t us, const Zone& zone) {
    const std::string text = format_time(us + zone.span_at(us).offset_us);
    const std::string_view fraction = std::string_view(text).substr(seconds_length, 7);
    return text.substr(0, seconds_length) + std::string(fraction == ".000000" ? "" : fraction);
}

std::string escape_html(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        case '\'':
            out += "&#39;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

std::string form_value(std::string_view content_type, std::string_view body, std::string_view name) {
    if (const std::string boundary = boundary_of(content_type); !boundary.empty()) {
        return std::string(part_value(body, boundary, name));
    }
    auto form = parse_target("/?" + std::string(body)); // fields are written as in a query
    if (!form) {
        return {};
    }
    const auto found = std::ranges::find(form->parameters, name, &std::pair<std::string, std::string>::first);
    return found == form->parameters.end() ? std::string() : std::move(found->second);
}

std::string kept_text(std::string_view bytes, std::size_t max) {
    constexpr std::size_t part_of_a_character = 3; // may be cut off at the end, behind what is kept
    bytes = bytes.substr(0, max + part_of_a_character);
    std::string out;
    while (!bytes.empty()) {
        const std::size_t good = utf8_valid_prefix(bytes);
        out += bytes.substr(0, good);
        bytes.remove_prefix(good);
        if (!bytes.empty()) {
            out += '?';
            bytes.remove_prefix(1);
        }
    }
    std::ranges::replace(out, '\0', '?');
    return std::string(utf8_cut(out, max));
}

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string joined(std::span<const std::string> segments) {
    return fmt::format("{}", fmt::join(segments, "/"));
}

} // namespace tocsin::ipc::http::compat
