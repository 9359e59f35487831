// SPDX-License-Identifier: Apache-2.0
#include "jobs/job_codec.hpp"

#include "core/limits.hpp"
#include "jobs/bytes.hpp"

namespace tocsin::jobs {

namespace {

constexpr std::uint8_t job_version = 2;
constexpr std::uint8_t job_version_before = 1; // without what append_later() writes
constexpr std::uint8_t counter_version = 1;
constexpr std::size_t id_bytes = 8;
constexpr std::size_t reason_bytes_max = 64 * limits::KiB; // far above what is written

constexpr std::size_t secret_bytes_max = 256;

// Bits of the flags.
constexpr unsigned has_exit_status = 1;
constexpr unsigned has_report_id = 2;
constexpr unsigned is_truncated = 4;

void append_big_endian(std::string& out, std::uint64_t value) {
    for (unsigned shift = 64; shift > 0; shift -= 8) {
        out += static_cast<char>(value >> (shift - 8) & 0xff);
    }
}

// What version 2 added.
void append_later(ByteWriter& out, const Job& job) {
    out.text(job.callback_secret);
    out.u32(static_cast<std::uint32_t>(job.joined.size()));
    for (const JoinedEvent& event : job.joined) {
        out.u64(event.unique_index);
        out.u32(event.cause_depth);
    }
}

void read_later(ByteReader& in, Job& job) {
    job.callback_secret = in.text(secret_bytes_max);
    const std::size_t count = in.u32();
    for (std::size_t i = 0; i < count && i < limits::job_joined_max; ++i) { // what is beyond is damage: bytes are left
        const std::uint64_t index = in.u64();
        job.joined.push_back({index, in.u32()});
    }
}

std::unexpected<Error> damaged(std::string object) {
    return fail(Code::unavailable, "jobs", std::move(object),
                "the row is damaged or of a newer version; run tocsinctl verify");
}

} // namespace

std::string job_key(std::uint64_t id) {
    std::string key;
    append_big_endian(key, id);
    return key;
}

std::string output_key(std::uint64_t id) {
    return "o" + job_key(id);
}

std::string counter_key() {
    return std::string(1, '\0');
}

std::optional<std::uint64_t> id_of_key(std::string_view key) {
    if (key.size() != id_bytes) {
        return std::nullopt;
    }
    std::uint64_t id = 0;
    for (const char byte : key) {
        id = id << 8 | static_cast<unsigned char>(byte);
    }
    return id;
}

std::string encode_job(const StoredJob& stored) {
    const Job& job = stored.job;
    const unsigned flags = (job.exit_status ? has_exit_status : 0U) | (job.report_id ? has_report_id : 0U) |
                           (job.truncated ? is_truncated : 0U);
    std::string value;
    ByteWriter out(value);
    out.u8(job_version);
    out.u8(static_cast<std::uint8_t>(flags));
    out.u8(static_cast<std::uint8_t>(job.state));
    out.u64(job.unique_index);
    out.u32(job.cause_depth);
    out.u32(job.attempt);
    out.u32(static_cast<std::uint32_t>(job.exit_status.value_or(0)));
    out.i64(job.queued_us);
    out.i64(job.started_us);
    out.i64(job.ended_us);
    out.i64(job.report_id.value_or(0));
    out.u64(job.output_bytes);
    out.i64(stored.due_us);
    out.text(job.script);
    out.text(job.report_url);
    out.text(job.reason);
    append_later(out, job);
    return value;
}

Result<StoredJob> decode_job(std::uint64_t id, std::string_view value) {
    StoredJob stored;
    Job& job = stored.job;
    ByteReader in(value);
    const std::uint8_t version = in.u8();
    const std::uint8_t flags = in.u8();
    const std::uint8_t state = in.u8();
    job.id = id;
    job.state = static_cast<JobState>(state);
    job.unique_index = in.u64();
    job.cause_depth = in.u32();
    job.attempt = in.u32();
    const auto exit_status = static_cast<std::int32_t>(in.u32());
    job.queued_us = in.i64();
    job.started_us = in.i64();
    job.ended_us = in.i64();
    const std::int64_t report_id = in.i64();
    job.output_bytes = in.u64();
    stored.due_us = in.i64();
    job.script = in.text(limits::name_bytes);
    job.report_url = in.text(limits::path_bytes);
    job.reason = in.text(reason_bytes_max);
    if (version != job_version_before) {
        read_later(in, job);
    }
    job.truncated = (flags & is_truncated) != 0;
    if ((flags & has_exit_status) != 0) {
        job.exit_status = exit_status;
    }
    if ((flags & has_report_id) != 0) {
        job.report_id = report_id;
    }
    const bool known = version == job_version || version == job_version_before;
    if (!in.complete() || !known || state > static_cast<std::uint8_t>(JobState::cancelled)) {
        return damaged("job " + std::to_string(id));
    }
    return stored;
}

std::string encode_counter(std::uint64_t next_id) {
    std::string value;
    ByteWriter out(value);
    out.u8(counter_version);
    out.u64(next_id);
    return value;
}

Result<std::uint64_t> decode_counter(std::string_view value) {
    ByteReader in(value);
    const std::uint8_t version = in.u8();
    const std::uint64_t next_id = in.u64();
    if (!in.complete() || version != counter_version) {
        return damaged("the counter of ids");
    }
    return next_id;
}

} // namespace tocsin::jobs
