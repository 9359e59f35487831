// SPDX-License-Identifier: Apache-2.0
// What the daemon is told of one run, told beside it: a thread sends `start` at once and `finish` or `fail` when the
// run has ended, each with a short deadline, so that a daemon that is away or hangs holds nobody up.
#pragma once

#include "cli/client.hpp"

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace tocsin::cli {

inline constexpr std::chrono::milliseconds start_deadline{2'000};
inline constexpr std::chrono::milliseconds end_deadline{3'000};

struct RunBeats {
    std::string source{};
    Parameters parameters{}; // of each beat: run, interval, …
    // How long an answer is waited for; 0: as long as the client's own.
    std::chrono::milliseconds start = start_deadline;
    std::chrono::milliseconds end = end_deadline;
};

class RunReport {
public:
    struct End {
        std::string_view state; // finish or fail
        std::string status{};
    };

    // `began`: there is a start to tell of.
    RunReport(Client& client, RunBeats beats, bool began);
    ~RunReport();
    RunReport(const RunReport&) = delete;
    RunReport& operator=(const RunReport&) = delete;

    // Once.
    void end(End end);
    // Until all is told, or its time is up. What the daemon was not told, in words.
    std::optional<std::string> wait();

private:
    struct Telling; // what the thread works with
    std::promise<std::optional<End>> end_{};
    std::optional<std::string> problem_{};
    bool ended_ = false;
    std::jthread thread_{};
};

} // namespace tocsin::cli
