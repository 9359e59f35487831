// SPDX-License-Identifier: Apache-2.0
#include "storage/chunk_codec.hpp"

#include "core/hash.hpp"
#include "storage/bytes.hpp"

#include <algorithm>
#include <limits>

namespace tocsin::storage {

namespace {

constexpr std::size_t header_bytes = 12;
constexpr std::size_t row_overhead_max = 256; // every number of a row at its longest

// Differences wrap, so that any pair of times can be stored.
std::int64_t minus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t plus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// No event may take more room than this in a chunk.
std::size_t size_bound(const Event& e) {
    return row_overhead_max + e.event_name.size() + e.event_rule.size() + e.event_src.size() + e.spark_script.size() +
           e.gem_full_path.size() + e.event_id.size() + e.description.size() + e.summary.size() + e.environment.size() +
           e.payload.size() + e.idempotency_key.size() + e.host.size() + e.origin.transport.size() +
           e.origin.unit.size() + e.origin.executable.size();
}

std::uint32_t bits_of(const Event& e) {
    auto set = static_cast<std::uint32_t>(e.severity) & bits::severity_mask;
    const auto mark = [&set](bool there, std::uint32_t bit) { set |= there ? bit : 0; };
    mark(e.event_type == EventType::dataset, bits::dataset);
    mark(e.scid != 0, bits::scid);
    mark(e.event_rule_id.has_value(), bits::event_rule_id);
    mark(!e.environment.empty(), bits::environment);
    mark(!e.host.empty(), bits::host);
    mark(!e.event_id.empty(), bits::event_id);
    mark(!e.spark_script.empty(), bits::spark_script);
    mark(e.count != 1, bits::count);
    mark(e.origin != Origin{}, bits::origin);
    mark(!e.summary.empty(), bits::summary);
    mark(!e.payload.empty(), bits::payload);
    mark(!e.idempotency_key.empty(), bits::idempotency_key);
    mark(!e.description.empty(), bits::description);
    mark(!e.event_rule.empty(), bits::event_rule);
    mark(!e.gem_full_path.empty(), bits::gem_full_path);
    mark(e.content_hash != 0, bits::content_hash);
    mark(e.cause.has_value(), bits::cause);
    mark(e.cause_depth != 0, bits::cause_depth);
    mark(e.host_index.has_value(), bits::host_index);
    return set;
}

std::uint64_t checksum_seed(std::uint64_t first, std::string_view head) {
    return hash_mix(first, hash64(head));
}

namespace origin_bits {
constexpr std::uint8_t uid = 1;
constexpr std::uint8_t gid = 2;
constexpr std::uint8_t pid = 4;
constexpr std::uint8_t known = 7;
} // namespace origin_bits

void encode_origin(std::string& out, const Origin& origin) {
    const unsigned set = (origin.uid ? origin_bits::uid : 0U) | (origin.gid ? origin_bits::gid : 0U) |
                         (origin.pid ? origin_bits::pid : 0U);
    out += static_cast<char>(set);
    for (const auto& number : {origin.uid, origin.gid, origin.pid}) {
        if (number) {
            put_varint(out, *number);
        }
    }
    put_string(out, origin.transport);
    put_string(out, origin.unit);
    put_string(out, origin.executable);
}

bool decode_origin(std::string_view bytes, Origin& origin) {
    ByteReader in(bytes);
    const auto set = in.fixed<std::uint8_t>();
    bool fits = (set & ~origin_bits::known) == 0;
    const auto number = [&in, &fits](bool there, std::optional<std::uint32_t>& out) {
        out.reset();
        if (there) {
            const std::uint64_t value = in.varint();
            fits = fits && value <= std::numeric_limits<std::uint32_t>::max();
            out = static_cast<std::uint32_t>(value);
        }
    };
    number((set & origin_bits::uid) != 0, origin.uid);
    number((set & origin_bits::gid) != 0, origin.gid);
    number((set & origin_bits::pid) != 0, origin.pid);
    origin.transport = in.string();
    origin.unit = in.string();
    origin.executable = in.string();
    return fits && in.done();
}

} // namespace

// ---- writing ----

bool ChunkWriter::fits(const Event& event) const {
    if (count_ == 0) {
        return true;
    }
    const std::size_t head = header_bytes + std::size_t{8} * 10;
    return count_ < rows_per_chunk &&
           head + dictionary_.size() + rows_.size() + bodies_.size() + size_bound(event) <= chunk_bytes_max;
}

std::uint32_t ChunkWriter::intern(Field field, std::string_view text) {
    Last& last = last_[static_cast<std::size_t>(field)];
    if (last.code != no_code && text_at(last.offset, last.size) == text) {
        return last.code;
    }
    const std::uint64_t hash = hash64(text);
    const auto same = [this, text](std::uint32_t code) {
        const Text& known = texts_[code - 1];
        return text_at(known.offset, known.size) == text;
    };
    std::uint32_t code = codes_.find(hash, same);
    if (code == no_code) {
        put_varint(dictionary_, text.size());
        texts_.push_back({dictionary_.size(), text.size()});
        dictionary_ += text;
        code = static_cast<std::uint32_t>(texts_.size());
        codes_.insert(hash, code);
    }
    last = {texts_[code - 1].offset, texts_[code - 1].size, code};
    return code;
}

std::uint32_t ChunkWriter::intern_origin(const Origin& origin) {
    if (last_origin_code_ == no_code || !(origin == last_origin_)) {
        scratch_.clear();
        encode_origin(scratch_, origin);
        last_origin_code_ = intern(Field::origin, scratch_);
        last_origin_ = origin;
    }
    return last_origin_code_;
}

void ChunkWriter::add(const Event& event) {
    if (count_ == 0) {
        base_us_ = min_us_ = max_us_ = last_event_us_ = last_received_us_ = event.event_time_us;
    }
    min_us_ = std::min(min_us_, event.event_time_us);
    max_us_ = std::max(max_us_, event.event_time_us);
    const std::uint32_t set = bits_of(event);
    const std::size_t body = bodies_.size();
    add_body(event, set);

    put_varint(rows_, set);
    put_zigzag(rows_, minus(event.event_time_us, last_event_us_));
    put_zigzag(rows_, minus(event.received_time_us, last_received_us_));
    last_event_us_ = event.event_time_us;
    last_received_us_ = event.received_time_us;
    put_varint(rows_, intern(Field::name, event.event_name));
    put_varint(rows_, intern(Field::source, event.event_src));
    const auto code = [this, set](std::uint32_t bit, Field field, std::string_view text) {
        if ((set & bit) != 0) {
            put_varint(rows_, intern(field, text));
        }
    };
    code(bits::environment, Field::environment, event.environment);
    code(bits::host, Field::host, event.host);
    code(bits::event_id, Field::event_id, event.event_id);
    code(bits::spark_script, Field::spark_script, event.spark_script);
    if ((set & bits::scid) != 0) {
        put_zigzag(rows_, event.scid);
    }
    if ((set & bits::event_rule_id) != 0) {
        put_zigzag(rows_, *event.event_rule_id);
    }
    if ((set & bits::count) != 0) {
        put_varint(rows_, event.count);
    }
    put_varint(rows_, bodies_.size() - body);
    ++count_;
}

void ChunkWriter::add_body(const Event& event, std::uint32_t set) {
    const auto text = [this, set](std::uint32_t bit, std::string_view value) {
        if ((set & bit) != 0) {
            put_string(bodies_, value);
        }
    };
    text(bits::summary, event.summary);
    text(bits::payload, event.payload);
    text(bits::idempotency_key, event.idempotency_key);
    text(bits::description, event.description);
    text(bits::gem_full_path, event.gem_full_path);
    if ((set & bits::origin) != 0) {
        put_varint(bodies_, intern_origin(event.origin));
    }
    if ((set & bits::event_rule) != 0) {
        put_varint(bodies_, intern(Field::event_rule, event.event_rule));
    }
    if ((set & bits::content_hash) != 0) {
        put_fixed(bodies_, event.content_hash);
    }
    if ((set & bits::cause) != 0) {
        put_varint(bodies_, *event.cause);
    }
    if ((set & bits::cause_depth) != 0) {
        put_varint(bodies_, event.cause_depth);
    }
    if ((set & bits::host_index) != 0) {
        put_varint(bodies_, *event.host_index);
    }
}

std::string_view ChunkWriter::seal(std::uint64_t first) {
    value_.clear();
    value_ += static_cast<char>(chunk_version);
    value_ += '\0'; // flags
    put_fixed(value_, static_cast<std::uint16_t>(count_));
    put_fixed(value_, std::uint64_t{0});
    put_zigzag(value_, base_us_);
    put_varint(value_, static_cast<std::uint64_t>(minus(base_us_, min_us_)));
    put_varint(value_, static_cast<std::uint64_t>(minus(max_us_, base_us_)));
    put_varint(value_, texts_.size());
    value_ += dictionary_;
    put_varint(value_, rows_.size());
    value_ += rows_;
    value_ += bodies_;
    const std::string_view whole = value_;
    const std::uint64_t sum = hash64(whole.substr(header_bytes), checksum_seed(first, whole.substr(0, 4)));
    scratch_.clear();
    put_fixed(scratch_, sum);
    value_.replace(4, sizeof(sum), scratch_);
    clear();
    return value_;
}

void ChunkWriter::clear() {
    count_ = 0;
    dictionary_.clear();
    texts_.clear();
    codes_.clear();
    last_ = {};
    last_origin_code_ = no_code;
    rows_.clear();
    bodies_.clear();
}

// ---- reading ----

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
    if (hash64(value.substr(header_bytes), checksum_seed(first, value.substr(0, 4))) != header->checksum) {
        return std::unexpected(broken("checksum"));
    }
    ByteReader in(value.substr(header_bytes));
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

} // namespace tocsin::storage
