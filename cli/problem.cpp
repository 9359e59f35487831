// SPDX-License-Identifier: Apache-2.0
#include "cli/problem.hpp"

#include "cli/text.hpp"
#include "core/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tocsin::cli {
namespace {

constexpr std::size_t fields_shown = 20;
constexpr std::size_t body_shown_bytes = 200;

// The class of a status that came without a code.
Code code_of_status(unsigned status) {
    for (const CodeInfo& row : all_codes()) {
        if (row.http_status == status) {
            return row.code;
        }
    }
    switch (status) {
    case 401:
        return Code::not_authorized;
    case 405:
        return Code::not_found;
    case 413:
        return Code::limit_exceeded;
    default:
        return status >= 400 && status < 500 ? Code::invalid_argument : Code::unavailable;
    }
}

// How to find what is there, by the verb that did not find it.
std::string_view where_to_look(std::string_view verb) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 10> places{{
        {"query", "\"tocsinctl query\" shows the newest events with their index; what expired is gone"},
        {"heartbeats", "\"tocsinctl heartbeats\" shows every source that is known"},
        {"jobs run", "\"tocsinctl query\" shows events with their index, \"tocsinctl jobs lint\" the scripts that are "
                     "installed"},
        {"jobs report", "\"tocsinctl query\" shows the newest events with their index; what expired is gone"},
        {"jobs lint", "\"tocsinctl jobs lint\" shows every script that is installed or configured"},
        {"jobs", "\"tocsinctl jobs\" shows the jobs there are, newest first; -n N more of them"},
        {"config", "\"tocsinctl config\" shows every key; an older daemon does not tell its configuration"},
        {"histogram", "\"tocsinctl stats\" shows the names there are"},
        {"submit", "the daemon may be older than this tocsinctl: \"tocsinctl status\" shows its version"},
        {"", "\"tocsinctl help\" shows what there is; a daemon of another version may not know it: \"tocsinctl "
             "status\" shows its version"},
    }};
    const auto* const found =
        std::ranges::find_if(places, [verb](const auto& place) { return verb.starts_with(place.first); });
    return found->second;
}

std::string_view after_conflict(std::string_view verb) {
    if (verb == "submit" || verb == "import") {
        return "send other content with another --key; what was sent first stays";
    }
    if (verb.starts_with("jobs")) {
        return "\"tocsinctl jobs show JOB\" shows its state: what runs can be cancelled, what has ended run again";
    }
    if (verb.starts_with("heartbeats")) {
        return "\"tocsinctl heartbeats show SOURCE\" shows its state";
    }
    return "look at its state, then do what that asks for";
}

std::string later(const Error& error) {
    if (error.reason.find("not available in this version") != std::string::npos) {
        return {}; // no waiting helps
    }
    return error.retry_after_s ? fmt::format("try again in {} s", *error.retry_after_s)
                               : "\"tocsinctl status\" says how the daemon is, \"journalctl -u tocsind\" why; then try "
                                 "again";
}

std::string next_step(const Error& error, std::string_view verb) {
    if (error.context == context_connect) {
        return error.code == Code::not_authorized
                   ? "run this as root, or join the group that owns the socket (ls -l shows it)"
                   : "start it with \"systemctl start tocsind\" (in the source tree: \"make run\"), or name its socket "
                     "with "
                     "--socket PATH or TOCSIN_SOCKET";
    }
    if (error.context == context_answer) {
        return {}; // said already
    }
    switch (error.code) {
    case Code::invalid_argument:
        return fmt::format("\"tocsinctl {}--help\" shows what it takes", verb.empty() ? "" : fmt::format("{} ", verb));
    case Code::not_authorized:
        return "run this as root or as the user who runs the daemon";
    case Code::unavailable:
        return later(error);
    case Code::limit_exceeded:
        return error.retry_after_s ? fmt::format("try again in {} s", *error.retry_after_s) : "send less at a time";
    case Code::storage_full:
        if (error.context == "write") {
            return "free space where the output goes";
        }
        return "free disk space or raise store.max_bytes; what is stored can still be read";
    case Code::invalid_event:
        return fmt::format("correct it and send it again; \"tocsinctl {} --help\" shows what there is",
                           verb.empty() ? "submit" : verb);
    case Code::not_found:
        return std::string(where_to_look(verb));
    case Code::conflict:
        return std::string(after_conflict(verb));
    }
    return {};
}

