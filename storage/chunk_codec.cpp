// SPDX-License-Identifier: Apache-2.0
#include "storage/chunk_codec.hpp"

#include "core/hash.hpp"
#include "storage/bytes.hpp"
#include "storage/origin_codec.hpp"

#include <bit>
#include <limits>

namespace tocsin::storage {

namespace {

// The texts at the front of a row's body.
constexpr std::uint32_t text_bits =
    bits::summary | bits::payload | bits::idempotency_key | bits::description | bits::gem_full_path;

} // namespace

std::uint64_t chunk_checksum(std::string_view value, std::uint64_t first) {
    constexpr std::size_t before_checksum = chunk_header_bytes - sizeof(std::uint64_t);
    return hash64(value.substr(chunk_header_bytes), hash_mix(first, hash64(value.substr(0, before_checksum))));
}

Result<ChunkHeader> read_chunk_header(std::string_view value, std::uint64_t first) {
    ByteReader in(value);
    ChunkHeader header;
    header.version = in.fixed<std::uint8_t>();
    header.flags = in.fixed<std::uint8_t>();
    header.count = in.fixed<std::uint16_t>();
    header.checksum = in.fixed<std::uint64_t>();
    const auto wrong = [first](std::string reason) {
        return fail(Code::unavailable, "read", "log value " + std::to_string(first), std::move(reason));
    };
    if (!in.ok()) {
        return wrong("too short");
    }
    if (header.version != chunk_version || header.flags != 0) {
        return wrong("format " + std::to_string(header.version) + "." + std::to_string(header.flags) +
                     " is not known to this version; run the version that wrote it, or restore a backup");
    }
    if (header.count == 0 || header.count > rows_per_chunk) {
        return wrong("holds " + std::to_string(header.count) + " events");
    }
    return header;
}

Error ChunkReader::broken(std::string_view what) const {
    return Error{.code = Code::unavailable,
                 .context = "read",
                 .object = "log value " + std::to_string(first_),
                 .reason = std::string(what) + " is damaged; restore a backup"};
}

Result<void> ChunkReader::open(std::string_view value, std::uint64_t first) {
    first_ = first;
    count_ = 0;
    columns_read_ = false;
    const auto header = read_chunk_header(value, first);
    if (!header) {
        return std::unexpected(header.error());
    }
    if (chunk_checksum(value, first) != header->checksum) {
        return std::unexpected(broken("checksum"));
    }
    ByteReader in(value.substr(chunk_header_bytes));
    base_us_ = in.zigzag();
    min_us_ = minus(base_us_, static_cast<std::int64_t>(in.varint()));
    max_us_ = plus(base_us_, static_cast<std::int64_t>(in.varint()));
    const std::uint64_t texts = in.varint();
    if (texts > in.left()) { // each takes a byte at least
        return std::unexpected(broken("dictionary"));
    }
    strings_.clear();
    strings_.reserve(static_cast<std::size_t>(texts) + 1);
    strings_.emplace_back();
    for (std::uint64_t i = 0; i < texts && in.ok(); ++i) {
        strings_.push_back(in.string());
    }
    rows_ = in.string();
    bodies_ = in.bytes(in.left());
    if (!in.ok()) {
        return std::unexpected(broken("dictionary"));
    }
    count_ = header->count;
    return {};
}

Result<void> ChunkReader::read_columns() {
    if (columns_read_) {
        return {};
    }
    ByteReader in(rows_);
    Columns& c = *columns_;
    std::int64_t event_us = base_us_;
    std::int64_t received_us = base_us_;
    std::size_t offset = 0;
    bool good = true;
    const auto code = [this, &in, &good](bool there) -> std::uint32_t {
        const std::uint64_t value = there ? in.varint() : no_code;
        good = good && code_ok(value);
        return static_cast<std::uint32_t>(value);
    };
    for (std::size_t row = 0; row < count_; ++row) {
        const std::uint64_t wide = in.varint();
        const auto set = static_cast<std::uint32_t>(wide);
        good = good && (wide & ~std::uint64_t{bits::known}) == 0;
        event_us = plus(event_us, in.zigzag());
        received_us = plus(received_us, in.zigzag());
        c.bits[row] = set;
        c.event_time_us[row] = event_us;
        c.received_time_us[row] = received_us;
        c.name[row] = code(true);
        c.source[row] = code(true);
        c.environment[row] = code((set & bits::environment) != 0);
        c.host[row] = code((set & bits::host) != 0);
        c.event_id[row] = code((set & bits::event_id) != 0);
        rest_[row].spark_script = code((set & bits::spark_script) != 0);
        c.scid[row] = (set & bits::scid) != 0 ? in.zigzag() : 0;
        c.event_rule_id[row] = (set & bits::event_rule_id) != 0 ? in.zigzag() : 0;
        const std::uint64_t count = (set & bits::count) != 0 ? in.varint() : 1;
        c.count[row] = static_cast<std::uint32_t>(count);
        const std::uint64_t size = in.varint();
        good = good && count <= std::numeric_limits<std::uint32_t>::max() && size <= bodies_.size() - offset;
        if (!good || !in.ok()) {
            return std::unexpected(broken("row " + std::to_string(row)));
        }
        rest_[row].offset = offset;
        rest_[row].size = static_cast<std::size_t>(size);
        offset += rest_[row].size;
    }
    if (!in.done() || offset != bodies_.size()) {
        return std::unexpected(broken("length"));
    }
    columns_read_ = true;
    return {};
}

Result<Event> ChunkReader::event(std::size_t row) const {
    Event e;
    if (auto read = event(row, e); !read) {
        return std::unexpected(std::move(read.error()));
    }
    return e;
}

Result<void> ChunkReader::event(std::size_t row, Event& e) const {
    const Columns& c = *columns_;
    const std::uint32_t set = c.bits[row];
    e.unique_index = first_ + row;
    e.scid = c.scid[row];
    e.event_time_us = c.event_time_us[row];
    e.received_time_us = c.received_time_us[row];
    e.event_name = strings_[c.name[row]];
    e.event_src = strings_[c.source[row]];
    e.environment = strings_[c.environment[row]];
    e.host = strings_[c.host[row]];
    e.event_id = strings_[c.event_id[row]];
    e.spark_script = strings_[rest_[row].spark_script];
    e.count = c.count[row];
    e.severity = static_cast<Severity>(set & bits::severity_mask);
    e.event_type = (set & bits::dataset) != 0 ? EventType::dataset : EventType::standard;
    e.event_rule_id = (set & bits::event_rule_id) != 0 ? std::optional(c.event_rule_id[row]) : std::nullopt;
    e.spark_report_id.reset();
    e.spark_report_url.clear();
    ByteReader in(bodies_.substr(rest_[row].offset, rest_[row].size));
    const auto text = [&in, set](std::uint32_t bit, std::string& out) {
        out = (set & bit) != 0 ? in.string() : std::string_view{};
    };
    text(bits::summary, e.summary);
    text(bits::payload, e.payload);
    text(bits::idempotency_key, e.idempotency_key);
    text(bits::description, e.description);
    text(bits::gem_full_path, e.gem_full_path);
    bool good = true;
    if ((set & bits::origin) != 0) {
        const std::uint64_t code = in.varint();
        good = code_ok(code) && decode_origin(strings_[static_cast<std::size_t>(code)], e.origin);
    } else {
        e.origin = {};
    }
    std::uint64_t rule = no_code;
    if ((set & bits::event_rule) != 0) {
        rule = in.varint();
        good = good && code_ok(rule);
    }
    e.event_rule = good ? strings_[static_cast<std::size_t>(rule)] : std::string_view{};
    e.content_hash = (set & bits::content_hash) != 0 ? in.fixed<std::uint64_t>() : 0;
    e.cause = (set & bits::cause) != 0 ? std::optional(in.varint()) : std::nullopt;
    e.cause_depth = static_cast<std::uint32_t>((set & bits::cause_depth) != 0 ? in.varint() : 0);
    e.host_index = (set & bits::host_index) != 0 ? std::optional(in.varint()) : std::nullopt;
    if (!good || !in.done()) {
        return std::unexpected(broken("event " + std::to_string(e.unique_index)));
    }
    return {};
}

Result<StoredRow> ChunkReader::stored(std::size_t row) const {
    StoredRow out{.chunk = *this, .row = row, .spark_script = rest_[row].spark_script};
    const std::uint32_t set = columns_->bits[row];
    const std::string_view body = bodies_.substr(rest_[row].offset, rest_[row].size);
    ByteReader in(body);
    for (int texts = std::popcount(set & text_bits); texts != 0; --texts) {
        in.string();
    }
    out.texts = body.substr(0, body.size() - in.left());
    const std::uint64_t origin = (set & bits::origin) != 0 ? in.varint() : no_code;
    const std::uint64_t rule = (set & bits::event_rule) != 0 ? in.varint() : no_code;
    out.numbers = body.substr(body.size() - in.left());
    if ((set & bits::content_hash) != 0) {
        in.fixed<std::uint64_t>();
    }
    for (int numbers = std::popcount(set & (bits::cause | bits::cause_depth | bits::host_index)); numbers != 0;
         --numbers) {
        in.varint();
    }
    if (!in.done() || !code_ok(origin) || !code_ok(rule)) {
        return std::unexpected(broken("event " + std::to_string(first_ + row)));
    }
    out.origin = static_cast<std::uint32_t>(origin);
    out.event_rule = static_cast<std::uint32_t>(rule);
    return out;
}

Result<Origin> ChunkReader::origin(std::uint32_t code) const {
    Origin out;
    if (!decode_origin(strings_[code], out)) {
        return std::unexpected(broken("an origin"));
    }
    return out;
}

} // namespace tocsin::storage
