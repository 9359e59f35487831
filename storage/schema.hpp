// SPDX-License-Identifier: Apache-2.0
// The store's directory: who holds it, which version of the schema is in it, and the numbers that a start needs.
// docs/schema.md is its description.
#pragma once

#include "storage/lmdb_env.hpp"
#include "storage/migration.hpp"
#include "storage/problems.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace tocsin::storage {

inline constexpr std::uint32_t schema_version = 2;

// Held as long as it lives: no second daemon opens the same directory. conflict says who has it.
class DirectoryLock {
public:
    // Makes the directory (0700) where it is missing.
    static Result<DirectoryLock> take(const std::filesystem::path& directory);
    DirectoryLock(DirectoryLock&& other) noexcept;
    DirectoryLock& operator=(DirectoryLock&&) = delete;
    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;
    ~DirectoryLock();

private:
    explicit DirectoryLock(int fd) : fd_(fd) {}
    int fd_;
};

struct StoreMeta {
    std::string store_id; // 16 bytes, from its founding to its end: what fingerprints are seeded with
    std::string identity; // 16 bytes: what others know it by, renewed by a restore
    std::uint64_t checkpoint = 0;
    std::uint64_t sealed = 0;     // up to here events are in sealed blocks
    std::uint64_t next_index = 1; // of an empty log
};

// Opens the trees; a new store gets its id, an older one is copied and migrated, a newer one is conflict.
struct Prepared {
    StoreMeta meta;
    std::optional<Migration> migration{}; // where it was an older one
};
Result<Prepared> prepare(Env& env, std::int64_t now_us, const Progress& progress = {});

// What an existing store says, without writing.
Result<StoreMeta> read_meta(Env& env);

std::string to_hex(std::string_view bytes);
std::string from_hex(std::string_view digits); // empty where they are none

} // namespace tocsin::storage
