// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupts.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

namespace tocsin::cli {
namespace {

using std::chrono::milliseconds;
using Woken = Interrupts::Woken;

class Pipe {
public:
    Pipe() { EXPECT_EQ(::pipe(ends), 0); }
    ~Pipe() {
        ::close(ends[0]);
        close_writer();
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    void close_writer() {
        if (ends[1] >= 0) {
            ::close(ends[1]);
            ends[1] = -1;
        }
    }
    int ends[2] = {-1, -1};
};

TEST(Interrupts, TimePasses) {
    Interrupts interrupts;
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(interrupts.wait(-1, milliseconds(20)), Woken::time);
    EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(20));
    EXPECT_FALSE(interrupts.stopped());
}

TEST(Interrupts, InputAndItsEndAreSeen) {
    Interrupts interrupts;
    Pipe pipe;
    EXPECT_EQ(interrupts.wait(pipe.ends[0], milliseconds(0)), Woken::time);
    ASSERT_EQ(::write(pipe.ends[1], "x", 1), 1);
    EXPECT_EQ(interrupts.wait(pipe.ends[0], std::nullopt), Woken::input);
    char byte = 0;
    ASSERT_EQ(::read(pipe.ends[0], &byte, 1), 1);
    pipe.close_writer();
    EXPECT_EQ(interrupts.wait(pipe.ends[0], std::nullopt), Woken::input);
}

TEST(Interrupts, EachSignalStopsAndStaysSeen) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        Interrupts interrupts;
        ASSERT_EQ(::kill(::getpid(), number), 0);
        EXPECT_EQ(interrupts.wait(-1, std::nullopt), Woken::stop) << number;
        EXPECT_TRUE(interrupts.stopped());
        EXPECT_EQ(interrupts.wait(-1, milliseconds(1'000'000)), Woken::stop);
    }
}

TEST(Interrupts, AStopGoesBeforeInput) {
    Interrupts interrupts;
    Pipe pipe;
    ASSERT_EQ(::write(pipe.ends[1], "x", 1), 1);
    ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
    EXPECT_EQ(interrupts.wait(pipe.ends[0], std::nullopt), Woken::stop);
}

TEST(Interrupts, LeavesTheSignalsAsTheyWere) {
    {
        Interrupts interrupts;
        ASSERT_EQ(::kill(::getpid(), SIGTERM), 0); // taken by it, not by the process afterwards
    }
    sigset_t now{};
    ASSERT_EQ(::sigprocmask(SIG_BLOCK, nullptr, &now), 0);
    EXPECT_EQ(::sigismember(&now, SIGTERM), 0);
    EXPECT_EQ(::sigismember(&now, SIGINT), 0);
}

} // namespace
} // namespace tocsin::cli
