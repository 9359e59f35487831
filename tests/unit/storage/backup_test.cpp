// SPDX-License-Identifier: Apache-2.0
// Backups of a store that is being written: whole, openable, bounded, one at a time; and what a restore renews.
#include "storage/backup_mark.hpp"
#include "storage/inspect.hpp"
#include "storage/restored.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <fstream>

namespace tocsin::storage::test {
namespace {

std::vector<Event> some_events(std::size_t count, std::uint64_t seed = 1) {
    std::mt19937_64 random(seed);
    std::vector<Event> events;
    for (std::uint64_t i = 0; i < count; ++i) {
        events.push_back(random_event(random, i));
    }
    return events;
}

int new_file(const std::filesystem::path& path, int flags = O_WRONLY) {
    return ::open(path.c_str(), flags | O_CREAT | O_CLOEXEC, 0600);
}

// A store with events on both sides of a checkpoint, and a directory for its backup.
class BackupTest : public ::testing::Test {
protected:
    BackupTest() : fixture(small()) {
        std::filesystem::create_directories(copy());
        const auto opened = fixture.open();
        EXPECT_TRUE(opened) << opened.error().detail();
        EXPECT_TRUE(fixture.append(some_events(700)));
    }

    static Options small() {
        Options options;
        options.tail_events = 300;
        return options;
    }
    std::filesystem::path copy() const { return other.path(); }
    std::filesystem::path file() const { return copy() / "data.mdb"; }

    Result<Backup> backup_to(int fd) {
        return fixture.wait<Backup>([this, fd](Done<Backup> done) { fixture.store->backup(fd, std::move(done)); });
    }
    Result<Backup> backup() { return backup_to(new_file(file())); }

    Result<std::string> pull(BackupStream& stream) {
        return fixture.wait<std::string>([&stream](Done<std::string> done) { stream.pull(std::move(done)); });
    }

