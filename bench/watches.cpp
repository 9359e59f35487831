// SPDX-License-Identifier: Apache-2.0
// Watches with the real board, timer, clock and store: how late a miss is noticed where 1,000 fall due in one second,
// and what 100,000 cost while nothing is due. Prints one line for each and fails where it is beyond its bound.
#include "heartbeats/watchboard.hpp"
#include "storage/store.hpp"

#include <fmt/format.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <malloc.h>
#include <string_view>
#include <sys/resource.h>

namespace {

using namespace tocsin;

constexpr std::int64_t second = 1'000'000;
constexpr std::size_t due_watches = 1'000;
constexpr std::size_t idle_watches = 100'000;
constexpr std::int64_t worst_us_max = second;
constexpr std::int64_t p99_us_max = 50'000;
constexpr std::size_t bytes_max = 256;

struct Site {
    explicit Site(const char* folder)
        : store(storage::Store::open(
                    storage::Options{.directory = folder},
                    [this](auto task) { boost::asio::post(io, std::move(task)); }, clock)
                    .value()),
          board(std::make_unique<heartbeats::Watchboard>(io, *store, clock, heartbeats::Settings{})) {
        if (!board->start()) {
            std::abort();
        }
    }
    ~Site() {
        if (board) {
            board->stop();
        }
        store->stop();
    }
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    // The loop turns for that long; io_context::run_for() would wake it once a second. How much it ran.
    std::size_t turn(std::chrono::seconds time) {
        boost::asio::steady_timer end(io, time);
        end.async_wait([this](const boost::system::error_code& /*error*/) { io.stop(); });
        const std::size_t handlers = io.run();
        io.restart();
        return handlers - 1; // the end's own
    }

    // What the watches take, the store aside.
    std::size_t bytes_of_board() {
        const std::size_t with = mallinfo2().uordblks;
        board->stop();
        board.reset();
        return with - mallinfo2().uordblks;
    }

    // The loop turns until that many more beats are durable.
    void beat(std::size_t count, std::int64_t interval_us, std::int64_t spread_us) {
        std::size_t open = count;
        for (std::size_t i = 0; i < count; ++i) {
            Beat beat{.key = {fmt::format("watch-with-name-{:04}", i % 10'000), static_cast<std::int64_t>(i / 10'000)}};
            beat.interval_us = interval_us + static_cast<std::int64_t>(i) * spread_us;
            beat.grace_us = limits::interval_us_min;
            beat.time_us = clock.wall_us();
            board->beat(std::move(beat), [&open](const Result<Watch>& watch) {
                if (!watch) {
                    std::abort();
                }
                --open;
            });
            if (i % 1'000 == 0) {
                io.poll();
            }
        }
        while (open > 0) {
            io.run_one();
        }
    }

    boost::asio::io_context io{};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
    SystemClock clock{};
    std::unique_ptr<storage::Store> store;
    std::unique_ptr<heartbeats::Watchboard> board;
};

int report(const char* what, std::int64_t value, std::int64_t most, const char* unit) {
    fmt::print("{}: {} {} (at most {})\n", what, value, unit, most);
    return value <= most ? 0 : 1;
}

int lateness(const char* folder) {
    Site site(folder);
    std::vector<std::int64_t> late_us;
    const auto heard = site.board->on_change([&site, &late_us](const Watch& watch) {
        if (watch.state == WatchState::down) {
            late_us.push_back(site.clock.wall_us() - watch.deadline_us - watch.grace_us);
        }
    });
    std::size_t stored = 0;
    const auto kept = site.store->on_commit([&stored](const CommitNotice& notice) { stored += notice.events->size(); });
    site.beat(due_watches, 3 * second, second / static_cast<std::int64_t>(due_watches));
    while (stored < due_watches) {
        site.io.run_one();
    }
    std::ranges::sort(late_us);
    return report("noticed late, p99", late_us.at(due_watches * 99 / 100), p99_us_max, "us") +
           report("noticed late, worst", late_us.back(), worst_us_max, "us");
}

int idle(const char* folder, std::chrono::seconds time) {
    Site site(folder);
    site.beat(idle_watches, 3'600 * second, 0);
    site.turn(std::chrono::seconds(12)); // rows lent or written are done with
    rusage from{};
    getrusage(RUSAGE_THREAD, &from);
    const std::size_t handlers = site.turn(time);
    rusage to{};
    getrusage(RUSAGE_THREAD, &to);
    const std::size_t each = site.bytes_of_board() / idle_watches;
    return report("handlers run while nothing is due", static_cast<std::int64_t>(handlers), 0, "") +
           report("times the thread woke then", to.ru_nvcsw - from.ru_nvcsw, 2, "") +
           report("bytes of a watch, the store aside", static_cast<std::int64_t>(each), bytes_max, "bytes");
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        fmt::print(stderr, "usage: bench_watches EMPTY-FOLDER EMPTY-FOLDER IDLE-SECONDS\n");
        return 2;
    }
    const std::string_view time(argv[3]);
    int seconds = 0;
    if (std::from_chars(time.data(), time.data() + time.size(), seconds).ec != std::errc()) {
        fmt::print(stderr, "{} is not a number of seconds\n", time);
        return 2;
    }
    return lateness(argv[1]) + idle(argv[2], std::chrono::seconds(seconds)) == 0 ? 0 : 1;
}
