// SPDX-License-Identifier: Apache-2.0
#include "storage/schema.hpp"

#include "storage/counters.hpp"
#include "storage/keys.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

namespace tocsin::storage {

namespace {

constexpr mode_t directory_mode = 0700;
constexpr mode_t file_mode = 0600;
constexpr std::size_t id_bytes = 16;

Error system_error(int number, const std::filesystem::path& path) {
    return Error{.code = commit_failure(number) == CommitFailure::full ? Code::storage_full : Code::unavailable,
                 .context = "store",
                 .object = path.string(),
                 .reason = std::generic_category().message(number)};
}

std::string holder_of(int fd) {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
    long pid = 0;
    if (size > 0 && std::from_chars(text.data(), text.data() + size, pid).ec == std::errc{}) {
        return "process " + std::to_string(pid);
    }
    return "another process";
}

// New directory entries survive a power loss only once their directory is flushed.
Result<void> flush_directory(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return std::unexpected(system_error(errno, path));
    }
    const int rc = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    if (rc != 0 && rc != EINVAL) {
        return std::unexpected(system_error(rc, path));
    }
    return {};
}

constexpr std::string_view newer_object = "schema "; // and its number

// The version of the store, which is not newer than this program's.
Result<std::uint32_t> read_version(const Txn& txn) {
    const auto value = txn.get(Tree::meta, meta::schema);
    if (!value) {
        return std::unexpected(value.error());
    }
    const auto number = *value ? read_fixed<std::uint32_t>(**value) : std::optional<std::uint32_t>{};
    if (!number) {
        return fail(Code::unavailable, "store", "schema", "its version is missing; restore a backup");
    }
    if (*number > schema_version) {
        return fail(Code::conflict, "store", std::string(newer_object) + std::to_string(*number),
                    "made by a newer Tocsin (this one knows schema " + std::to_string(schema_version) +
                        "); install that version again, or restore a backup made before the upgrade");
    }
    return *number;
}

// None: the store was never founded.
Result<std::optional<std::uint32_t>> found_version(Env& env) {
    const auto known = env.has_tree(Tree::meta);
    if (!known || !*known) {
        return known ? Result<std::optional<std::uint32_t>>(std::nullopt) : std::unexpected(known.error());
    }
    const auto txn = Txn::read(env);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    const auto entries = txn->entries(Tree::meta);
    if (entries && *entries == 0) { // founded by a start that was cut off
        return std::nullopt;
    }
    const auto version = read_version(*txn);
    return version ? Result<std::optional<std::uint32_t>>(*version) : std::unexpected(version.error());
}

// From 1 to 2 nothing else is rewritten here: what schema 2 adds is made block by block while the store is in use. The
// number alone keeps an older daemon, which would miss the sealed events, from opening it.
Result<void> set_version(Env& env) {
    std::optional<Txn> txn;
    int rc = Txn::write(env, txn);
    rc = rc != 0 ? rc : txn->put(Tree::meta, meta::schema, fixed_key(schema_version));
    rc = rc != 0 ? rc : txn->commit();
    return rc == 0 ? Result<void>{} : std::unexpected(lmdb_error(rc, "store", "schema"));
}

Result<void> found_store(Env& env, std::int64_t now_us) {
    std::array<char, id_bytes> id{};
    if (::getentropy(id.data(), id.size()) != 0) {
        return std::unexpected(system_error(errno, "getentropy"));
    }
    std::optional<Txn> txn;
    int rc = Txn::write(env, txn);
    const auto put = [&rc, &txn](std::string_view key, std::string_view value) {
        rc = rc != 0 ? rc : txn->put(Tree::meta, key, value);
    };
    put(meta::schema, fixed_key(schema_version));
    put(meta::store_id, {id.data(), id.size()});
    put(meta::created, fixed_key(now_us));
    put(meta::checkpoint, fixed_key(std::uint64_t{0}));
    if (rc == 0) {
        rc = txn->commit();
    }
    if (rc != 0) {
        return std::unexpected(lmdb_error(rc, "store", "meta"));
    }
    return {};
}

} // namespace

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory) {
    std::error_code error;
    if (directory.has_parent_path()) {
        std::filesystem::create_directories(directory.parent_path(), error);
    }
    if (error) {
        return std::unexpected(system_error(error.value(), directory));
    }
    const bool made = ::mkdir(directory.c_str(), directory_mode) == 0;
    if (!made && errno != EEXIST) {
        return std::unexpected(system_error(errno, directory));
    }
    const auto path = directory / "lock";
    DirectoryLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, file_mode));
    if (lock.fd_ < 0) {
        return std::unexpected(system_error(errno, path));
    }
    if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
        return fail(Code::conflict, "store", directory.string(),
                    "is in use by " + holder_of(lock.fd_) + "; stop it first, or choose another directory");
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    // For the message above alone: a full disk must not keep the store from opening.
    [[maybe_unused]] const int cut = ::ftruncate(lock.fd_, 0);
    [[maybe_unused]] const ssize_t written = ::pwrite(lock.fd_, pid.data(), pid.size(), 0);
    if (made) {
        if (auto flushed = flush_directory(directory.has_parent_path() ? directory.parent_path() : "."); !flushed) {
            return std::unexpected(flushed.error());
        }
    }
    return lock;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DirectoryLock::~DirectoryLock() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Result<Prepared> prepare(Env& env, std::int64_t now_us, const Progress& progress) {
    const auto version = found_version(env);
    if (!version) {
        return std::unexpected(version.error());
    }
    const bool empty = !*version;
    const bool older = !empty && **version < schema_version;
    std::optional<Migration> migration;
    if (older) {
        auto kept = keep_older(env, **version, now_us, progress);
        if (!kept) {
            return std::unexpected(kept.error());
        }
        migration = std::move(*kept);
    }
    auto done = env.open_trees();
    if (done && empty) {
        done = found_store(env, now_us);
        done = done ? flush_directory(env.directory()) : done;
    } else if (done && older) {
        done = set_version(env);
    }
    auto meta = done ? read_meta(env) : std::unexpected(done.error());
    if (!meta) {
        return std::unexpected(meta.error());
    }
    return Prepared{.meta = std::move(*meta), .migration = std::move(migration)};
}

