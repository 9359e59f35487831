// SPDX-License-Identifier: Apache-2.0
// Barriers wait for exactly what came before them.
#include "ipc/notify/outstanding.hpp"

#include "notify_fakes.hpp"

#include <fcntl.h>

namespace tocsin::ipc::notify {
namespace {

using End = Outstanding::End;

struct Pipe {
    Pipe() {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        reading = Fd(ends[0]);
        writing = Fd(ends[1]);
    }
    bool closed() const { return test::hung_up(reading.get()); }
    Fd reading{};
    Fd writing{};
};

TEST(NotifyOutstanding, ABarrierWithNothingBeforeItIsOpenAtOnce) {
    Outstanding outstanding;
    Pipe pipe;
    EXPECT_TRUE(outstanding.hold(std::move(pipe.writing)));
    EXPECT_TRUE(pipe.closed());
}

TEST(NotifyOutstanding, ABarrierWaitsForAllBeforeItAndForNoneAfter) {
    Outstanding outstanding;
    const auto first = outstanding.begin("a");
    const auto second = outstanding.begin("b");
    Pipe pipe;
    EXPECT_TRUE(outstanding.hold(std::move(pipe.writing)));
    const auto later = outstanding.begin("a");
    Pipe next;
    EXPECT_TRUE(outstanding.hold(std::move(next.writing)));
    outstanding.end(second, End::kept);
    EXPECT_FALSE(pipe.closed());
    outstanding.end(first, End::refused);
    EXPECT_TRUE(pipe.closed());
    EXPECT_FALSE(next.closed());
    EXPECT_EQ(outstanding.barriers(), 1U);
    outstanding.end(later, End::kept);
    EXPECT_TRUE(next.closed());
    outstanding.end(later, End::kept); // twice changes nothing
    EXPECT_EQ(outstanding.beats(), 0U);
}

TEST(NotifyOutstanding, BehindWhatCouldNotBeStoredItStaysShutUntilStoringWorks) {
    Outstanding outstanding;
    const auto lost = outstanding.begin("a");
    Pipe pipe;
    EXPECT_TRUE(outstanding.hold(std::move(pipe.writing)));
    outstanding.end(lost, End::unstored);
    EXPECT_FALSE(pipe.closed());
    Pipe other;
    EXPECT_TRUE(outstanding.hold(std::move(other.writing)));
    EXPECT_FALSE(other.closed()) << "it came after the loss, too";
    outstanding.end(outstanding.begin("a"), End::refused);
    EXPECT_FALSE(pipe.closed()) << "that stored nothing";
    outstanding.end(outstanding.begin("a"), End::kept);
    EXPECT_TRUE(pipe.closed());
    EXPECT_TRUE(other.closed());
}

TEST(NotifyOutstanding, IsBoundedInAllAndForEachSource) {
    Outstanding outstanding;
    for (std::size_t i = 0; i < Outstanding::beats_per_source_max; ++i) {
        EXPECT_FALSE(outstanding.full("noisy"));
        outstanding.begin("noisy");
    }
    EXPECT_TRUE(outstanding.full("noisy"));
    EXPECT_FALSE(outstanding.full("quiet")) << "another source has room";
    for (std::size_t i = outstanding.beats(); i < Outstanding::beats_max; ++i) {
        outstanding.begin("s" + std::to_string(i));
    }
    EXPECT_TRUE(outstanding.full());
    EXPECT_TRUE(outstanding.full("quiet"));
    outstanding.end(1, End::kept);
    EXPECT_FALSE(outstanding.full("noisy"));
}

TEST(NotifyOutstanding, BarriersAreBounded) {
    Outstanding outstanding;
    outstanding.begin("a");
    const std::size_t before = test::open_descriptors();
    for (std::size_t i = 0; i < Outstanding::barriers_max; ++i) {
        EXPECT_TRUE(outstanding.hold(Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC))));
    }
    Pipe pipe;
    EXPECT_FALSE(outstanding.hold(std::move(pipe.writing)));
    EXPECT_TRUE(pipe.closed());
    EXPECT_EQ(outstanding.barriers(), Outstanding::barriers_max);
    outstanding.end(1, End::kept);
    EXPECT_EQ(test::open_descriptors(), before + 1) << "the pipe's reading end alone";
}

} // namespace
} // namespace tocsin::ipc::notify
