// SPDX-License-Identifier: Apache-2.0
// One value of the log: up to 1,024 events in at most 64 KiB (a larger event alone), self-contained: header with
// checksum, strings, the columns that filters ask, then the rest of each event. docs/schema.md gives the bytes.
// Decoding is bounds-checked from end to end: whatever the bytes are, the answer is an event or an error.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"
#include "storage/columns.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::storage {

inline constexpr std::uint8_t chunk_version = 1;
inline constexpr std::size_t chunk_bytes_max = 64 * 1024 - 16; // with LMDB's page header: 16 whole pages

inline constexpr std::size_t chunk_header_bytes = 12; // version, flags, number of events, checksum

class ChunkReader;

// A row as it is stored: numbers and texts where they stand, strings as codes of its chunk.
struct StoredRow {
    const ChunkReader& chunk;
    std::size_t row;
    std::uint32_t spark_script = no_code;
    std::string_view texts{}; // summary, payload, idempotency_key, description, gem_full_path
    std::uint32_t origin = no_code;
    std::uint32_t event_rule = no_code;
    std::string_view numbers{}; // content_hash, cause, cause_depth, host_index
};

class ChunkReader {
public:
    // Checks the checksum and reads the strings and time range; `value` must stay alive and unchanged.
    Result<void> open(std::string_view value, std::uint64_t first);
    // Reads the columns, once; event() needs them.
    Result<void> read_columns();

    std::uint64_t first() const { return first_; }
    std::uint64_t last() const { return first_ + count_ - 1; }
    std::size_t count() const { return count_; }
    std::int64_t min_us() const { return min_us_; }
    std::int64_t max_us() const { return max_us_; }
    bool holds(std::uint64_t index) const { return count_ != 0 && index >= first_ && index - first_ < count_; }
    void close() { count_ = 0; }
    const Columns& columns() const { return *columns_; }
    // By code; [0] is the empty string.
    const std::vector<std::string_view>& strings() const { return strings_; }

    // Without what is joined when read (reports).
    Result<Event> event(std::size_t row) const;
    // The same into an event whose memory is used again.
    Result<void> event(std::size_t row, Event& e) const;
    // The same without making strings of it. Views live as long as the chunk is open.
    Result<StoredRow> stored(std::size_t row) const;
    // Of a stored row.
    Result<Origin> origin(std::uint32_t code) const;

private:
    struct Rest { // of a row, beyond the columns
        std::uint32_t spark_script = no_code;
        std::size_t offset = 0;
        std::size_t size = 0;
    };
    Error broken(std::string_view what) const;
    bool code_ok(std::uint64_t code) const { return code < strings_.size(); }

    std::uint64_t first_ = 0;
    std::size_t count_ = 0; // 0: nothing open
    bool columns_read_ = false;
    std::int64_t min_us_ = 0;
    std::int64_t max_us_ = 0;
    std::int64_t base_us_ = 0;
    std::string_view rows_{};
    std::string_view bodies_{};
    std::vector<std::string_view> strings_{};
    std::unique_ptr<Columns> columns_ = std::make_unique<Columns>();
    std::array<Rest, rows_per_chunk> rest_{};
};

// The fixed part of a value: enough to know how many events it holds.
struct ChunkHeader {
    std::uint8_t version = 0;
    std::uint8_t flags = 0;
    std::uint16_t count = 0;
    std::uint64_t checksum = 0;
};
Result<ChunkHeader> read_chunk_header(std::string_view value, std::uint64_t first);
// What the header of this value is to hold: of all that stands beside it, and of where the value belongs.
std::uint64_t chunk_checksum(std::string_view value, std::uint64_t first);

} // namespace tocsin::storage
