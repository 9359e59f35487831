// SPDX-License-Identifier: Apache-2.0
// The last bytes of a backup: they say that it is whole and what it holds, and the store that is started from it that
// it was restored. LMDB does not look behind its last page, so a backup can be opened as it is.
#pragma once

#include "core/error.hpp"
#include "core/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::storage {

struct BackupMark {
    std::uint64_t bytes = 0;      // of the pages before the mark
    std::int64_t made_us = 0;     // wall time of its beginning
    std::uint64_t last_index = 0; // every event up to here is in it
    std::uint64_t checksum = 0;   // of the pages
    friend bool operator==(const BackupMark&, const BackupMark&) = default;
};

inline constexpr std::size_t mark_bytes = 64;
inline constexpr std::size_t piece_bytes = limits::MiB;

// The checksum, piece by piece: all have piece_bytes but the last.
class PieceHash {
public:
    void add(std::string_view piece);
    std::uint64_t value() const { return value_; }

private:
    std::uint64_t value_ = 0;
};

std::string encode_mark(const BackupMark& mark);
std::optional<BackupMark> decode_mark(std::string_view bytes);

// The mark at the end of an open file, where there is one.
Result<std::optional<BackupMark>> read_mark(int file);
// Reads all of it: true where the pages have the mark's checksum.
Result<bool> fits_mark(int file, const BackupMark& mark);

} // namespace tocsin::storage
