// SPDX-License-Identifier: Apache-2.0
// Blocks are sealed beside everything else: what was there stays there, wherever the sealing is cut off.
#include "core/ports.hpp"
#include "storage/inspect.hpp"
#include "storage/keys.hpp"
#include "storage/schema.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace tocsin::storage::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void expect_all(Fixture& f, const std::vector<Event>& all) {
    for (const Event& e : all) {
        const auto got = f.get(e.unique_index);
        ASSERT_TRUE(got) << got.error().detail();
        ASSERT_TRUE(*got == e) << e.unique_index;
    }
    EXPECT_EQ(f.get(all.size() + 1).error().code, Code::not_found);
    std::vector<Event> read;
    for (std::uint64_t at = 0; at < all.size();) {
        const auto slice = f.read_after(at, {}, 500);
        ASSERT_TRUE(slice) << slice.error().detail();
        ASSERT_GT(slice->upto, at);
        at = slice->upto;
        read.insert(read.end(), slice->events.begin(), slice->events.end());
    }
    EXPECT_TRUE(read == all);
    EXPECT_EQ(f.store->first_index(), 1U);
    EXPECT_EQ(f.store->last_index(), all.size());
}

void expect_sound(Fixture& f, std::uint64_t count) {
    f.close();
    const auto seen = inspect(f.directory.path());
    ASSERT_TRUE(seen) << seen.error().detail();
    EXPECT_THAT(seen->problems, IsEmpty());
    EXPECT_EQ(seen->count, count);
    EXPECT_EQ(seen->first, 1U);
    EXPECT_EQ(seen->last, count);
}

// Uses a closed store's trees in one transaction that is committed.
void change(Fixture& f, const std::function<void(Txn&)>& use) {
    auto env = Env::open({.directory = f.directory.path()});
    ASSERT_TRUE(env);
    ASSERT_TRUE((*env)->open_trees());
    std::optional<Txn> txn;
    ASSERT_EQ(Txn::write(**env, txn), 0);
    use(*txn);
    ASSERT_EQ(txn->commit(), 0);
}

