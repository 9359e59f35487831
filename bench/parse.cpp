// SPDX-License-Identifier: Apache-2.0
// What reading costs a processor: NDJSON of 1,000 events into events that may be stored, checks included. No disk, no
// socket. bench_parse SECONDS: events a second.
#include "bench/sample.hpp"

#include "core/json.hpp"

#include <chrono>
#include <cstdio>

int main(int argc, char** argv) {
    const auto seconds = argc == 2 ? bench::number(argv[1]) : std::nullopt;
    if (!seconds) {
        std::fputs("usage: bench_parse SECONDS\n", stderr);
        return 2;
    }
    using Clock = std::chrono::steady_clock;
    constexpr std::uint64_t batch = 1'000;
    constexpr std::int64_t now_us = 1'800'000'000'000'000;
    const std::string text = bench::sample_lines(0, batch);
    tocsin::json::Parser parser;
    tocsin::IntakeRules rules;
    rules.host = "a-host.example.org";
    std::uint64_t read = 0;
    const auto begin = Clock::now();
    while (Clock::now() < begin + std::chrono::seconds(*seconds)) {
        const auto events = parser.ndjson(text, rules, now_us);
        if (!events) {
            fmt::print(stderr, "parse: {}\n", events.error().detail());
            return 1;
        }
        read += events->size();
    }
    const double took = std::chrono::duration<double>(Clock::now() - begin).count();
    fmt::print("{:.0f}\n", static_cast<double>(read) / took);
}
