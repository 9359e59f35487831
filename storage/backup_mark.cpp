// SPDX-License-Identifier: Apache-2.0
#include "storage/backup_mark.hpp"

#include "core/hash.hpp"
#include "storage/bytes.hpp"
#include "storage/file_io.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace tocsin::storage {

namespace {

constexpr std::string_view magic = "tocsin backup 1\n";
constexpr std::size_t hashed_bytes = mark_bytes - sizeof(std::uint64_t);

} // namespace

void PieceHash::add(std::string_view piece) {
    value_ = hash_mix(value_, hash64(piece));
}

std::string encode_mark(const BackupMark& mark) {
    std::string out(magic);
    put_fixed(out, mark.bytes);
    put_fixed(out, mark.made_us);
    put_fixed(out, mark.last_index);
    put_fixed(out, mark.checksum);
    out.resize(hashed_bytes, '\0');
    put_fixed(out, hash64(out));
    return out;
}

std::optional<BackupMark> decode_mark(std::string_view bytes) {
    if (bytes.size() != mark_bytes || !bytes.starts_with(magic)) {
        return std::nullopt;
    }
    ByteReader reader(bytes.substr(magic.size()));
    BackupMark mark;
    mark.bytes = reader.fixed<std::uint64_t>();
    mark.made_us = reader.fixed<std::int64_t>();
    mark.last_index = reader.fixed<std::uint64_t>();
    mark.checksum = reader.fixed<std::uint64_t>();
    return encode_mark(mark) == bytes ? std::optional(mark) : std::nullopt;
}

Result<std::optional<BackupMark>> read_mark(int file) {
    struct stat status{};
    if (::fstat(file, &status) != 0) {
        return std::unexpected(file_error(errno, "verify", "backup"));
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (!S_ISREG(status.st_mode) || size < mark_bytes) {
        return std::nullopt;
    }
    std::string bytes(mark_bytes, '\0');
    if (const int rc = read_at(file, bytes, size - mark_bytes); rc != 0) {
        return std::unexpected(file_error(rc, "verify", "backup"));
    }
    const auto mark = decode_mark(bytes);
    return mark && mark->bytes == size - mark_bytes ? mark : std::nullopt;
}

Result<bool> fits_mark(int file, const BackupMark& mark) {
    PieceHash hash;
    std::string piece;
    for (std::uint64_t at = 0; at < mark.bytes; at += piece.size()) {
        piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, mark.bytes - at)));
        if (const int rc = read_at(file, piece, at); rc != 0) {
            return std::unexpected(file_error(rc, "verify", "backup"));
        }
        hash.add(piece);
    }
    return hash.value() == mark.checksum;
}

} // namespace tocsin::storage
