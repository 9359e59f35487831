// SPDX-License-Identifier: Apache-2.0
#include "storage/chunk_writer.hpp"

#include "core/hash.hpp"
#include "storage/bytes.hpp"
#include "storage/origin_codec.hpp"

#include <algorithm>

namespace tocsin::storage {

namespace {

constexpr std::size_t row_overhead_max = 256;                  // every number of a row at its longest
constexpr std::size_t row_numbers_max = 13 * varint_bytes_max; // those beside its body

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

} // namespace

bool ChunkWriter::has_room(std::size_t bytes) const {
    const std::size_t head = chunk_header_bytes + std::size_t{8} * 10;
    return head + dictionary_.size() + rows_.size() + bodies_.size() + bytes <= chunk_bytes_max;
}

bool ChunkWriter::fits(const Event& event) const {
    return count_ == 0 || (count_ < rows_per_chunk && has_room(size_bound(event)));
}

bool ChunkWriter::fits(const StoredRow& stored) const {
    const Columns& c = stored.chunk.columns();
    std::size_t bytes = row_overhead_max + stored.texts.size();
    for (const std::uint32_t code :
         {c.name[stored.row], c.source[stored.row], c.environment[stored.row], c.host[stored.row],
          c.event_id[stored.row], stored.spark_script, stored.origin, stored.event_rule}) {
        bytes += stored.chunk.strings()[code].size();
    }
    return count_ == 0 || (count_ < rows_per_chunk && has_room(bytes));
}

std::uint32_t ChunkWriter::intern(Field field, std::string_view text) {
    Last& last = last_[static_cast<std::size_t>(field)];
    if (last.code != no_code && text_at(last.offset, last.size) == text) {
        return last.code;
    }
    of_one_chunk_ = false;
    const std::uint32_t code = intern(text);
    last = {texts_[code - 1].offset, texts_[code - 1].size, code};
    return code;
}

std::uint32_t ChunkWriter::intern(std::string_view text) {
    for (; looked_up_ < texts_.size(); ++looked_up_) { // were taken over without
        const Text& known = texts_[looked_up_];
        codes_.insert(hash64(text_at(known.offset, known.size)), static_cast<std::uint32_t>(looked_up_ + 1));
    }
    const std::uint64_t hash = hash64(text);
    const auto same = [this, text](std::uint32_t code) {
        const Text& known = texts_[code - 1];
        return text_at(known.offset, known.size) == text;
    };
    std::uint32_t code = codes_.find(hash, same);
    if (code == no_code) {
        code = append_text(text);
        codes_.insert(hash, code);
        ++looked_up_;
    }
    return code;
}

std::uint32_t ChunkWriter::append_text(std::string_view text) {
    put_varint(dictionary_, text.size());
    texts_.push_back({dictionary_.size(), text.size()});
    dictionary_ += text;
    return static_cast<std::uint32_t>(texts_.size());
}

void ChunkWriter::follow(const ChunkReader& chunk) {
    taken_.assign(chunk.strings().size(), no_code);
    of_one_chunk_ = texts_.empty();
}

// A chunk holds no string twice: while it is the only one that was taken over, what it brings is new.
std::uint32_t ChunkWriter::take_over(const ChunkReader& chunk, std::uint32_t code) {
    if (code == no_code) {
        return no_code;
    }
    std::uint32_t& mine = taken_[code];
    if (mine == no_code) {
        const std::string_view text = chunk.strings()[code];
        mine = of_one_chunk_ ? append_text(text) : intern(text);
    }
    return mine;
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
    const std::size_t body = bodies_.size();
    Row row{.bits = bits_of(event), .event_time_us = event.event_time_us, .received_time_us = event.received_time_us};
    add_body(event, row.bits);
    const auto code = [this, set = row.bits](std::uint32_t bit, Field field, std::string_view text) {
        return (set & bit) != 0 ? intern(field, text) : no_code;
    };
    row.name = intern(Field::name, event.event_name);
    row.source = intern(Field::source, event.event_src);
    row.environment = code(bits::environment, Field::environment, event.environment);
    row.host = code(bits::host, Field::host, event.host);
    row.event_id = code(bits::event_id, Field::event_id, event.event_id);
    row.spark_script = code(bits::spark_script, Field::spark_script, event.spark_script);
    row.scid = event.scid;
    row.event_rule_id = event.event_rule_id.value_or(0);
    row.count = event.count;
    add_row(row, bodies_.size() - body);
}

void ChunkWriter::add(const StoredRow& stored) {
    const Columns& c = stored.chunk.columns();
    const std::size_t at = stored.row;
    const std::size_t body = bodies_.size();
    const auto mine = [this, &stored](std::uint32_t code) { return take_over(stored.chunk, code); };
    Row row{.bits = c.bits[at], .event_time_us = c.event_time_us[at], .received_time_us = c.received_time_us[at]};
    bodies_ += stored.texts;
    if ((row.bits & bits::origin) != 0) {
        put_varint(bodies_, mine(stored.origin));
    }
    if ((row.bits & bits::event_rule) != 0) {
        put_varint(bodies_, mine(stored.event_rule));
    }
    bodies_ += stored.numbers;
    row.name = mine(c.name[at]);
    row.source = mine(c.source[at]);
    row.environment = mine(c.environment[at]);
    row.host = mine(c.host[at]);
    row.event_id = mine(c.event_id[at]);
    row.spark_script = mine(stored.spark_script);
    row.scid = c.scid[at];
    row.event_rule_id = c.event_rule_id[at];
    row.count = c.count[at];
    add_row(row, bodies_.size() - body);
}

void ChunkWriter::add_row(const Row& row, std::size_t body) {
    if (count_ == 0) {
        base_us_ = min_us_ = max_us_ = last_event_us_ = last_received_us_ = row.event_time_us;
    }
    min_us_ = std::min(min_us_, row.event_time_us);
    max_us_ = std::max(max_us_, row.event_time_us);
    char raw[row_numbers_max];
    char* at = put_varint(raw, row.bits);
    at = put_zigzag(at, minus(row.event_time_us, last_event_us_));
    at = put_zigzag(at, minus(row.received_time_us, last_received_us_));
    last_event_us_ = row.event_time_us;
    last_received_us_ = row.received_time_us;
    const auto where = [&at, set = row.bits](std::uint32_t bit, std::uint64_t number) {
        at = (set & bit) != 0 ? put_varint(at, number) : at;
    };
    at = put_varint(at, row.name);
    at = put_varint(at, row.source);
    where(bits::environment, row.environment);
    where(bits::host, row.host);
    where(bits::event_id, row.event_id);
    where(bits::spark_script, row.spark_script);
    where(bits::scid, zigzag(row.scid));
    where(bits::event_rule_id, zigzag(row.event_rule_id));
    where(bits::count, row.count);
    at = put_varint(at, body);
    rows_.append(raw, static_cast<std::size_t>(at - raw));
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
    scratch_.clear();
    put_fixed(scratch_, chunk_checksum(value_, first));
    value_.replace(chunk_header_bytes - scratch_.size(), scratch_.size(), scratch_);
    clear();
    return value_;
}

void ChunkWriter::clear() {
    count_ = 0;
    dictionary_.clear();
    texts_.clear();
    codes_.clear();
    looked_up_ = 0;
    std::ranges::fill(taken_, no_code);
    of_one_chunk_ = true;
    last_ = {};
    last_origin_code_ = no_code;
    rows_.clear();
    bodies_.clear();
}

} // namespace tocsin::storage
