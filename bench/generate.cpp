// SPDX-License-Identifier: Apache-2.0
// Events of 30 days for the queries' bench, one in a thousand late by up to all of that time, as lines for the daemon
// or as columns for other stores. bench_generate json|columns FIRST COUNT TOTAL: events FIRST … FIRST + COUNT - 1 of
// TOTAL.
#include "bench/sample.hpp"

#include <cstdio>
#include <string>
#include <vector>

namespace {

constexpr std::uint64_t begin_us = 1'767'225'600'000'000; // 2026-01-01T00:00:00Z
constexpr std::uint64_t span_us = 30ULL * 86'400'000'000;
constexpr std::uint64_t late_each = 1'000;

std::uint64_t time_us(std::uint64_t n, std::uint64_t total) {
    const std::uint64_t in_order = n * (span_us / total);
    const std::uint64_t late = n % late_each == 0 ? n * 7'919'000'003 % (in_order + 1) : 0;
    return begin_us + in_order - late;
}

std::string line(std::uint64_t n, std::uint64_t total) {
    return fmt::format(
        R"({{"event_name":"bench.name_{}","event_src":"detector_{}","scid":{},"severity":"{}","event_rule_id":{},)"
        R"("event_rule":"FPA_VOLTAGE > 15","environment":"{}","event_time":{},"summary":"voltage of panel {} above )"
        R"(its limit","payload":{{"value":{}.5,"limit":15,"unit":"V","panel":{}}}}})",
        n % 200, n % 1'000, n % 5'000, n % 7 == 0 ? "error" : "info", n % 300, n % 3 == 0 ? "onprem" : "aws",
        time_us(n, total), n % 64, n % 40, n % 64);
}

// id, time, event_name, event_src, scid, severity, event_rule_id, environment, body
std::string columns(std::uint64_t n, std::uint64_t total) {
    return fmt::format("{}\t{}\tbench.name_{}\tdetector_{}\t{}\t{}\t{}\t{}\t{}", n + 1, time_us(n, total), n % 200,
                       n % 1'000, n % 5'000, n % 7 == 0 ? "error" : "info", n % 300, n % 3 == 0 ? "onprem" : "aws",
                       line(n, total));
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string_view> words(argv + 1, argv + argc);
    words.resize(4); // what is missing is no number
    const bool as_json = words[0] == "json";
    const std::string_view first_word = words[1];
    const auto first = first_word == "0" ? std::optional<std::uint64_t>(0) : bench::number(first_word);
    const auto count = bench::number(words[2]);
    const auto total = bench::number(words[3]);
    if ((!as_json && words[0] != "columns") || !first || !count || !total || *total > span_us) {
        std::fputs("usage: bench_generate json|columns FIRST COUNT TOTAL\n", stderr);
        return 2;
    }
    for (std::uint64_t n = *first; n < *first + *count; ++n) {
        const std::string text = (as_json ? line(n, *total) : columns(n, *total)) + "\n";
        if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
            std::perror("generate");
            return 1;
        }
    }
    return std::fflush(stdout) == 0 ? 0 : 1;
}
