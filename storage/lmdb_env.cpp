// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb_env.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <mutex>
#include <system_error>
#include <utility>

namespace tocsin::storage {

namespace {

constexpr std::uint64_t map_bytes_min = 1ULL << 30; // below this the address space is too small to be worth a start
constexpr std::uint64_t map_bytes_default = 64ULL << 30;
constexpr unsigned map_per_disk = 4;
constexpr off_t lock_file_bytes = off_t{64} * 1024; // more than LMDB's reader table
constexpr mode_t file_mode = 0600;

constexpr std::array<std::string_view, tree_count> names = {"meta",   "log",     "counters", "totals", "blocks",
                                                            "idem",   "cursors", "watches",  "jobs",   "reports",
                                                            "sealed", "records", "archive",  "pins"};

std::uint64_t wanted_map_bytes(const std::filesystem::path& directory) {
    struct statvfs disk{};
    if (::statvfs(directory.c_str(), &disk) != 0) {
        return map_bytes_default;
    }
    const std::uint64_t bytes = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize;
    return std::max(map_bytes_default, bytes * map_per_disk);
}

// LMDB maps its reader table and writes into it: on a full disk a hole in that file would be a SIGBUS, so fill it
// first.
int fill_lock_file(const std::filesystem::path& directory) {
    const auto path = directory / "lock.mdb";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, file_mode);
    if (fd < 0) {
        return errno;
    }
    const int rc = ::posix_fallocate(fd, 0, lock_file_bytes);
    ::close(fd);
    return rc == EOPNOTSUPP || rc == EINVAL ? 0 : rc;
}

MDB_val as_val(std::string_view bytes) {
    return MDB_val{bytes.size(), const_cast<char*>(bytes.data())};
}

std::string_view as_view(const MDB_val& value) {
    return {static_cast<const char*>(value.mv_data), value.mv_size};
}

// A line of LMDB's table of readers: process, thread, and the transaction it reads, or "-". The oldest is wanted.
int lower_to_reader(const char* line, void* oldest) {
    std::string_view text(line);
    text.remove_suffix(text.ends_with('\n') ? 1 : 0);
    const std::string_view number = text.substr(text.rfind(' ') + 1);
    std::uint64_t id = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), id).ec == std::errc{}) {
        auto& least = *static_cast<std::uint64_t*>(oldest);
        least = std::min(least, id);
    }
    return 0;
}

} // namespace

std::string_view tree_name(Tree tree) {
    return names[static_cast<std::size_t>(tree)];
}

Tree tree_of(Table table) {
    switch (table) {
    case Table::watches:
        return Tree::watches;
    case Table::jobs:
        return Tree::jobs;
    case Table::reports:
        return Tree::reports;
    case Table::pins:
        return Tree::pins;
    }
    fatal("a table without a tree");
}

CommitFailure commit_failure(int rc) {
    switch (rc) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return CommitFailure::full;
    case MDB_TXN_FULL:
    case MDB_BAD_VALSIZE:
        return CommitFailure::one_op;
    case ENOMEM:
        return CommitFailure::transient;
    default:
        return CommitFailure::fatal;
    }
}

std::string lmdb_reason(int rc) {
    if (rc > 0) {
        return std::generic_category().message(rc);
    }
    return mdb_strerror(rc);
}

Error lmdb_error(int rc, std::string context, std::string object) {
    const Code code = commit_failure(rc) == CommitFailure::full ? Code::storage_full : Code::unavailable;
    return Error{.code = code, .context = std::move(context), .object = std::move(object), .reason = lmdb_reason(rc)};
}

// ---- Env ----

int Env::start() {
    if (int rc = mdb_env_create(&env_); rc != 0) {
        return rc;
    }
    unsigned flags = MDB_NOTLS | MDB_NOMEMINIT;
    if (config_.read_only) {
        flags |= MDB_RDONLY;
    }
#ifdef TOCSIN_UNSAFE_NOSYNC
    flags |= MDB_NOSYNC;
#endif
    const bool alone = !config_.file.empty();
    if (alone) {
        flags |= MDB_RDONLY | MDB_NOSUBDIR | MDB_NOLOCK;
    }
    int rc = mdb_env_set_mapsize(env_, map_bytes_);
    if (rc == 0) {
        rc = mdb_env_set_maxdbs(env_, tree_count);
    }
    if (rc == 0) {
        rc = mdb_env_open(env_, (alone ? config_.file : config_.directory).c_str(), flags, file_mode);
    }
    if (rc != 0) {
        close();
    }
    return rc;
}

void Env::close() {
    mdb_env_close(env_);
    env_ = nullptr;
}

