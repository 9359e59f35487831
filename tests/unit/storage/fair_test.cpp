// SPDX-License-Identifier: Apache-2.0
// Several clients of one store: who is answered when. The first commit is held until all of it waits, so that nothing
// hangs on time.
#include "tests/unit/storage/support.hpp"

#include <latch>

namespace tocsin::storage::test {
namespace {

class FairTest : public testing::Test {
protected:
    void SetUp() override {
        f.seams.before_commit = [gate = gate, armed = armed] {
            if (*armed) {
                gate->wait();
            }
            return 0;
        };
        ASSERT_TRUE(f.open());
        *armed = true;
        append({.uid = 9}, "first", 1);
    }
    // Of its first event, once all is answered.
    std::shared_ptr<std::uint64_t> append(Owner owner, const std::string& name, std::size_t events) {
        auto index = std::make_shared<std::uint64_t>(0);
        ++expected;
        f.store->append(
            std::vector<Event>(events, event(name)), {},
            [this, index](Result<Receipt> result) {
                *index = result ? result->indexes.at(0) : 0;
                order.push_back(*index);
            },
            owner);
        return index;
    }
    void let_go() {
        gate->count_down();
        ASSERT_TRUE(f.io.run_until([this] { return order.size() == expected; }));
    }

    std::shared_ptr<std::atomic<bool>> armed = std::make_shared<std::atomic<bool>>(false); // opening commits as well
    std::shared_ptr<std::latch> gate = std::make_shared<std::latch>(1);
    Fixture f{};
    std::size_t expected = 0;
    std::vector<std::uint64_t> order{}; // in which they were answered
};

TEST_F(FairTest, NobodyIsBehindTheBacklogOfAnother) {
    std::vector<std::shared_ptr<std::uint64_t>> greedy;
    greedy.reserve(60);
    for (int i = 0; i < 60; ++i) {
        greedy.push_back(append({.uid = 1000}, "greedy", 1'000));
    }
    const auto modest = append({.uid = 1001}, "modest", 1);
    let_go();
    EXPECT_GT(*modest, 0U);
    EXPECT_LE(*modest, 2'002U) << "it waited for more than a batch or two of a backlog of 60";
    EXPECT_TRUE(std::ranges::is_sorted(greedy, {}, [](const auto& index) { return *index; }));
    EXPECT_LE(std::ranges::find(order, *modest) - order.begin(), 3) << "it was answered late";
}

TEST_F(FairTest, AUnitIsNotBehindTheBacklogOfAnotherOfItsUser) {
    for (int i = 0; i < 60; ++i) {
        append({.uid = 0, .unit = 1}, "greedy", 1'000);
    }
    const auto modest = append({.uid = 0, .unit = 2}, "modest", 1);
    let_go();
    EXPECT_LE(*modest, 2'002U);
}

TEST_F(FairTest, AFloodIsRefusedBeforeItTakesTheRoomOfOthers) {
    for (int i = 0; i < 70; ++i) {
        append({.uid = 1000}, "greedy", 1'000);
    }
    const auto modest = append({.uid = 1001}, "modest", 20'000);
    EXPECT_EQ(f.store->pressure().contention, Contention::now);
    EXPECT_GE(f.store->pressure().waiting, 60'000U);
    let_go();
    EXPECT_GT(*modest, 0U);
    EXPECT_EQ(std::ranges::count(order, 0U), 5) << "of one alone 65,536 may wait";
}

} // namespace
} // namespace tocsin::storage::test
