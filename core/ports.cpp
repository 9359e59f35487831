// SPDX-License-Identifier: Apache-2.0
#include "core/ports.hpp"

#include "core/json.hpp"

namespace tocsin {
namespace {

constexpr char report_version = 1;
constexpr std::size_t report_head_bytes = 1 + 8;

void append_big_endian(std::string& out, std::uint64_t value) {
    for (unsigned shift = 64; shift > 0; shift -= 8) {
        out += static_cast<char>((value >> (shift - 8)) & 0xFFU);
    }
}

} // namespace

std::string report_key(std::uint64_t index) {
    std::string key;
    append_big_endian(key, index);
    return key;
}

// version, big-endian id, url
std::string encode_report(std::int64_t report_id, std::string_view url) {
    std::string value(1, report_version);
    append_big_endian(value, static_cast<std::uint64_t>(report_id));
    value += url;
    return value;
}

Result<std::pair<std::int64_t, std::string>> decode_report(std::string_view value) {
    if (value.size() < report_head_bytes || value.size() > report_head_bytes + limits::path_bytes ||
        value[0] != report_version) {
        return fail(Code::unavailable, "store", "reports",
                    "a row is damaged or of a newer version; run tocsinctl verify");
    }
    std::uint64_t id = 0;
    for (const char byte : value.substr(1, 8)) {
        id = id << 8U | static_cast<unsigned char>(byte);
    }
    return std::pair(static_cast<std::int64_t>(id), std::string(value.substr(report_head_bytes)));
}

void describe(const Status& status, const FieldSink& sink) {
    std::string degraded = "[";
    for (const std::string& reason : status.degraded) {
        if (degraded.size() > 1) {
            degraded += ',';
        }
        json::append_string(degraded, reason);
    }
    degraded += ']';
    sink("version", std::string_view(status.version));
    sink("hostname", std::string_view(status.hostname));
    sink("store_id", std::string_view(status.store_id));
    sink("event_count", status.event_count);
    sink("first_index", status.first_index);
    sink("last_index", status.last_index);
    sink("store_bytes", status.store_bytes);
    sink("intake_rate", status.intake_rate);
    sink("degraded", RawJson{degraded});
}

} // namespace tocsin