Result<std::unique_ptr<Env>> Env::open(Config config) {
    auto env = std::unique_ptr<Env>(new Env(std::move(config)));
    const bool alone = !env->config_.file.empty();
    const auto path = (alone ? env->config_.file : env->config_.directory).string();
    if (!env->config_.read_only && !alone) {
        if (const int rc = fill_lock_file(env->config_.directory); rc != 0) {
            return std::unexpected(lmdb_error(rc, "store", path));
        }
    }
    env->map_bytes_ = env->config_.map_bytes != 0 ? env->config_.map_bytes : wanted_map_bytes(path);
    int rc = env->start();
    while (rc == ENOMEM && env->config_.map_bytes == 0 && env->map_bytes_ / 2 >= map_bytes_min) {
        env->map_bytes_ /= 2; // address space is limited: take what there is
        rc = env->start();
    }
    if (rc != 0) {
        return std::unexpected(lmdb_error(rc, "store", path));
    }
    int dead = 0;
    mdb_reader_check(env->env_, &dead); // slots of readers that died with an earlier daemon
    return env;
}

Env::~Env() {
    if (env_ != nullptr) {
        close();
    }
}

Result<bool> Env::has_tree(Tree tree) {
    auto txn = Txn::read(*this);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    MDB_dbi handle = 0;
    const int rc = mdb_dbi_open(txn->raw(), std::string(tree_name(tree)).c_str(), 0, &handle);
    if (rc == MDB_NOTFOUND) {
        return false;
    }
    if (rc != 0) {
        return std::unexpected(lmdb_error(rc, "store", std::string(tree_name(tree))));
    }
    if (const int done = txn->commit(); done != 0) { // keeps the handle
        return std::unexpected(lmdb_error(done, "store", std::string(tree_name(tree))));
    }
    handles_[static_cast<std::size_t>(tree)] = handle;
    return true;
}

Result<void> Env::open_trees() {
    for (std::size_t i = 0; i < tree_count; ++i) {
        auto there = has_tree(static_cast<Tree>(i));
        if (!there) {
            return std::unexpected(there.error());
        }
        if (*there) {
            continue;
        }
        std::optional<Txn> txn;
        int rc = Txn::write(*this, txn);
        if (rc == 0) {
            rc = mdb_dbi_open(txn->raw(), std::string(names[i]).c_str(), MDB_CREATE, &handles_[i]);
        }
        if (rc == 0) {
            rc = txn->commit();
        }
        if (rc != 0) {
            return std::unexpected(lmdb_error(rc, "store", std::string(names[i])));
        }
    }
    return {};
}

Result<void> Env::reopen_read_only() {
    {
        const std::scoped_lock lock(copy_mutex_);
        reopening_ = true; // from here on no copy begins
        if (copying_ >= 0) {
            ::shutdown(copying_, SHUT_RDWR);
        }
    }
    const std::unique_lock alone(gate_);
    close();
    config_.read_only = true;
    const std::scoped_lock lock(copy_mutex_);
    reopening_ = false;
    if (const int rc = start(); rc != 0) {
        return std::unexpected(lmdb_error(rc, "store", config_.directory.string()));
    }
    MDB_txn* txn = nullptr;
    int rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
    for (std::size_t i = 0; rc == 0 && i < tree_count; ++i) {
        rc = mdb_dbi_open(txn, std::string(names[i]).c_str(), 0, &handles_[i]);
    }
    if (rc == 0) {
        rc = mdb_txn_commit(txn);
    } else if (txn != nullptr) {
        mdb_txn_abort(txn);
    }
    if (rc != 0) {
        return std::unexpected(lmdb_error(rc, "store", config_.directory.string()));
    }
    return {};
}

Result<void> Env::copy_to(int socket) {
    const std::shared_lock gate(gate_);
    {
        const std::scoped_lock lock(copy_mutex_);
        if (env_ == nullptr || reopening_) {
            return fail(Code::unavailable, "backup", "", "the store is being opened anew; try again");
        }
        copying_ = socket;
    }
    const int rc = mdb_env_copyfd2(env_, socket, 0);
    const std::scoped_lock lock(copy_mutex_);
    copying_ = -1;
    return rc == 0 ? Result<void>{} : std::unexpected(lmdb_error(rc, "backup", "the copy"));
}

Result<std::uint64_t> Env::free_bytes() {
    constexpr MDB_dbi free_list = 0; // LMDB's own: transaction -> the number of pages it freed, then the pages
    const auto txn = Txn::read(*this);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    std::uint64_t oldest = mdb_txn_id(txn->raw());
    if (mdb_reader_list(env_, lower_to_reader, &oldest) < 0) {
        return fail(Code::unavailable, "store", "free pages", "the table of readers cannot be read");
    }
    MDB_cursor* cursor = nullptr;
    MDB_stat stat{};
    int rc = mdb_stat(txn->raw(), free_list, &stat);
    rc = rc != 0 ? rc : mdb_cursor_open(txn->raw(), free_list, &cursor);
    MDB_val key{};
    MDB_val value{};
    std::uint64_t pages = 0;
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        std::size_t freed_by = 0;
        std::memcpy(&freed_by, key.mv_data, std::min(sizeof(freed_by), key.mv_size));
        if (freed_by >= oldest) {
            rc = MDB_NOTFOUND; // and so are all that follow: somebody may still read those
            break;
        }
        std::size_t count = 0;
        std::memcpy(&count, value.mv_data, std::min(sizeof(count), value.mv_size));
        pages += count;
    }
    if (cursor != nullptr) {
        mdb_cursor_close(cursor);
    }
    if (rc != MDB_NOTFOUND) {
        return std::unexpected(lmdb_error(rc, "store", "free pages"));
    }
    return pages * stat.ms_psize;
}