Result<StoreMeta> read_meta(Env& env) {
    const auto txn = Txn::read(env);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    if (const auto version = read_version(*txn); !version) {
        return std::unexpected(version.error());
    }
    const auto id = txn->get(Tree::meta, meta::store_id);
    const auto identity = txn->get(Tree::meta, meta::identity);
    const auto checkpoint = read_count(*txn, Tree::meta, meta::checkpoint);
    const auto sealed = read_count(*txn, Tree::meta, meta::sealed);
    const auto next = read_count(*txn, Tree::meta, meta::next_index);
    const bool renewed = identity && *identity;
    if (!id || !identity || !checkpoint || !sealed || !next || !*id || (*id)->size() != id_bytes ||
        (renewed && (*identity)->size() != id_bytes)) {
        return fail(Code::unavailable, "store", "meta", "store_id or checkpoint is damaged; restore a backup");
    }
    return StoreMeta{.store_id = std::string(**id),
                     .identity = std::string(renewed ? **identity : **id),
                     .checkpoint = *checkpoint,
                     .sealed = *sealed,
                     .next_index = *next == 0 ? 1 : *next};
}

std::string to_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4U];
        out += digits[byte & 0xfU];
    }
    return out;
}

std::string from_hex(std::string_view digits) {
    std::string out;
    for (std::size_t at = 0; at + 2 <= digits.size(); at += 2) {
        unsigned byte = 0;
        const char* const end = digits.data() + at + 2;
        if (const auto read = std::from_chars(digits.data() + at, end, byte, 16);
            read.ec != std::errc{} || read.ptr != end) {
            return {};
        }
        out += static_cast<char>(byte);
    }
    return out;
}

bool is_from_newer_version(const Error& error) {
    return error.code == Code::conflict && error.context == "store" && error.object.starts_with(newer_object);
}

} // namespace tocsin::storage