TEST(Sealing, MovesBlocksOutOfTheLog) {
    Fixture f({.tail_events = 100});
    ASSERT_TRUE(f.open());
    const auto all = fill(f, 1, 1'050);
    ASSERT_NO_FATAL_FAILURE(f.seal_all());
    expect_all(f, all);
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    expect_all(f, all);
    ASSERT_NO_FATAL_FAILURE(f.seal_all());
    expect_sound(f, all.size());
    change(f, [](Txn& txn) {
        const auto sealed = read_fixed<std::uint64_t>(txn.get(Tree::meta, meta::sealed)->value_or("")).value_or(0);
        EXPECT_GT(sealed, 900U);
        EXPECT_GT(*txn.entries(Tree::sealed), 0U);
    });
    ASSERT_TRUE(f.open());
    EXPECT_EQ(f.append_one(event("next"))->indexes[0], all.size() + 1) << "an index was used again";
}

TEST(Sealing, AStoreWithNothingInItsLogOpens) {
    Fixture f({.tail_events = 1});
    ASSERT_TRUE(f.open());
    const auto all = fill(f, 2, 90);
    ASSERT_NO_FATAL_FAILURE(f.seal_all());
    for (bool empty = false; !empty;) {
        ASSERT_NO_FATAL_FAILURE(f.reopen()); // each start goes on with removing
        ASSERT_TRUE(f.get(1));
        f.close();
        change(f, [&empty](Txn& txn) { empty = *txn.entries(Tree::log) == 0; });
        ASSERT_TRUE(f.open());
        auto seen = std::make_shared<bool>(false);
        f.store->ping_writer([seen] { *seen = true; });
        ASSERT_TRUE(f.io.run_until([seen] { return *seen; }));
    }
    ASSERT_NO_FATAL_FAILURE(f.reopen());
    expect_all(f, all);
    EXPECT_EQ(f.append_one(event("next"))->indexes[0], all.size() + 1);
    expect_sound(f, all.size() + 1);
}

// The commit of that number and all after it fail, as they do for a process that is dead.
TEST(Sealing, CutOffAnywhereLeavesAWholeStore) {
    for (int dead_after = 0; dead_after < 24; ++dead_after) {
        Fixture f({.tail_events = 40}, {.map_bytes = 0, .before_commit = {}, .seal = false});
        ASSERT_TRUE(f.open());
        const auto all = fill(f, 3, 170, 6);
        f.close();
        auto commits = std::make_shared<std::atomic<int>>(0);
        f.seams.seal = true;
        f.seams.before_commit = [commits, dead_after] { return ++*commits > dead_after ? EIO : 0; };
        ASSERT_TRUE(f.open());
        const auto end = std::chrono::steady_clock::now() + patience;
        while (f.store->health().stopped_writing.empty() && f.store->health().sealed_index + 40 <= all.size() &&
               std::chrono::steady_clock::now() < end) {
            auto seen = std::make_shared<bool>(false);
            f.store->ping_writer([seen] { *seen = true; });
            ASSERT_TRUE(f.io.run_until([seen] { return *seen; }));
        }
        ASSERT_NO_FATAL_FAILURE(expect_all(f, all)) << dead_after;
        ASSERT_NO_FATAL_FAILURE(expect_sound(f, all.size())) << dead_after;
        f.seams = {};
        ASSERT_TRUE(f.open());
        ASSERT_NO_FATAL_FAILURE(f.seal_all()) << dead_after;
        ASSERT_NO_FATAL_FAILURE(expect_all(f, all)) << dead_after;
        ASSERT_NO_FATAL_FAILURE(expect_sound(f, all.size())) << dead_after;
    }
}

TEST(Sealing, AFullDiskPutsItOff) {
    auto full = std::make_shared<std::atomic<bool>>(true);
    Fixture f({.tail_events = 40}, {.map_bytes = 0, .before_commit = {}, .seal = false});
    ASSERT_TRUE(f.open());
    auto all = fill(f, 4, 200);
    f.close();
    f.seams.seal = true;
    f.seams.before_commit = [full] { return full->load() ? ENOSPC : 0; };
    ASSERT_TRUE(f.open());
    EXPECT_EQ(f.append_one(event("refused")).error().code, Code::storage_full);
    expect_all(f, all);
    *full = false;
    ASSERT_TRUE(f.append_one(event("taken")));
    ASSERT_NO_FATAL_FAILURE(f.seal_all());
    expect_sound(f, all.size() + 1);
}

TEST(Sealing, AnOlderStoreIsSealedWhileItIsUsed) {
    Fixture f({.tail_events = 60}, {.map_bytes = 0, .before_commit = {}, .seal = false});
    ASSERT_TRUE(f.open());
    const auto all = fill(f, 5, 500);
    f.close();
    change(f, [](Txn& txn) { ASSERT_EQ(txn.put(Tree::meta, meta::schema, fixed_key(std::uint32_t{1})), 0); });
    expect_sound(f, all.size());
    f.seams = {};
    ASSERT_TRUE(f.open());
    expect_all(f, all);
    ASSERT_NO_FATAL_FAILURE(f.seal_all());
    expect_all(f, all);
    expect_sound(f, all.size());
    change(f,
           [](Txn& txn) { EXPECT_EQ(txn.get(Tree::meta, meta::schema)->value_or(""), fixed_key(std::uint32_t{2})); });
}

TEST(Sealing, KeysOfSealedEventsAreKnown) {
    Fixture f({.tail_events = 20});
    ASSERT_TRUE(f.open());
    for (int i = 0; i < 90; ++i) {
        ASSERT_TRUE(f.append_one(keyed("k" + std::to_string(i), 7)));
    }
    ASSERT_NO_FATAL_FAILURE(f.seal_all());
    for (int i = 0; i < 90; ++i) {
        const auto again = f.append_one(keyed("k" + std::to_string(i), 7));
        ASSERT_TRUE(again);
        EXPECT_EQ(again->indexes[0], static_cast<std::uint64_t>(i) + 1);
        EXPECT_EQ(f.append_one(keyed("k" + std::to_string(i), 8)).error().code, Code::conflict);
    }
}

TEST(Sealing, DamageIsNamed) {
    for (const Tree tree : {Tree::records, Tree::sealed}) {
        Fixture f({.tail_events = 50});
        ASSERT_TRUE(f.open());
        const auto all = fill(f, 6, 120);
        ASSERT_NO_FATAL_FAILURE(f.seal_all());
        f.close();
        change(f, [tree](Txn& txn) {
            std::string key;
            std::string value;
            {
                Cursor cursor(txn, tree);
                const auto found = cursor.first();
                ASSERT_TRUE(found && *found);
                key = (*found)->key;
                value = (*found)->value;
            }
            value.back() = static_cast<char>(value.back() ^ 2);
            ASSERT_EQ(txn.put(tree, key, value), 0);
        });
        const auto seen = inspect(f.directory.path());
        ASSERT_TRUE(seen);
        EXPECT_THAT(seen->problems, Contains(HasSubstr("sealed block 1")));
        ASSERT_TRUE(f.open());
        Filter filter;
        filter.event_src = {"src-1"};
        filter.order = Order::index;
        const auto page = tree == Tree::records ? f.query({}, 1'000) : f.query(filter, 1'000);
        ASSERT_FALSE(page);
        EXPECT_EQ(page.error().code, Code::unavailable);
        EXPECT_THAT(page.error().reason, HasSubstr("restore a backup"));
    }
}

} // namespace
} // namespace tocsin::storage::test
