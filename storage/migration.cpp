// SPDX-License-Identifier: Apache-2.0
#include "storage/migration.hpp"

#include "storage/backup_mark.hpp"
#include "storage/file_io.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/log_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>

namespace tocsin::storage {

namespace {

constexpr mode_t file_mode = 0600;

std::uint64_t free_bytes(const std::filesystem::path& directory) {
    struct statvfs disk{};
    return ::statvfs(directory.c_str(), &disk) == 0 ? static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize : 0;
}

Result<std::uint64_t> last_index(Env& env) {
    const auto known = env.has_tree(Tree::log);
    if (!known || !*known) {
        return known ? Result<std::uint64_t>(0) : std::unexpected(known.error());
    }
    const auto txn = Txn::read(env);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    ChunkReader chunk;
    LogReader log(*txn, chunk);
    const auto found = log.at_or_before(std::numeric_limits<std::uint64_t>::max());
    if (!found) {
        return std::unexpected(found.error());
    }
    return *found ? chunk.last() : 0;
}

// Copies `mark.bytes` and puts the mark behind them.
int copy(int from, int to, BackupMark mark, const Progress& progress) {
    PieceHash hash;
    std::string piece;
    for (std::uint64_t at = 0; at < mark.bytes; at += piece.size()) {
        piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, mark.bytes - at)));
        int rc = read_at(from, piece, at);
        rc = rc != 0 ? rc : write_whole(to, piece);
        if (rc != 0) {
            return rc;
        }
        hash.add(piece);
        if (progress) {
            progress("bytes", at + piece.size(), mark.bytes);
        }
    }
    mark.checksum = hash.value();
    const int rc = write_whole(to, encode_mark(mark));
    return rc != 0 ? rc : flush_file(to);
}

std::string unfinished_name(const std::filesystem::path& path) {
    return path.string() + ".unfinished";
}

// Whole under its name or not there: a name of its own until it is durable.
int copy_whole(int from, const std::filesystem::path& to, const BackupMark& mark, const Progress& progress) {
    const std::string unfinished = unfinished_name(to);
    const Fd file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode));
    int rc = file.valid() ? copy(from, file.get(), mark, progress) : errno;
    rc = rc != 0 ? rc : (std::rename(unfinished.c_str(), to.c_str()) == 0 ? 0 : errno);
    rc = rc != 0 ? rc : flush_entries(to.parent_path().string());
    if (rc != 0) {
        ::unlink(unfinished.c_str());
    }
    return rc;
}

} // namespace

Result<Migration> keep_older(Env& env, std::uint32_t version, std::int64_t now_us, const Progress& progress) {
    Migration out{.from = version};
    const auto data = env.directory() / "data.mdb";
    const auto wanted = env.directory() / ("schema-" + std::to_string(version) + ".mdb");
    const auto last = last_index(env);
    if (!last) {
        return std::unexpected(last.error());
    }
    const Fd file(::open(data.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (!file.valid() || ::fstat(file.get(), &status) != 0) {
        return std::unexpected(file_error(errno, "store", data.string()));
    }
    ::unlink(unfinished_name(wanted).c_str()); // of a start that was cut off: it would take the room for this one
    // Pages behind the last one used say nothing; the last ones used may never have been written.
    const std::uint64_t bytes = std::min(env.used_bytes(), static_cast<std::uint64_t>(status.st_size));
    if (free_bytes(env.directory()) < bytes + migration_free_bytes) {
        out.not_kept = "the disk has too little space for a copy of " + std::to_string(bytes) + " bytes";
        return out;
    }
    const int rc = copy_whole(file.get(), wanted, {.bytes = bytes, .made_us = now_us, .last_index = *last}, progress);
    if (rc != 0 && commit_failure(rc) != CommitFailure::full) {
        return std::unexpected(file_error(rc, "store", wanted.string()));
    }
    if (rc != 0) {
        out.not_kept = lmdb_reason(rc);
    } else {
        out.kept = wanted;
    }
    return out;
}

} // namespace tocsin::storage
