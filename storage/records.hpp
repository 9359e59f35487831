// SPDX-License-Identifier: Apache-2.0
// The events of sealed blocks: groups of about 64, each coded as a value of the log is and compressed, several groups a
// value. Tree `records`: first index of the value -> value.
#pragma once

#include "storage/chunk_codec.hpp"
#include "storage/chunk_writer.hpp"
#include "storage/sealed_value.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::storage {

inline constexpr std::size_t rows_per_group = 64;

class RecordWriter {
public:
    explicit RecordWriter(std::uint64_t first) : first_(first), next_(first) {}
    // Events with consecutive indexes. What is full goes to `out`.
    void add(const Event& event, std::vector<SealedRow>& out);
    // The same as they are stored, by chunks: follow() before a chunk's first.
    void follow(const ChunkReader& chunk) { group_.follow(chunk); }
    void add(const StoredRow& stored, std::vector<SealedRow>& out);
    // An event that has expired: its place is kept, nothing of it.
    void add_hole(std::vector<SealedRow>& out);
    // Ends the value: the next event begins another one.
    void finish(std::vector<SealedRow>& out);

private:
    void close_group(std::vector<SealedRow>& out);
    void flush(std::vector<SealedRow>& out);

    std::uint64_t first_; // index of the value's first event
    std::uint64_t next_;
    ChunkWriter group_{};
    bool hollow_ = true; // nothing but holes in the group
    std::int64_t last_event_us_ = 0;
    std::int64_t last_received_us_ = 0;
    std::string table_{};
    std::string groups_{};
    std::string packed_{};
};

// Opens the group that holds the index into `chunk`, whose bytes are kept in `space`. False where the value does not
// reach so far, or where the whole group has expired.
Result<bool> open_group(std::string_view key, std::string_view value, std::uint64_t index, std::string& space,
                        ChunkReader& chunk);

} // namespace tocsin::storage
