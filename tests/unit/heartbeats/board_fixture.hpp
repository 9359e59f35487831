// SPDX-License-Identifier: Apache-2.0
// A board on a store, a clock and a loop that do only what a test tells them to.
#pragma once

#include "fakes.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::heartbeats {

class BoardTest : public testing::Test {
protected:
    void SetUp() override { restart(); }

    // A new daemon on the same store.
    void restart(Settings settings = {}) {
        board.reset();
        store.queue.clear();
        loop.wanted.reset();
        board = std::make_unique<Board>(store, clock, loop, std::move(settings), BoardOptions{.parse = fake_schedule});
        ASSERT_TRUE(board->start());
        store.complete_all();
    }

    Done<Watch> answer() {
        return [this](Result<Watch> result) {
            answers.push_back(result ? std::string(to_string(result->state))
                                     : std::string(info(result.error().code).name));
        };
    }
    void beat(const std::string& source, std::optional<std::int64_t> interval_us = 60 * second,
              BeatKind kind = BeatKind::ok) {
        Beat beat = make_beat(source, clock.wall, interval_us);
        beat.kind = kind;
        board->beat(beat, answer());
    }
    // Time goes on until `us` later, the loop waking the board whenever it asked.
    void go(std::int64_t us) {
        const std::int64_t end = clock.boot + us;
        while (loop.wanted && *loop.wanted <= end) {
            clock.go(std::max<std::int64_t>(*std::exchange(loop.wanted, std::nullopt) - clock.boot, 0));
            board->wake();
            store.complete_all();
        }
        clock.go(end - clock.boot);
    }
    WatchState state(const std::string& source) const { return board->watches().find({source, 0})->state; }
    std::optional<Watch> stored(const std::string& source) const {
        const std::string key = encode_key({source, 0});
        const auto found = store.rows.find(key);
        return found == store.rows.end() ? std::nullopt : std::optional(decode(key, found->second));
    }

    FakeStore store;
    FakeClock clock;
    FakeLoop loop;
    std::vector<std::string> answers; // outlives the board, whose end answers whoever still waits
    std::unique_ptr<Board> board;
};

} // namespace tocsin::heartbeats
