// SPDX-License-Identifier: Apache-2.0
// LMDB behind RAII: one environment per process and directory, transactions and cursors that end with their scope.
// Reads give Result; writes give LMDB's own code, because the writer decides by it what a failure means (see
// commit_failure).
#pragma once

#include "core/error.hpp"
#include "core/ports.hpp"

#include <lmdb.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace tocsin::storage {

// Named trees, in the order of their handles. docs/schema.md tells what is in them.
enum class Tree : std::uint8_t {
    meta,
    log,
    counters,
    totals,
    blocks,
    idem,
    cursors,
    watches,
    jobs,
    reports,
    sealed,
    records,
    archive,
    pins,
};
inline constexpr std::size_t tree_count = 14;
inline constexpr std::size_t tree_count_v1 = 10; // what a store of schema 1 has
std::string_view tree_name(Tree tree);
Tree tree_of(Table table);

inline constexpr std::size_t key_bytes_max = 511; // LMDB's own

// What a failed write means for the writer.
enum class CommitFailure : std::uint8_t {
    full,      // no space: may succeed later
    one_op,    // one operation may be the reason: try each alone
    transient, // memory: may succeed later
    fatal,     // state of the disk unknown: never write again
};
CommitFailure commit_failure(int rc);
std::string lmdb_reason(int rc);
Error lmdb_error(int rc, std::string context, std::string object = {});

class Env {
public:
    struct Config {
        std::filesystem::path directory;
        std::uint64_t map_bytes = 0;          // 0: far beyond the disk
        std::function<int()> before_commit{}; // a test's fault: not 0 is taken as the result of a commit
        bool read_only = false;
        std::filesystem::path file{}; // this data file instead, which nobody writes: no lock, nothing beside it is made
    };
    static Result<std::unique_ptr<Env>> open(Config config);
    ~Env();
    Env(const Env&) = delete;
    Env& operator=(const Env&) = delete;

    // Opens every tree; a missing one is created unless read only.
    Result<void> open_trees();
    // Whether the tree is there, without creating it. Before open_trees().
    Result<bool> has_tree(Tree tree);
    // After a fatal error LMDB refuses even reads: come back for reading alone. Waits for open read transactions.
    Result<void> reopen_read_only();

    // Writes the data file as of one transaction into a socket, whole pages in their order. It holds the pages of that
    // transaction meanwhile: they are not used again. Ends early when the other end is shut down, and so it does with
    // reopen_read_only(). One at a time.
    Result<void> copy_to(int socket);

    // Highest page ever used, in bytes.
    std::uint64_t used_bytes() const;
    // Of these: in pages that hold nothing and that no reader keeps from being used again. Reads the list of free
    // pages.
    Result<std::uint64_t> free_bytes();
    std::uint64_t map_bytes() const { return map_bytes_; }
    const std::filesystem::path& directory() const { return config_.directory; }
    MDB_dbi handle(Tree tree) const { return handles_[static_cast<std::size_t>(tree)]; }

private:
    friend class Txn;
    explicit Env(Config config) : config_(std::move(config)) {}
    int start();
    void close();

    Config config_;
    MDB_env* env_ = nullptr;
    std::uint64_t map_bytes_ = 0;
    std::array<MDB_dbi, tree_count> handles_{};
    mutable std::shared_mutex gate_; // shared by read transactions, exclusive while reopening
    std::mutex copy_mutex_{};
    int copying_ = -1; // the socket of a copy under way
    bool reopening_ = false;
};

class Txn {
public:
    static Result<Txn> read(Env& env);
    // 0 and a transaction, or LMDB's code.
    static int write(Env& env, std::optional<Txn>& out);
    Txn(Txn&& other) noexcept;
    Txn& operator=(Txn&&) = delete;
    Txn(const Txn&) = delete;
    Txn& operator=(const Txn&) = delete;
    ~Txn(); // aborts what was not committed

    // Views live until the transaction ends or writes.
    Result<std::optional<std::string_view>> get(Tree tree, std::string_view key) const;
    Result<std::size_t> entries(Tree tree) const;

    int put(Tree tree, std::string_view key, std::string_view value, unsigned flags = 0);
    int erase(Tree tree, std::string_view key); // a missing key is no error
    // ENOSPC also where LMDB says EIO for a write that was cut short: that is how a disk becomes full.
    int commit();

    MDB_txn* raw() const { return txn_; }
    Env& env() const { return *env_; }

private:
    Txn(Env& env, MDB_txn* txn, std::shared_lock<std::shared_mutex> gate)
        : env_(&env), txn_(txn), gate_(std::move(gate)) {}
    Env* env_;
    MDB_txn* txn_;
    std::shared_lock<std::shared_mutex> gate_;
};

// Walks one tree in key order. Views live as long as those of the transaction.
class Cursor {
public:
    struct Entry {
        std::string_view key;
        std::string_view value;
    };
    using Found = Result<std::optional<Entry>>;

    Cursor(const Txn& txn, Tree tree);
    ~Cursor();
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    Found first() { return move(MDB_FIRST, {}); }
    Found last() { return move(MDB_LAST, {}); }
    Found next() { return move(MDB_NEXT, {}); }
    Found previous() { return move(MDB_PREV, {}); }
    Found at_or_after(std::string_view key) { return move(MDB_SET_RANGE, key); }
    Found at_or_before(std::string_view key);

private:
    Found move(MDB_cursor_op op, std::string_view key);
    MDB_cursor* cursor_ = nullptr;
    int rc_ = 0; // of opening
    Tree tree_;
};

} // namespace tocsin::storage