    Fixture fixture;
    Directory other;
};

TEST_F(BackupTest, HasEveryEventAndIsSound) {
    const auto made = backup();
    ASSERT_TRUE(made) << made.error().detail();
    EXPECT_EQ(made->last_index, 700U);
    EXPECT_EQ(made->bytes, std::filesystem::file_size(file()));
    std::vector<std::uint64_t> indexes;
    const auto seen = inspect(copy(), [&indexes](const Event& event) { indexes.push_back(event.unique_index); });
    ASSERT_TRUE(seen) << seen.error().detail();
    EXPECT_EQ(seen->problem_count, 0U) << (seen->problems.empty() ? "" : seen->problems.front());
    EXPECT_EQ(seen->count, 700U);
    EXPECT_EQ(seen->made_us, now_us);
    EXPECT_TRUE(std::ranges::is_sorted(indexes));
    EXPECT_EQ(seen->store_id, fixture.store->store_id());
}

TEST(BackupBounds, AReaderThatIsTooSlowDoesNotMakeTheStoreGrowForEver) {
    Options options;
    options.max_bytes = 16 * limits::MiB;
    Fixture f(options);
    ASSERT_TRUE(f.open());
    const auto fill = [&f](std::size_t mib) {
        for (std::size_t i = 0; i < mib * 16; ++i) { // of 64 KiB each
            Event e = event("large");
            e.payload = "{\"text\":\"" + std::string(64'000, static_cast<char>('a' + i % 26)) + "\"}";
            ASSERT_TRUE(f.append_one(std::move(e)));
        }
    };
    fill(5);
    auto stream = f.store->backup();
    ASSERT_TRUE(stream) << stream.error().detail();
    const auto pull = [&f, &stream] {
        return f.wait<std::string>([&stream](Done<std::string> done) { (*stream)->pull(std::move(done)); });
    };
    ASSERT_TRUE(pull());
    ASSERT_TRUE(f.store->backup_percent());
    fill(7); // more than half of what was free
    auto piece = pull();
    for (int i = 0; i < 3 && piece && !piece->empty(); ++i) {
        piece = pull();
    }
    ASSERT_FALSE(piece);
    EXPECT_EQ(piece.error().code, Code::limit_exceeded);
    EXPECT_NE(piece.error().detail().find("the store grew by"), std::string::npos) << piece.error().detail();
    EXPECT_TRUE(f.append_one(event("and intake goes on")));
}

TEST_F(BackupTest, ARestoredStoreIsAnotherOneWithTheSameEventsAndKeys) {
    ASSERT_TRUE(fixture.append_one(keyed("once", 7)));
    ASSERT_TRUE(backup());
    const std::string before = fixture.store->store_id();
    Options options = small();
    options.directory = copy();
    auto restored = Store::open(options, fixture.io.post(), fixture.clock);
    ASSERT_TRUE(restored) << restored.error().detail();
    const std::string renewed = (*restored)->store_id();
    EXPECT_NE(renewed, before);
    EXPECT_EQ((*restored)->last_index(), 701U);
    std::vector<Event> again;
    again.push_back(keyed("once", 7));
    const auto receipt =
        fixture.wait<Receipt>([&](Done<Receipt> done) { (*restored)->append(std::move(again), {}, std::move(done)); });
    ASSERT_TRUE(receipt) << receipt.error().detail();
    EXPECT_EQ(receipt->indexes.front(), 701U) << "the key is still known";
    restored->reset();
    EXPECT_FALSE(std::filesystem::exists(copy() / restored_file));
    auto reopened = Store::open(options, fixture.io.post(), fixture.clock);
    ASSERT_TRUE(reopened);
    EXPECT_EQ((*reopened)->store_id(), renewed) << "renewed once";
    reopened->reset();
    const auto seen = inspect(copy());
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->problem_count, 0U) << seen->problems.front();
}

TEST_F(BackupTest, ARestoreThatWasCutOffIsGoneOnWith) {
    ASSERT_TRUE(backup());
    const auto taken = take_off_mark(copy());
    ASSERT_TRUE(taken && *taken);
    Options options = small();
    options.directory = copy();
    auto restored = Store::open(options, fixture.io.post(), fixture.clock);
    ASSERT_TRUE(restored);
    EXPECT_NE((*restored)->store_id(), fixture.store->store_id());
}

TEST_F(BackupTest, TakesOnlyAnEmptyRegularFileOpenForWriting) {
    std::ofstream(copy() / "full") << "precious";
    const auto full = backup_to(::open((copy() / "full").c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Code::conflict);
    EXPECT_EQ(std::filesystem::file_size(copy() / "full"), 8U);
    const auto read_only = backup_to(new_file(copy() / "read", O_RDONLY));
    ASSERT_FALSE(read_only);
    EXPECT_EQ(read_only.error().code, Code::invalid_argument);
    const auto directory = backup_to(::open(copy().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_FALSE(directory);
    EXPECT_EQ(directory.error().code, Code::invalid_argument);
}

TEST_F(BackupTest, OneAtATimeAndTheNextWhenItEnded) {
    auto first = fixture.store->backup();
    ASSERT_TRUE(first);
    EXPECT_TRUE(fixture.store->backup_percent());
    const auto second = fixture.store->backup();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::conflict);
    for (;;) {
        const auto piece = pull(**first);
        ASSERT_TRUE(piece) << piece.error().detail();
        if (piece->empty()) {
            break;
        }
    }
    EXPECT_FALSE(fixture.store->backup_percent());
    EXPECT_TRUE(backup());
}

TEST_F(BackupTest, APieceThatNobodyTakesEndsIt) {
    fixture.close();
    fixture.options.backup_stall_us_max = 1'000;
    ASSERT_TRUE(fixture.open());
    auto stream = fixture.store->backup();
    ASSERT_TRUE(stream);
    ASSERT_TRUE(fixture.io.run_until([this] { // nothing is pulled; the end is seen by the percent going
        fixture.io.post()([] {});
        return !fixture.store->backup_percent();
    }));
    const auto piece = pull(**stream);
    ASSERT_FALSE(piece);
    EXPECT_EQ(piece.error().code, Code::limit_exceeded);
    ASSERT_TRUE(fixture.append(some_events(10))) << "intake goes on";
}

TEST_F(BackupTest, TheDeadlineEndsIt) {
    fixture.close();
    fixture.options.backup_us_max = 0;
    ASSERT_TRUE(fixture.open());
    const auto made = backup();
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::limit_exceeded);
    EXPECT_EQ(std::filesystem::file_size(file()), 0U) << "half a backup is none";
}

TEST_F(BackupTest, WhoLeavesAndWhoStopsEndsIt) {
    auto left = fixture.store->backup();
    ASSERT_TRUE(left);
    left->reset();
    ASSERT_TRUE(fixture.io.run_until([this] {
        fixture.io.post()([] {});
        return !fixture.store->backup_percent();
    }));
    auto stopped = fixture.store->backup();
    ASSERT_TRUE(stopped);
    fixture.store->stop();
    const auto piece = pull(**stopped);
    EXPECT_FALSE(piece && piece->empty());
    fixture.close();
}

TEST_F(BackupTest, WritingGoesOnAndWhatComesLaterHarmsNothing) {
    auto stream = fixture.store->backup();
    ASSERT_TRUE(stream);
    std::ofstream out(file(), std::ios::binary);
    for (std::uint64_t round = 0;; ++round) {
        ASSERT_TRUE(fixture.append(some_events(400, round)));
        const auto piece = pull(**stream);
        ASSERT_TRUE(piece) << piece.error().detail();
        out << *piece;
        if (piece->empty()) {
            break;
        }
    }
    out.close();
    const auto seen = inspect(copy());
    ASSERT_TRUE(seen) << seen.error().detail();
    EXPECT_EQ(seen->problem_count, 0U) << seen->problems.front();
    EXPECT_GE(seen->last, 700U);
}

TEST(BackupMark, ComesBackAndNothingElseIsOne) {
    const BackupMark mark{.bytes = 4096, .made_us = -5, .last_index = 17, .checksum = 99};
    const std::string bytes = encode_mark(mark);
    ASSERT_EQ(bytes.size(), mark_bytes);
    EXPECT_EQ(decode_mark(bytes), mark);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::string other = bytes;
        other[i] = static_cast<char>(other[i] ^ 1);
        EXPECT_FALSE(decode_mark(other)) << i;
    }
}

} // namespace
} // namespace tocsin::storage::test
