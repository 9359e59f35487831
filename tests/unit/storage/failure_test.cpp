// SPDX-License-Identifier: Apache-2.0
// What happens when the disk does not do as it is told: by a seam, and by taking the store's own descriptors away from
// it.
#include "storage/inspect.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <limits>

namespace tocsin::storage::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Commits answer this while it is not 0.
struct Fault {
    std::shared_ptr<std::atomic<int>> rc = std::make_shared<std::atomic<int>>(0);
    std::shared_ptr<std::atomic<int>> commits = std::make_shared<std::atomic<int>>(0);
    Seams seams() const {
        return {.map_bytes = 0, .before_commit = [code = rc, count = commits] {
                    ++*count;
                    return code->load();
                }};
    }
};

std::vector<Event> page_of(Fixture& f) {
    auto page = f.query({}, 1'000);
    return page ? page->events : std::vector<Event>{};
}

void expect_sound(Fixture& f, std::uint64_t count) {
    f.close();
    const auto seen = inspect(f.directory.path());
    ASSERT_TRUE(seen) << seen.error().detail();
    EXPECT_THAT(seen->problems, ElementsAre());
    EXPECT_EQ(seen->count, count);
}

TEST(Failure, AFullDiskRollsBackRefusesAndResumes) {
    Fault fault;
    Fixture f(Options{.tail_events = 20}, fault.seams());
    ASSERT_TRUE(f.open());
    ASSERT_TRUE(f.append({event("a"), event("a"), keyed("k", 1)}));
    *fault.rc = ENOSPC;
    for (int i = 0; i < 5; ++i) {
        const auto refused =
            f.append({event("never-" + std::to_string(i)), keyed("lost", 1)}, {{Table::jobs, "j", "v"}});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::storage_full);
        EXPECT_THAT(refused.error().reason, HasSubstr("resumes by itself"));
        EXPECT_TRUE(refused.error().retry_after_s);
    }
    EXPECT_TRUE(f.store->health().full);
    EXPECT_EQ(f.store->last_index(), 3U);
    EXPECT_EQ(page_of(f).size(), 3U);
    EXPECT_EQ(*f.store->total("never-0"), 0U);
    *fault.rc = 0;
    const auto taken = f.append({event("b"), keyed("lost", 2), keyed("k", 1)});
    ASSERT_TRUE(taken) << taken.error().detail();
    EXPECT_THAT(taken->indexes, ElementsAre(4U, 5U, 3U)) << "a key of a refused batch is new";
    EXPECT_FALSE(f.store->health().full);
    EXPECT_EQ(f.store->health().events_by_severity[0], 5U);
    expect_sound(f, 5);
}

TEST(Failure, FullIsLiftedWithoutANewSubmission) {
    Fault fault;
    Fixture f({}, fault.seams());
    ASSERT_TRUE(f.open());
    *fault.rc = ENOSPC;
    ASSERT_FALSE(f.append_one(event("a")));
    *fault.rc = 0;
    const auto end = std::chrono::steady_clock::now() + patience;
    while (f.store->health().full && std::chrono::steady_clock::now() < end) {
        bool came = false;
        f.store->ping_writer([&came] { came = true; });
        ASSERT_TRUE(f.io.run_until([&came] { return came; }));
    }
    EXPECT_FALSE(f.store->health().full);
}

TEST(Failure, ACheckpointThatFailsIsTriedAgain) {
    Fault fault;
    Fixture f(Options{.tail_events = 10}, fault.seams());
    ASSERT_TRUE(f.open());
    std::vector<Event> nine(9, event("a"));
    ASSERT_TRUE(f.append(nine));
    // The append goes through, the checkpoint after it does not.
    const auto most = std::make_shared<std::atomic<int>>(std::numeric_limits<int>::max());
    f.close();
    f.seams.before_commit = [commits = fault.commits, most, rc = fault.rc] {
        return ++*commits > *most && rc->load() == 0 ? ENOSPC : 0;
    };
    ASSERT_TRUE(f.open());
    *most = *fault.commits + 1; // whatever closing and opening committed
    ASSERT_TRUE(f.append(nine));
    const auto refused = f.append(nine);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::storage_full) << "the tail must not grow while it cannot be emptied";
    f.reopen(); // while the disk is full: nothing is lost, queries go on
    EXPECT_EQ(page_of(f).size(), 18U);
    EXPECT_EQ(f.append(nine).error().code, Code::storage_full);
    *fault.rc = 1; // from now on commits succeed
    ASSERT_TRUE(f.append(nine));
    EXPECT_EQ(*f.store->total("a"), 27U);
    expect_sound(f, 27);
}

