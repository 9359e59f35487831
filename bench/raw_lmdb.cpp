// SPDX-License-Identifier: Apache-2.0
// The floor of any log on LMDB: appends 300-byte records with an 8-byte key, default durability. bench_raw_lmdb DIR
// BATCH SECONDS
#include "bench/sample.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <lmdb.h>

namespace {

using Clock = std::chrono::steady_clock;

void check(int rc, const char* what) {
    if (rc != 0) {
        fmt::print(stderr, "raw_lmdb: {}: {}\n", what, mdb_strerror(rc));
        std::exit(1);
    }
}

void append_batch(MDB_env* env, MDB_dbi dbi, std::uint64_t& next, std::uint64_t batch) {
    std::array<unsigned char, 300> record{};
    record.fill('x');
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env, nullptr, 0, &txn), "begin");
    for (std::uint64_t i = 0; i < batch; ++i, ++next) {
        std::array<unsigned char, 8> key{};
        for (unsigned b = 0; b < 8; ++b) {
            key[b] = static_cast<unsigned char>(next >> (56 - 8 * b));
        }
        MDB_val k{key.size(), key.data()};
        MDB_val v{record.size(), record.data()};
        check(mdb_put(txn, dbi, &k, &v, MDB_APPEND), "put");
    }
    check(mdb_txn_commit(txn), "commit");
}

} // namespace

int main(int argc, char** argv) {
    auto batch = argc == 4 ? bench::number(argv[2]) : std::nullopt;
    auto seconds = argc == 4 ? bench::number(argv[3]) : std::nullopt;
    if (!batch || !seconds) {
        fmt::print(stderr, "usage: bench_raw_lmdb DIR BATCH SECONDS\n");
        return 2;
    }
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    check(mdb_env_create(&env), "create");
    check(mdb_env_set_mapsize(env, std::size_t{64} << 30), "map");
    check(mdb_env_open(env, argv[1], 0, 0600), "open");
    check(mdb_txn_begin(env, nullptr, 0, &txn), "begin");
    check(mdb_dbi_open(txn, nullptr, 0, &dbi), "dbi");
    check(mdb_txn_commit(txn), "commit");
    std::uint64_t next = 1;
    auto begin = Clock::now();
    auto end = begin + std::chrono::seconds(*seconds);
    while (Clock::now() < end) {
        append_batch(env, dbi, next, *batch);
    }
    double took = std::chrono::duration<double>(Clock::now() - begin).count();
    fmt::print("{:.0f}\n", static_cast<double>(next - 1) / took);
    mdb_env_close(env);
}
