// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"

#include "core/limits.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace tocsin {

const std::array<CodeInfo, 8>& all_codes() {
    static constexpr std::array<CodeInfo, 8> codes{{
        {Code::invalid_argument, "InvalidArgument", "Invalid argument", 400, 2},
        {Code::invalid_event, "InvalidEvent", "Invalid event", 422, 1},
        {Code::not_found, "NotFound", "Not found", 404, 3},
        {Code::not_authorized, "NotAuthorized", "Not authorized", 403, 4},
        {Code::unavailable, "Unavailable", "Unavailable", 503, 5},
        {Code::limit_exceeded, "LimitExceeded", "Limit exceeded", 429, 6},
        {Code::storage_full, "StorageFull", "Storage full", 507, 7},
        {Code::conflict, "Conflict", "Conflict", 409, 8},
    }};
    return codes;
}

const CodeInfo& info(Code code) {
    const auto place = static_cast<std::size_t>(code);
    if (place >= all_codes().size()) {
        fatal("an error code that is not in the table");
    }
    return all_codes()[place];
}

std::optional<Code> code_from_name(std::string_view name) {
    for (const CodeInfo& row : all_codes()) {
        if (row.name == name) {
            return row.code;
        }
    }
    return std::nullopt;
}

std::string dbus_error_name(Code code) {
    std::string name = "org.tocsin.EventManager1.Error.";
    name += info(code).name;
    return name;
}

std::string Error::detail() const {
    std::string text = object.empty() ? reason : object + ": " + reason;
    if (fields.size() > 1) {
        const bool bounded = fields.size() >= limits::errors_listed;
        text += bounded ? " (and at least " : " (and ";
        text += std::to_string(fields.size() - 1) + " more)";
    }
    return text;
}

unsigned Error::http_status() const {
    constexpr unsigned content_too_large = 413;
    return code == Code::limit_exceeded && too_large ? content_too_large : info(code).http_status;
}

std::unexpected<Error> fail(Code code, std::string context, std::string object, std::string reason) {
    return std::unexpected(Error{code, std::move(context), std::move(object), std::move(reason)});
}

Error field_error(std::string field, std::string reason, std::size_t index) {
    Error error{Code::invalid_event, "event", field, reason};
    error.fields.push_back({index, std::move(field), std::move(reason)});
    return error;
}

void fatal(std::string_view message) {
    static_cast<void>(std::fprintf(stderr, "tocsin: fatal: %.*s\n", static_cast<int>(message.size()), message.data()));
    std::abort();
}

} // namespace tocsin
