// SPDX-License-Identifier: Apache-2.0
// Who may open a directory, what a newer schema says, and that a closed store is read through.
#include "storage/blocks.hpp"
#include "storage/inspect.hpp"
#include "storage/keys.hpp"
#include "storage/schema.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace tocsin::storage::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Schema, OneDaemonAtATime) {
    Fixture f;
    ASSERT_TRUE(f.open());
    const auto second = Store::open(f.options, f.io.post(), f.clock);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::conflict);
    EXPECT_THAT(second.error().detail(), HasSubstr("process " + std::to_string(::getpid())));
    EXPECT_EQ(inspect(f.directory.path()).error().code, Code::conflict);
    EXPECT_TRUE(f.append_one(event("unharmed")));
    f.close();
    EXPECT_TRUE(inspect(f.directory.path()));
}

TEST(Schema, FilesBelongToTheOwnerAlone) {
    Fixture f;
    ASSERT_TRUE(f.open());
    struct stat seen{};
    ASSERT_EQ(::stat(f.directory.path().c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777U, 0700U);
    for (const char* name : {"data.mdb", "lock.mdb", "lock"}) {
        ASSERT_EQ(::stat((f.directory.path() / name).c_str(), &seen), 0) << name;
        EXPECT_EQ(seen.st_mode & 0777U, 0600U) << name;
    }
}

TEST(Schema, ANewerOneIsRefusedAndLeftAlone) {
    Fixture f;
    ASSERT_TRUE(f.open());
    ASSERT_TRUE(f.append_one(event("old")));
    f.close();
    {
        auto env = Env::open({.directory = f.directory.path()});
        ASSERT_TRUE(env);
        ASSERT_TRUE((*env)->open_trees());
        std::optional<Txn> txn;
        ASSERT_EQ(Txn::write(**env, txn), 0);
        ASSERT_EQ(txn->put(Tree::meta, meta::schema, fixed_key(schema_version + 1)), 0);
        ASSERT_EQ(txn->commit(), 0);
    }
    const auto refused = f.open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
    EXPECT_THAT(refused.error().reason, HasSubstr("made by a newer Tocsin"));
    EXPECT_TRUE(is_from_newer_version(refused.error()));
}

TEST(Schema, ADirectoryInUseIsNoNewerVersion) {
    Fixture f;
    ASSERT_TRUE(f.open());
    const auto refused = DirectoryLock::take(f.directory.path());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
    EXPECT_FALSE(is_from_newer_version(refused.error()));
}

TEST(Schema, AStoreHasAnIdOfItsOwn) {
    Fixture a;
    Fixture b;
    ASSERT_TRUE(a.open());
    ASSERT_TRUE(b.open());
    EXPECT_NE(a.store->store_id(), b.store->store_id());
    EXPECT_EQ(a.store->store_id().find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(Schema, TheMapLiesFarBeyondTheDisk) {
    Fixture f;
    ASSERT_TRUE(f.open());
    f.close();
    const auto env = Env::open({.directory = f.directory.path()});
    ASSERT_TRUE(env);
    EXPECT_GE((*env)->map_bytes(), 1ULL << 30U);
}

TEST(Inspect, FindsNothingWrongWithASoundStore) {
    Fixture f({.tail_events = 100});
    ASSERT_TRUE(f.open());
    std::mt19937_64 random(2);
    for (std::uint64_t i = 0; i < 350; ++i) {
        Event e = random_event(random, i);
        e.idempotency_key = i % 3 == 0 ? "k" + std::to_string(i) : "";
        ASSERT_TRUE(f.append_one(std::move(e)));
    }
    const std::string id = f.store->store_id();
    f.close();
    std::uint64_t next = 1;
    const auto seen = inspect(f.directory.path(), [&next](const Event& e) { EXPECT_EQ(e.unique_index, next++); });
    ASSERT_TRUE(seen) << seen.error().detail();
    EXPECT_THAT(seen->problems, IsEmpty());
    EXPECT_EQ(seen->count, 350U);
    EXPECT_EQ(seen->last, 350U);
    EXPECT_EQ(seen->checkpoint, 300U);
    EXPECT_EQ(seen->store_id, id);
}

// Changes one tree of a closed store, then looks.
Result<Inspection> inspect_after(Fixture& f, const std::function<void(Txn&)>& harm) {
    f.close();
    {
        auto env = Env::open({.directory = f.directory.path()});
        EXPECT_TRUE(env);
        EXPECT_TRUE((*env)->open_trees());
        std::optional<Txn> txn;
        EXPECT_EQ(Txn::write(**env, txn), 0);
        harm(*txn);
        EXPECT_EQ(txn->commit(), 0);
    }
    return inspect(f.directory.path());
}

TEST(Inspect, NamesEachKindOfDamage) {
    const std::vector<std::pair<std::string, std::function<void(Txn&)>>> harms = {
        {"checksum",
         [](Txn& txn) {
             std::string value(*txn.get(Tree::log, index_key(1)).value());
             value.back() = static_cast<char>(value.back() ^ 1);
             txn.put(Tree::log, index_key(1), value);
         }},
        {"should come next", [](Txn& txn) { txn.erase(Tree::log, index_key(5)); }},
        {"counters",
         [](Txn& txn) {
             txn.put(Tree::counters, counter_key(hour_of(now_us), Dimension::name, "keyed"),
                     fixed_key<std::uint64_t>(1));
         }},
        {"totals", [](Txn& txn) { txn.erase(Tree::totals, total_key(Dimension::name, "keyed")); }},
        {"idempotency keys", [](Txn& txn) { txn.erase(Tree::idem, idem_key(1, 0)); }},
        {"summary",
         [](Txn& txn) { txn.put(Tree::blocks, index_key(1), encode_block({.first = 1, .last = 10, .events = 9})); }},
        {"the checkpoint is", [](Txn& txn) { txn.put(Tree::meta, meta::checkpoint, fixed_key<std::uint64_t>(11)); }},
        {"cursor jobs", [](Txn& txn) { txn.put(Tree::cursors, "jobs", fixed_key<std::uint64_t>(99)); }},
    };
    for (const auto& [problem, harm] : harms) {
        Fixture f({.tail_events = 10}, {.map_bytes = 0, .before_commit = {}, .seal = false});
        ASSERT_TRUE(f.open());
        for (int i = 0; i < 25; ++i) {
            ASSERT_TRUE(f.append_one(keyed("k" + std::to_string(i), 1)));
        }
        const auto seen = inspect_after(f, harm);
        ASSERT_TRUE(seen) << seen.error().detail();
        EXPECT_THAT(seen->problems, ::testing::Contains(HasSubstr(problem)));
        EXPECT_EQ(seen->problem_count, seen->problems.size());
    }
}

TEST(Inspect, ADamagedTailKeepsTheStoreFromOpeningAndSaysWhich) {
    Fixture f;
    ASSERT_TRUE(f.open());
    ASSERT_TRUE(f.append_one(event("a")));
    ASSERT_TRUE(f.append_one(event("b")));
    ASSERT_TRUE(inspect_after(f, [](Txn& txn) {
        std::string value(*txn.get(Tree::log, index_key(2)).value());
        value[20] = static_cast<char>(value[20] ^ 4);
        txn.put(Tree::log, index_key(2), value);
    }));
    const auto opened = f.open();
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().detail(), HasSubstr("log value 2"));
}

TEST(Inspect, OfNothingIsNotFound) {
    const Directory nowhere;
    EXPECT_EQ(inspect(nowhere.path()).error().code, Code::not_found);
}

} // namespace
} // namespace tocsin::storage::test