std::string field_line(const FieldError& field, bool many) {
    const std::string where = many ? fmt::format("event {}: ", field.index) : std::string();
    return field.field.empty() ? where + field.reason : fmt::format("{}{}: {}", where, field.field, field.reason);
}

} // namespace

Error problem_of(const Response& response) {
    Error error{.code = code_of_status(response.status), .context = "daemon", .object = {}, .reason = {}};
    error.retry_after_s = response.retry_after_s;
    const auto document = Value::parse(response.body);
    if (!document || !document->is_object()) {
        error.reason = fmt::format("the daemon answered {} {}", response.status,
                                   std::string_view(response.body).substr(0, body_shown_bytes));
        return error;
    }
    error.code = code_from_name((*document)["code"].text()).value_or(error.code);
    error.too_large = response.status == 413;
    error.reason = (*document)["detail"].text();
    if (error.reason.empty()) {
        error.reason = (*document)["title"].text();
    }
    for (const Value& field : (*document)["errors"].items()) {
        error.fields.push_back({.index = static_cast<std::size_t>(field["index"].number()),
                                .field = field["field"].text(),
                                .reason = field["reason"].text()});
    }
    return error;
}

Progress progress_of(const Response& response) {
    const auto document = Value::parse(response.body);
    if (!document) {
        return {};
    }
    return {(*document)["accepted"].number(), (*document)["first"].number(), (*document)["last"].number()};
}

Result<Value> value_of(const Result<Response>& response) {
    if (!response) {
        return std::unexpected(response.error());
    }
    if (!response->ok()) {
        return std::unexpected(problem_of(*response));
    }
    auto value = Value::parse(response->body);
    if (!value) {
        return fail(Code::unavailable, "daemon", "",
                    "the answer is not JSON; does something else listen on this socket?");
    }
    return value;
}

int exit_code(const Error& error) {
    return info(error.code).exit_code;
}

std::string render(const Error& error, std::string_view verb) {
    const bool many = error.fields.size() > 1 ||
                      std::ranges::any_of(error.fields, [](const FieldError& field) { return field.index > 0; });
    std::string out = fmt::format("tocsinctl: {}{}\n", verb.empty() ? "" : fmt::format("{}: ", verb),
                                  printable(error.object.empty() ? error.reason : error.object + ": " + error.reason));
    if (many) {
        for (std::size_t i = 0; i < std::min(error.fields.size(), fields_shown); ++i) {
            out += fmt::format("  {}\n", printable(field_line(error.fields[i], true)));
        }
        if (error.fields.size() > fields_shown) {
            out += fmt::format("  … and {} more\n", error.fields.size() - fields_shown);
        }
    }
    if (const std::string next = next_step(error, verb); !next.empty()) {
        out += fmt::format("  {}\n", next);
    }
    return out;
}

std::string render_json(const Error& error, const Progress* progress) {
    std::string fields = "[";
    for (const FieldError& field : error.fields) {
        fields += fields.size() > 1 ? "," : "";
        json::ObjectWriter writer(fields);
        writer.add("index", std::uint64_t{field.index});
        writer.add("field", std::string_view(field.field));
        writer.add("reason", std::string_view(field.reason));
        writer.close();
    }
    fields += ']';
    const CodeInfo& code = info(error.code);
    const std::string type = fmt::format("urn:tocsin:error:{}", code.name);
    const std::string detail = error.object.empty() ? error.reason : error.object + ": " + error.reason;
    std::string out;
    json::ObjectWriter writer(out);
    writer.add("type", std::string_view(type));
    writer.add("title", code.title);
    writer.add("status", std::uint64_t{error.http_status()});
    writer.add("code", code.name);
    writer.add("detail", std::string_view(detail));
    if (!error.fields.empty()) {
        writer.add("errors", RawJson{fields});
    }
    if (progress != nullptr) {
        writer.add("accepted", progress->accepted);
        if (progress->first != 0) {
            writer.add("first", progress->first);
            writer.add("last", progress->last);
        }
    }
    writer.close();
    return out;
}

} // namespace tocsin::cli
