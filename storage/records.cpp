// SPDX-License-Identifier: Apache-2.0
#include "storage/records.hpp"

#include "core/limits.hpp"
#include "storage/keys.hpp"

#include <lz4.h>

#include <algorithm>
#include <utility>

namespace tocsin::storage {

namespace {
constexpr std::size_t table_entry_max = 3 + 4 + 4;
constexpr std::size_t group_bytes_max = 2 * limits::event_bytes; // unpacked: an event alone, whatever is around it

// Packed, or as it is where that is not smaller.
void pack(std::string_view raw, std::string& out) {
    out.resize(raw.size());
    const int size = LZ4_compress_default(raw.data(), out.data(), static_cast<int>(raw.size()),
                                          static_cast<int>(raw.empty() ? 0 : raw.size() - 1));
    if (size > 0) {
        out.resize(static_cast<std::size_t>(size));
    } else {
        out = raw;
    }
}

bool unpack(std::string_view packed, std::size_t size, std::string& out) {
    if (packed.size() == size) {
        out = packed;
        return true;
    }
    out.resize(size);
    return LZ4_decompress_safe(packed.data(), out.data(), static_cast<int>(packed.size()), static_cast<int>(size)) ==
           static_cast<int>(size);
}
} // namespace

void RecordWriter::add(const Event& event, std::vector<SealedRow>& out) {
    if (group_.count() == rows_per_group || !group_.fits(event)) {
        close_group(out);
    }
    group_.add(event);
    hollow_ = false;
    last_event_us_ = event.event_time_us;
    last_received_us_ = event.received_time_us;
}

void RecordWriter::add(const StoredRow& stored, std::vector<SealedRow>& out) {
    if (group_.count() == rows_per_group || !group_.fits(stored)) {
        close_group(out);
    }
    group_.add(stored);
    hollow_ = false;
    last_event_us_ = stored.chunk.columns().event_time_us[stored.row];
    last_received_us_ = stored.chunk.columns().received_time_us[stored.row];
}

// Its times are those of its neighbour: that takes the fewest bytes.
void RecordWriter::add_hole(std::vector<SealedRow>& out) {
    Event hole;
    hole.event_time_us = last_event_us_;
    hole.received_time_us = last_received_us_;
    if (group_.count() == rows_per_group || !group_.fits(hole)) {
        close_group(out);
    }
    group_.add(hole);
}

void RecordWriter::close_group(std::vector<SealedRow>& out) {
    if (group_.empty()) {
        return;
    }
    const std::size_t rows = group_.count();
    const std::string_view raw = std::exchange(hollow_, true) ? std::string_view{} : group_.seal(next_);
    if (raw.empty()) {
        group_.clear();
    }
    pack(raw, packed_);
    if (!table_.empty() &&
        sealed_head_bytes + table_.size() + table_entry_max + groups_.size() + packed_.size() > sealed_bytes_max) {
        flush(out);
    }
    put_varint(table_, rows);
    put_varint(table_, raw.size());
    put_varint(table_, packed_.size());
    groups_ += packed_;
    next_ += rows;
}

void RecordWriter::flush(std::vector<SealedRow>& out) {
    if (!groups_.empty()) {
        out.push_back(seal_row(Tree::records, index_key(first_), table_, groups_));
    }
    table_.clear();
    groups_.clear();
    first_ = next_;
}

void RecordWriter::finish(std::vector<SealedRow>& out) {
    close_group(out);
    flush(out);
}

Result<bool> open_group(std::string_view key, std::string_view value, std::uint64_t index, std::string& space,
                        ChunkReader& chunk) {
    const auto first = read_fixed<std::uint64_t>(key);
    const auto opened = open_sealed(key, value);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    ByteReader table(opened->checked);
    std::uint64_t at = first.value_or(0);
    std::size_t offset = 0;
    while (table.ok() && table.left() != 0) {
        const std::uint64_t rows = table.varint();
        const std::uint64_t raw = table.varint();
        const std::uint64_t packed = table.varint();
        if (!table.ok() || rows == 0 || packed > opened->rest.size() - offset || raw > group_bytes_max) {
            return sealed_damaged(key, "table of its records");
        }
        if (index >= at && index - at < rows && raw == 0) {
            return false;
        }
        if (index >= at && index - at < rows) {
            const std::string_view bytes = opened->rest.substr(offset, static_cast<std::size_t>(packed));
            if (!unpack(bytes, static_cast<std::size_t>(raw), space)) {
                return sealed_damaged(key, "group " + std::to_string(at) + " of its records");
            }
            if (auto read = chunk.open(space, at); !read) {
                return std::unexpected(read.error());
            }
            if (chunk.count() != rows) {
                chunk.close();
                return sealed_damaged(key, "table of its records");
            }
            return true;
        }
        at += rows;
        offset += static_cast<std::size_t>(packed);
    }
    return false;
}

} // namespace tocsin::storage
