// SPDX-License-Identifier: Apache-2.0
// What the store keeps, for how long, and what goes when.
#include "core/time.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

namespace tocsin::ipc::http {
namespace {

constexpr double second_us = 1e6;

void append_time(std::string& body, std::string_view name, const std::optional<std::int64_t>& at_us) {
    if (at_us) {
        body += fmt::format(",\"{}\":\"{}\"", name, format_time(*at_us));
    }
}

std::string to_json(const KeptSeverity& kept) {
    std::string body = fmt::format("{{\"severity\":\"{}\",\"keep_s\":{},\"events\":{}", to_string(kept.severity),
                                   static_cast<double>(kept.keep_us) / second_us, kept.events);
    append_time(body, "oldest", kept.oldest_us);
    append_time(body, "goes_by", kept.goes_by_us);
    return body + fmt::format(",\"expired_by_age\":{},\"expired_for_space\":{}}}", kept.expired_by_age,
                              kept.expired_for_space);
}

} // namespace

void get_retention(Context& context, Request, Responder responder) {
    const RetentionReport report = context.services.manager.retention();
    std::string body = R"({"severities":[)";
    for (const KeptSeverity& kept : report.severities) {
        body += body.back() == '[' ? "" : ",";
        body += to_json(kept);
    }
    body += fmt::format("],\"keep_counters_s\":{},\"used_bytes\":{},\"free_bytes\":{},\"limit_bytes\":{}",
                        static_cast<double>(report.keep_counters_us) / second_us, report.used_bytes, report.free_bytes,
                        report.limit_bytes);
    append_time(body, "full_by", report.full_by_us);
    responder.reply(json_reply(body + "}"));
}

} // namespace tocsin::ipc::http
