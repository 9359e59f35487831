// SPDX-License-Identifier: Apache-2.0
// The values of blocks in memory: right, shared by blocks that have the same, and never more than they may take.
#include "storage/value_lists.hpp"
#include "tests/unit/storage/support.hpp"

namespace tocsin::storage::test {
namespace {

constexpr std::size_t rows = 1'100; // of a block

// Blocks of which each event has what `name` says.
class ValueListsTest : public ::testing::Test {
protected:
    void fill(std::size_t blocks, const std::function<std::string(std::size_t block, std::size_t row)>& name) {
        ASSERT_TRUE(f.open());
        for (std::size_t block = 0; block < blocks; ++block) {
            std::vector<Event> batch;
            for (std::size_t row = 0; row < rows; ++row) {
                batch.push_back(event(name(block, row)));
            }
            ASSERT_TRUE(f.append(std::move(batch)));
        }
        ASSERT_NO_FATAL_FAILURE(f.seal_all());
        f.close();
        auto opened = Env::open({.directory = f.directory.path()});
        ASSERT_TRUE(opened);
        env = std::move(*opened);
        ASSERT_TRUE(env->open_trees());
    }
    std::shared_ptr<const ValueList> list(std::size_t block) {
        const auto txn = Txn::read(*env);
        const BlockPlace place{block * rows + 1, rows};
        const auto found = txn ? lists.of(*txn, place, Dimension::name) : std::unexpected(txn.error());
        EXPECT_TRUE(found) << found.error().detail();
        return found ? *found : nullptr;
    }

    Fixture f{{.tail_events = rows}};
    std::unique_ptr<Env> env;
    ValueLists lists;
};

TEST_F(ValueListsTest, AreInOrderAndSharedByBlocksThatHaveTheSame) {
    ASSERT_NO_FATAL_FAILURE(fill(3, [](std::size_t block, std::size_t row) {
        return "name-" + std::to_string(row % 10 + (block == 2 ? 1 : 0));
    }));
    const auto first = list(0);
    ASSERT_TRUE(first);
    ASSERT_EQ(first->size(), 10U);
    EXPECT_EQ(first->at(0), "name-0");
    EXPECT_EQ(first->at(9), "name-9");
    EXPECT_EQ(first->find("name-3"), 3U);
    EXPECT_EQ(first->find("name-"), std::nullopt);
    EXPECT_EQ(first->find("name-90"), std::nullopt);
    EXPECT_EQ(list(1), first) << "one list for both";
    EXPECT_NE(list(2), first);
    EXPECT_EQ(list(2)->at(9), "name-9");
    EXPECT_EQ(list(0), first) << "not read again";
}

TEST_F(ValueListsTest, NeverTakeMoreThanTheyMay) {
    constexpr std::size_t blocks = 2 * value_lists_bytes_max / (rows * 200) + 1;
    const auto name = [](std::size_t block, std::size_t row) {
        return std::to_string(1'000'000 + block * rows + row) + std::string(190, 'x');
    };
    ASSERT_NO_FATAL_FAILURE(fill(blocks, name));
    std::size_t most = 0;
    for (std::size_t block = 0; block < blocks; ++block) {
        const auto found = list(block);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->at(0), name(block, 0));
        most = std::max(most, lists.bytes());
        ASSERT_LE(lists.bytes(), value_lists_bytes_max);
    }
    EXPECT_GT(most, value_lists_bytes_max / 2) << "hardly anything was kept";
}

TEST_F(ValueListsTest, OneThatIsTooLongIsNotKept) {
    ASSERT_NO_FATAL_FAILURE(
        fill(2, [](std::size_t, std::size_t row) { return std::to_string(row) + std::string(250, 'x'); }));
    const auto first = list(0);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->size(), rows);
    EXPECT_GT(first->bytes(), value_list_bytes_max);
    EXPECT_EQ(lists.bytes(), 0U);
}

} // namespace
} // namespace tocsin::storage::test
