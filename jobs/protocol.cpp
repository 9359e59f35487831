// SPDX-License-Identifier: Apache-2.0
#include "jobs/protocol.hpp"

#include "jobs/bytes.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace tocsin::jobs::protocol {

namespace {

void write(ByteWriter& out, const Run& run) {
    out.u64(run.job_id);
    out.u32(run.attempt);
    out.text(run.script);
    out.text(run.path);
    out.u32(run.owner_uid);
    out.text(run.directory);
    out.text(run.socket);
    out.text(run.callback);
    out.u64(run.event_index);
    out.text(run.event_name);
    out.text(run.event_src);
    out.i64(run.event_scid);
    out.text(run.event_time);
    out.text(run.event_severity);
    out.i64(run.timeout_us);
    out.i64(run.kill_after_us);
    out.u32(run.output_bytes);
}
void write(ByteWriter& out, const Stop& stop) {
    out.i64(stop.grace_us);
}
void write(ByteWriter& out, const Started& started) {
    out.u32(started.pid);
}
void write(ByteWriter& out, const Output& output) {
    out.text(output.bytes);
}
void write(ByteWriter& out, const Report& report) {
    out.text(report.line);
}
void write(ByteWriter& out, const Ended& ended) {
    out.u8(static_cast<std::uint8_t>(ended.outcome));
    out.u32(static_cast<std::uint32_t>(ended.code));
    out.u8(static_cast<std::uint8_t>(ended.cause));
    out.u64(ended.output_bytes);
    out.u8(ended.truncated ? 1 : 0);
    out.text(std::string_view(ended.reason).substr(0, reason_bytes));
}

void read(ByteReader& in, Run& run) {
    run.job_id = in.u64();
    run.attempt = in.u32();
    run.script = in.text(limits::name_bytes);
    run.path = in.text(limits::path_bytes);
    run.owner_uid = in.u32();
    run.directory = in.text(limits::path_bytes);
    run.socket = in.text(limits::path_bytes);
    run.callback = in.text(limits::path_bytes);
    run.event_index = in.u64();
    run.event_name = in.text(limits::name_bytes);
    run.event_src = in.text(limits::name_bytes);
    run.event_scid = in.i64();
    run.event_time = in.text(limits::name_bytes);
    run.event_severity = in.text(limits::name_bytes);
    run.timeout_us = in.i64();
    run.kill_after_us = in.i64();
    run.output_bytes = in.u32();
}
void read(ByteReader& in, Stop& stop) {
    stop.grace_us = in.i64();
}
void read(ByteReader& in, Started& started) {
    started.pid = in.u32();
}
void read(ByteReader& in, Output& output) {
    output.bytes = in.text(output_chunk_bytes);
}
void read(ByteReader& in, Report& report) {
    report.line = in.text(limits::report_line_bytes + 1);
}
void read(ByteReader& in, Ended& ended) {
    ended.outcome = static_cast<Outcome>(in.u8());
    ended.code = static_cast<std::int32_t>(in.u32());
    ended.cause = static_cast<Cause>(in.u8());
    ended.output_bytes = in.u64();
    ended.truncated = in.u8() != 0;
    ended.reason = in.text(reason_bytes);
}

bool duration_ok(std::int64_t us) {
    return us >= 0 && us <= duration_us_max;
}
bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

// What is wrong with the values, each readable by itself; empty where nothing is.
std::string_view problem(const Run& run) {
    for (const auto* text : {&run.script, &run.path, &run.directory, &run.socket, &run.callback, &run.event_name,
                             &run.event_src, &run.event_time, &run.event_severity}) {
        if (has_nul(*text)) {
            return "a string holds a NUL byte";
        }
    }
    if (run.script.empty() || !run.path.starts_with('/') || !run.directory.starts_with('/')) {
        return "script, path and directory are required, the paths absolute";
    }
    if (!duration_ok(run.timeout_us) || !duration_ok(run.kill_after_us)) {
        return "a duration is out of range";
    }
    return run.output_bytes > output_bytes_max ? "output_bytes is out of range" : std::string_view{};
}
std::string_view problem(const Stop& stop) {
    return duration_ok(stop.grace_us) ? "" : "a duration is out of range";
}
std::string_view problem(const Started&) {
    return {};
}
std::string_view problem(const Output&) {
    return {};
}
std::string_view problem(const Report&) {
    return {};
}
std::string_view problem(const Ended& ended) {
    const bool known = ended.outcome <= Outcome::not_started && ended.cause <= Cause::stopped;
    return known ? "" : "an outcome or cause is unknown";
}

template <typename T> Result<Message> decode_as(std::string_view body) {
    T message{};
    ByteReader in(body);
    read(in, message);
    if (!in.complete()) {
        return fail(Code::invalid_argument, "spark protocol", "", "a message is cut off, too long or over a bound");
    }
    if (const auto reason = problem(message); !reason.empty()) {
        return fail(Code::invalid_argument, "spark protocol", "", std::string(reason));
    }
    return Message(std::move(message));
}

template <std::size_t... I>
Result<Message> decode_kind(std::size_t kind, std::string_view body, std::index_sequence<I...>) {
    Result<Message> result = fail(Code::invalid_argument, "spark protocol", "", "a message of an unknown kind");
    static_cast<void>(((kind == I && (result = decode_as<std::variant_alternative_t<I, Message>>(body), true)) || ...));
    return result;
}

} // namespace

std::string encode(const Message& message) {
    std::string packet;
    ByteWriter out(packet);
    out.u8(version);
    out.u8(static_cast<std::uint8_t>(message.index()));
    std::visit([&out](const auto& one) { write(out, one); }, message);
    return packet;
}

Result<Message> decode(std::string_view packet) {
    if (packet.size() < 2 || packet.size() > packet_bytes_max) {
        return fail(Code::invalid_argument, "spark protocol", "", "a packet of an impossible size");
    }
    if (static_cast<std::uint8_t>(packet[0]) != version) {
        return fail(Code::invalid_argument, "spark protocol", "",
                    "another version: the daemon and tocsin-spark must come from the same package");
    }
    const auto kind = static_cast<std::uint8_t>(packet[1]);
    return decode_kind(kind, packet.substr(2), std::make_index_sequence<std::variant_size_v<Message>>{});
}

} // namespace tocsin::jobs::protocol