TEST(Failure, NothingIsWrittenAfterAFailedFlush) {
    Fault fault;
    Fixture f({}, fault.seams());
    ASSERT_TRUE(f.open());
    ASSERT_TRUE(f.append_one(event("kept")));
    *fault.rc = EIO;
    const auto failed = f.append_one(event("lost"));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Code::unavailable);
    EXPECT_THAT(failed.error().reason, HasSubstr("writing stopped"));
    *fault.rc = 0;
    const int commits = *fault.commits;
    EXPECT_EQ(f.append_one(event("lost")).error().code, Code::unavailable);
    EXPECT_EQ(f.commit({.cursor_name = "c", .cursor = 1}).error().code, Code::unavailable);
    EXPECT_EQ(*fault.commits, commits) << "a commit was tried";
    EXPECT_FALSE(f.store->health().stopped_writing.empty());
    EXPECT_EQ(page_of(f).size(), 1U) << "reads go on";
    bool alive = false;
    f.store->ping_writer([&alive] { alive = true; });
    EXPECT_TRUE(f.io.run_until([&alive] { return alive; }));
    expect_sound(f, 1);
}

// ---- the real thing: LMDB's own descriptors of data.mdb, replaced under it ----

// Descriptors of the store's data file: the one that pages go through, or the O_DSYNC one of the meta page.
int descriptor_of(const std::filesystem::path& directory, bool synced) {
    const auto data = std::filesystem::canonical(directory / "data.mdb");
    for (int fd = 3; fd < 1'024; ++fd) {
        std::error_code error;
        const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
        if (!error && target == data && ((::fcntl(fd, F_GETFL) & O_DSYNC) != 0) == synced) {
            return fd;
        }
    }
    return -1;
}

// Lets a descriptor point elsewhere for a while.
class Detour {
public:
    Detour(int fd, const char* elsewhere, int flags) : fd_(fd), saved_(::fcntl(fd, F_DUPFD_CLOEXEC, 0)) {
        const int other = ::open(elsewhere, flags | O_CLOEXEC);
        EXPECT_GE(other, 0);
        EXPECT_EQ(::dup2(other, fd_), fd_);
        ::close(other);
    }
    ~Detour() { end(); }
    Detour(const Detour&) = delete;
    Detour& operator=(const Detour&) = delete;
    void end() {
        if (saved_ >= 0) {
            ::dup2(saved_, fd_);
            ::close(std::exchange(saved_, -1));
        }
    }

private:
    int fd_;
    int saved_;
};

TEST(Failure, WritesThatFindNoSpaceAreRetryable) {
    Fixture f;
    ASSERT_TRUE(f.open());
    ASSERT_TRUE(f.append_one(event("before")));
    const int fd = descriptor_of(f.directory.path(), false);
    ASSERT_GE(fd, 0);
    {
        const Detour full(fd, "/dev/full", O_RDWR);
        for (int i = 0; i < 3; ++i) {
            const auto refused = f.append_one(event("during"));
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().code, Code::storage_full);
        }
        EXPECT_EQ(page_of(f).size(), 1U);
    }
    EXPECT_THAT(f.append_one(event("after"))->indexes, ElementsAre(2U));
    expect_sound(f, 2);
}

