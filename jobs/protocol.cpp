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
    out.u64(run.limits.memory_bytes);
    out.u64(run.limits.file_bytes);
    out.u32(run.limits.open_files);
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
    out.u32(ended.products_dropped);
    out.text(std::string_view(ended.dropped_reason).substr(0, reason_bytes));
}
void write(ByteWriter& out, const Hello& hello) {
    out.u32(hello.pid);
    out.text(hello.release);
    out.text(std::string_view(hello.unlimited).substr(0, reason_bytes));
}
void write(ByteWriter& out, const Product& product) {
    out.text(product.path);
    out.u64(product.bytes);
}
void write(ByteWriter& out, const Taken& taken) {
    out.u8(taken.enough ? 1 : 0);
}

void read(ByteReader& in, Run& run) {
    run.job_id = in.u64();
    run.attempt = in.u32();
    run.script = in.text(limits::name_bytes);
    run.path = in.text(limits::path_bytes);
    run.owner_uid = in.u32();
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
    run.limits.memory_bytes = in.u64();
    run.limits.file_bytes = in.u64();
    run.limits.open_files = in.u32();
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
    ended.products_dropped = in.u32();
    ended.dropped_reason = in.text(reason_bytes);
}
void read(ByteReader& in, Hello& hello) {
    hello.pid = in.u32();
    hello.release = in.text(limits::name_bytes);
    hello.unlimited = in.text(reason_bytes);
}
void read(ByteReader& in, Product& product) {
    product.path = in.text(limits::path_bytes);
    product.bytes = in.u64();
}
void read(ByteReader& in, Taken& taken) {
    taken.enough = in.u8() != 0;
}

bool duration_ok(std::int64_t us) {
    return us >= 0 && us <= duration_us_max;
}
bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

// What is wrong with the values, each readable by itself; empty where nothing is.
std::string_view problem(const Run& run) {
    for (const auto* text : {&run.script, &run.path, &run.socket, &run.callback, &run.event_name, &run.event_src,
                             &run.event_time, &run.event_severity}) {
        if (has_nul(*text)) {
            return "a string holds a NUL byte";
        }
    }
    if (run.script.empty() || !run.path.starts_with('/')) {
        return "script and path are required, the path absolute";
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
std::string_view problem(const Hello&) {
    return {};
}
std::string_view problem(const Product& product) {
    return product_path_problem(product.path);
}
std::string_view problem(const Taken&) {
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

namespace {

bool is_control(char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return value < 0x20 || value == 0x7f;
}

} // namespace

std::string_view product_path_problem(std::string_view path) {
    if (path.empty() || path.size() > limits::path_bytes || std::ranges::any_of(path, is_control)) {
        return "its name is empty, too long or holds control characters";
    }
    std::size_t depth = 0;
    for (std::size_t at = 0; at <= path.size(); ++depth) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string_view name = path.substr(at, end - at);
        if (name.empty() || name == "." || name == ".." || name.size() > limits::name_bytes) {
            return "its path is absolute or has an empty, dotted or too long part";
        }
        at = end + 1;
    }
    return depth > product_depth_max ? "it lies too deep" : std::string_view{};
}

bool version_differs(std::string_view packet) {
    return !packet.empty() && static_cast<std::uint8_t>(packet[0]) != version;
}

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
    if (version_differs(packet)) {
        return fail(Code::invalid_argument, "spark protocol", "",
                    "another version: tocsind and tocsin-spark must come from the same package; restart tocsind after "
                    "an upgrade");
    }
    const auto kind = static_cast<std::uint8_t>(packet[1]);
    return decode_kind(kind, packet.substr(2), std::make_index_sequence<std::variant_size_v<Message>>{});
}

} // namespace tocsin::jobs::protocol