std::uint64_t Env::used_bytes() const {
    const std::shared_lock gate(gate_);
    MDB_envinfo info{};
    MDB_stat stat{};
    if (env_ == nullptr || mdb_env_info(env_, &info) != 0 || mdb_env_stat(env_, &stat) != 0) {
        return 0;
    }
    return (static_cast<std::uint64_t>(info.me_last_pgno) + 1) * stat.ms_psize;
}

// ---- Txn ----

Result<Txn> Txn::read(Env& env) {
    std::shared_lock gate(env.gate_);
    MDB_txn* txn = nullptr;
    const int rc = env.env_ == nullptr ? MDB_PANIC : mdb_txn_begin(env.env_, nullptr, MDB_RDONLY, &txn);
    if (rc != 0) {
        return std::unexpected(lmdb_error(rc, "read"));
    }
    return Txn(env, txn, std::move(gate));
}

int Txn::write(Env& env, std::optional<Txn>& out) {
    MDB_txn* txn = nullptr;
    const int rc = env.env_ == nullptr ? MDB_PANIC : mdb_txn_begin(env.env_, nullptr, 0, &txn);
    if (rc == 0) {
        out.emplace(Txn(env, txn, {}));
    }
    return rc;
}

Txn::Txn(Txn&& other) noexcept
    : env_(other.env_), txn_(std::exchange(other.txn_, nullptr)), gate_(std::move(other.gate_)) {}

Txn::~Txn() {
    if (txn_ != nullptr) {
        mdb_txn_abort(txn_);
    }
}

Result<std::optional<std::string_view>> Txn::get(Tree tree, std::string_view key) const {
    MDB_val wanted = as_val(key);
    MDB_val value{};
    const int rc = mdb_get(txn_, env_->handle(tree), &wanted, &value);
    if (rc == MDB_NOTFOUND) {
        return std::nullopt;
    }
    if (rc != 0) {
        return std::unexpected(lmdb_error(rc, "read", std::string(tree_name(tree))));
    }
    return as_view(value);
}

Result<std::size_t> Txn::entries(Tree tree) const {
    MDB_stat stat{};
    if (const int rc = mdb_stat(txn_, env_->handle(tree), &stat); rc != 0) {
        return std::unexpected(lmdb_error(rc, "read", std::string(tree_name(tree))));
    }
    return stat.ms_entries;
}

int Txn::put(Tree tree, std::string_view key, std::string_view value, unsigned flags) {
    MDB_val wanted = as_val(key);
    MDB_val bytes = as_val(value);
    return mdb_put(txn_, env_->handle(tree), &wanted, &bytes, flags);
}

int Txn::erase(Tree tree, std::string_view key) {
    MDB_val wanted = as_val(key);
    const int rc = mdb_del(txn_, env_->handle(tree), &wanted, nullptr);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int Txn::commit() {
    const bool writes = !gate_.owns_lock();
    if (writes && env_->config_.before_commit) {
        if (const int rc = env_->config_.before_commit(); rc != 0) {
            mdb_txn_abort(std::exchange(txn_, nullptr));
            return rc;
        }
    }
    errno = 0;
    const int rc = mdb_txn_commit(std::exchange(txn_, nullptr));
    // A write that was cut short is EIO to LMDB, though the kernel reported no error: the disk became full in the
    // middle.
    return rc == EIO && errno != EIO ? ENOSPC : rc;
}

// ---- Cursor ----

Cursor::Cursor(const Txn& txn, Tree tree) : tree_(tree) {
    rc_ = mdb_cursor_open(txn.raw(), txn.env().handle(tree), &cursor_);
}

Cursor::~Cursor() {
    if (cursor_ != nullptr) {
        mdb_cursor_close(cursor_);
    }
}

Cursor::Found Cursor::move(MDB_cursor_op op, std::string_view key) {
    MDB_val at = as_val(key);
    MDB_val value{};
    const int rc = rc_ != 0 ? rc_ : mdb_cursor_get(cursor_, &at, &value, op);
    if (rc == MDB_NOTFOUND) {
        return std::nullopt;
    }
    if (rc != 0) {
        return std::unexpected(lmdb_error(rc, "read", std::string(tree_name(tree_))));
    }
    return Entry{as_view(at), as_view(value)};
}

Cursor::Found Cursor::at_or_before(std::string_view key) {
    auto found = at_or_after(key);
    if (!found) {
        return found;
    }
    if (!*found) {
        return last();
    }
    if ((*found)->key == key) {
        return found;
    }
    return previous();
}

} // namespace tocsin::storage