TEST(Failure, AFlushThatFailsStopsWriting) {
    Fixture f;
    ASSERT_TRUE(f.open());
    ASSERT_TRUE(f.append_one(event("before")));
    const int fd = descriptor_of(f.directory.path(), false);
    ASSERT_GE(fd, 0);
    Detour unflushable(fd, "/dev/null", O_RDWR); // takes writes, refuses fdatasync
    const auto failed = f.append_one(event("during"));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Code::unavailable);
    EXPECT_FALSE(f.store->health().stopped_writing.empty());
    unflushable.end();
    EXPECT_EQ(f.append_one(event("after")).error().code, Code::unavailable);
    EXPECT_EQ(page_of(f).size(), 1U);
    expect_sound(f, 1);
}

TEST(Failure, AMetaPageThatCannotBeWrittenLeavesReadsAlive) {
    Fixture f;
    ASSERT_TRUE(f.open());
    ASSERT_TRUE(f.append({event("before"), event("before")}));
    const int fd = descriptor_of(f.directory.path(), true);
    ASSERT_GE(fd, 0);
    Detour broken(fd, "/dev/full", O_RDWR);
    ASSERT_FALSE(f.append_one(event("during"))) << "the meta page was not written";
    broken.end();
    EXPECT_EQ(page_of(f).size(), 2U);
    EXPECT_FALSE(f.store->health().stopped_writing.empty());
    EXPECT_EQ(f.append_one(event("after")).error().code, Code::unavailable);
    EXPECT_EQ(f.get(2)->event_name, "before");
    f.reopen();
    EXPECT_THAT(f.append_one(event("again"))->indexes, ElementsAre(3U));
    expect_sound(f, 3);
}

TEST(Failure, AFullMapIsAFullDisk) {
    Fixture f({}, {.map_bytes = 1024 * 1024, .before_commit = {}});
    ASSERT_TRUE(f.open());
    Event large = event("large");
    std::uint64_t taken = 0;
    for (int i = 0; i < 100; ++i) {
        large.payload = R"({"t":")" + std::string(30'000, static_cast<char>('a' + i % 26)) + "\"}";
        const auto receipt = f.append_one(large);
        if (!receipt) {
            EXPECT_EQ(receipt.error().code, Code::storage_full);
            break;
        }
        ++taken;
    }
    ASSERT_GT(taken, 5U);
    ASSERT_LT(taken, 100U);
    EXPECT_TRUE(f.store->health().full);
    EXPECT_EQ(page_of(f).size(), taken);
    f.seams.map_bytes = 0; // the product's map lies beyond the disk
    f.reopen();
    EXPECT_TRUE(f.append_one(large));
    expect_sound(f, taken + 1);
}

TEST(Failure, MaxBytesRefusesClientsBeforeReadersEffects) {
    Fixture f(Options{.max_bytes = 2 * limits::MiB, .tail_events = 1'000},
              {.map_bytes = 0, .before_commit = {}, .seal = false}); // nothing goes
    ASSERT_TRUE(f.open());
    Event large = event("large");
    std::uint64_t taken = 0;
    std::optional<Error> refused;
    for (int i = 0; i < 200 && !refused; ++i) {
        large.payload = R"({"t":")" + std::string(30'000, static_cast<char>('a' + i % 26)) + "\"}";
        if (const auto receipt = f.append_one(large); receipt) {
            ++taken;
        } else {
            refused = receipt.error();
        }
    }
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, Code::storage_full);
    EXPECT_THAT(refused->reason, HasSubstr("max_bytes"));
    EXPECT_TRUE(f.store->health().full);
    EXPECT_LE(f.store->health().store_bytes, 2 * limits::MiB);
    StateChange effect{.rows = {{Table::jobs, "job", "row"}}, .cursor_name = "jobs", .cursor = 3};
    effect.events.push_back(event("job.started", "tocsin"));
    EXPECT_TRUE(f.commit(std::move(effect))) << "effects have a reserve";
    EXPECT_EQ(f.store->last_index(), taken + 1);
    EXPECT_EQ(f.store->cursor("jobs"), 3U);
    EXPECT_TRUE(f.store->health().full) << "an effect in the reserve does not open the door to clients";
}

} // namespace
} // namespace tocsin::storage::test
