// SPDX-License-Identifier: Apache-2.0
#include "storage/keys.hpp"
#include "storage/lmdb_env.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

namespace tocsin::storage {
namespace {

void write(Env& env, std::uint64_t first, std::uint64_t count) {
    std::optional<Txn> txn;
    ASSERT_EQ(Txn::write(env, txn), 0);
    for (std::uint64_t i = first; i < first + count; ++i) {
        ASSERT_EQ(txn->put(Tree::log, index_key(i), std::string(3'000, 'x')), 0);
    }
    ASSERT_EQ(txn->commit(), 0);
}

void erase(Env& env, std::uint64_t first, std::uint64_t count) {
    std::optional<Txn> txn;
    ASSERT_EQ(Txn::write(env, txn), 0);
    for (std::uint64_t i = first; i < first + count; ++i) {
        ASSERT_EQ(txn->erase(Tree::log, index_key(i)), 0);
    }
    ASSERT_EQ(txn->commit(), 0);
}

TEST(FreePages, ThoseThatAReaderHoldsAreNotFree) {
    const test::Directory directory;
    std::filesystem::create_directories(directory.path());
    const auto env = Env::open({.directory = directory.path()});
    ASSERT_TRUE(env);
    ASSERT_TRUE((*env)->open_trees());
    constexpr std::uint64_t bytes = 200ULL * 3'000;
    write(**env, 1, 200);
    {
        const auto reader = Txn::read(**env);
        ASSERT_TRUE(reader);
        erase(**env, 1, 200);
        write(**env, 500, 1);
        write(**env, 501, 1);
        EXPECT_LT(*(*env)->free_bytes(), bytes / 4);
    }
    write(**env, 502, 1);
    EXPECT_GE(*(*env)->free_bytes(), bytes);
}

} // namespace
} // namespace tocsin::storage
