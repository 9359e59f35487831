// SPDX-License-Identifier: Apache-2.0
// What verify finds: every damage of a backup, named; damage of a store without a mark never ends the process.
#include "storage/inspect.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <fstream>
#include <sstream>

namespace tocsin::storage::test {
namespace {

constexpr unsigned flips = 500;

// A closed store with events, keys, rows and a cursor, some of it on overflow pages, with freed pages in between.
class InspectTest : public ::testing::Test {
protected:
    InspectTest() : fixture(small()) {
        EXPECT_TRUE(fixture.open());
        std::mt19937_64 random(7);
        for (std::uint64_t round = 0; round < 12; ++round) {
            std::vector<Event> events;
            for (std::uint64_t i = 0; i < 60; ++i) {
                events.push_back(random_event(random, round * 60 + i));
                if (i % 3 == 0) {
                    events.back().idempotency_key = "k" + std::to_string(round * 60 + i);
                }
                if (i % 20 == 0) {
                    events.back().description = std::string(9'000, 'd');
                }
            }
            EXPECT_TRUE(fixture.append(std::move(events)));
        }
        fixture.close();
        std::ifstream in(data(), std::ios::binary);
        std::ostringstream all;
        all << in.rdbuf();
        whole = all.str();
    }

    static Options small() {
        Options options;
        options.tail_events = 200;
        return options;
    }
    std::filesystem::path data() const { return fixture.directory.path() / "data.mdb"; }

    // The file with some bytes other, looked at.
    Result<Inspection> look(const std::string& bytes) {
        std::ofstream(copy.path(), std::ios::binary | std::ios::trunc) << bytes;
        return inspect(copy.path());
    }

    Fixture fixture;
    Directory copy; // its path as a file
    std::string whole{};
};

TEST_F(InspectTest, ASoundStoreIsSound) {
    const auto seen = inspect(fixture.directory.path());
    ASSERT_TRUE(seen) << seen.error().detail();
    EXPECT_EQ(seen->problem_count, 0U) << seen->problems.front();
    EXPECT_EQ(seen->count, 720U);
    EXPECT_EQ(seen->first, 1U);
    EXPECT_GT(seen->pages_used, 10U);
    EXPECT_GT(seen->pages_free, 0U);
}

TEST_F(InspectTest, AFlippedByteIsNamedOrHarmlessAndNeverACrash) {
    std::mt19937_64 random(20'260'102);
    unsigned named = 0;
    for (unsigned i = 0; i < flips; ++i) {
        std::string bytes = whole;
        // Every second one hits the head of a page, where all that LMDB trusts stands.
        const std::size_t page = random() % (bytes.size() / 4'096);
        const std::size_t at = i % 2 == 0 ? random() % bytes.size() : page * 4'096 + random() % 64;
        bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1 + random() % 255));
        const auto seen = look(bytes);
        if (!seen) {
            ++named;
            EXPECT_FALSE(seen.error().detail().empty());
            continue;
        }
        named += seen->problem_count > 0 ? 1U : 0U;
        if (seen->problem_count == 0) {
            EXPECT_EQ(seen->count, 720U) << "byte " << at;
            EXPECT_EQ(seen->last, 720U) << "byte " << at;
        }
        if (seen->problem_count > 0) {
            EXPECT_FALSE(seen->problems.front().empty());
        }
    }
    const auto sound = look(whole);
    ASSERT_TRUE(sound);
    // In a page that holds nothing a flip is harmless.
    const std::uint64_t told = flips * sound->pages_used / (sound->pages_used + sound->pages_free);
    EXPECT_GT(named, told / 4);
}

TEST_F(InspectTest, ACutFileIsNamed) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{100}, std::size_t{5'000}, std::size_t{20'000}, whole.size() / 2}) {
        const auto seen = look(whole.substr(0, size));
        ASSERT_TRUE(seen) << seen.error().detail();
        EXPECT_GT(seen->problem_count, 0U) << size;
    }
}

TEST_F(InspectTest, MissingLastPagesThatAreFreeAreACopysFaultAndNotAStores) {
    ASSERT_TRUE(fixture.open());
    constexpr std::size_t large = 400'000; // pages at the end of the file, which are free again afterwards
    for (auto& value : {std::optional(std::string(large, 'x')), std::optional<std::string>()}) {
        ASSERT_TRUE(fixture.append({}, {{.table = Table::jobs, .key = "large", .value = value}}));
    }
    fixture.close();
    constexpr std::size_t cut = 4 * 4'096;
    std::ifstream in(data(), std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    const auto copied = look(all.str().substr(0, all.str().size() - cut));
    ASSERT_TRUE(copied) << copied.error().detail();
    EXPECT_GT(copied->problem_count, 0U);
    std::filesystem::resize_file(data(), all.str().size() - cut);
    const auto store = inspect(fixture.directory.path());
    ASSERT_TRUE(store) << store.error().detail();
    EXPECT_EQ(store->problem_count, 0U) << store->problems.front();
}

TEST_F(InspectTest, AnyByteOfABackupCounts) {
    ASSERT_TRUE(fixture.open());
    const int fd = ::open(copy.path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const int again = ::dup(fd);
    const auto made =
        fixture.wait<Backup>([this, fd](Done<Backup> done) { fixture.store->backup(fd, std::move(done)); });
    ASSERT_TRUE(made) << made.error().detail();
    EXPECT_TRUE(check_backup(again));
    std::ifstream in(copy.path(), std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    const std::string sound = all.str();
    std::mt19937_64 random(3);
    for (unsigned i = 0; i < 200; ++i) {
        std::string bytes = sound;
        const std::size_t at = random() % made->bytes;
        bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1 + random() % 255));
        const auto seen = look(bytes);
        const bool in_the_mark = at >= made->bytes - 64; // then it is a plain store, whole all the same
        EXPECT_TRUE(!seen || seen->problem_count > 0 || in_the_mark) << "byte " << at;
        const int changed = ::open(copy.path().c_str(), O_RDONLY | O_CLOEXEC);
        EXPECT_FALSE(check_backup(changed)) << "byte " << at;
        ::close(changed);
    }
    ::close(again);
}

TEST_F(InspectTest, AStoreInUseIsAConflictAndWhatIsNoneIsNotFound) {
    ASSERT_TRUE(fixture.open());
    const auto used = inspect(fixture.directory.path());
    ASSERT_FALSE(used);
    EXPECT_EQ(used.error().code, Code::conflict);
    const auto none = inspect("/nonexistent/place");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::not_found);
}

} // namespace
} // namespace tocsin::storage::test
