// SPDX-License-Identifier: Apache-2.0
// Rows that were handed out to commit with a batch of events, at a moment that is not ours to know. Where the watch
// changes meanwhile, our own newer row may be stored first and then be overwritten by the older one that was lent; so
// such a row is due once more when the loan ends. What is lent is known by its hash, which is small: a row taken for a
// lent one by mistake is only stored once more. Boot time in µs.
#pragma once

#include "core/heartbeat.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tocsin::heartbeats {

class Loans {
public:
    static constexpr std::int64_t loan_us = 10'000'000; // far longer than a batch waits for its commit

    void lend(const WatchKey& key, std::int64_t now_boot_us);
    // The watch changed (or is gone) by other means than a batch.
    void touch(const WatchKey& key);
    // Whose row must be stored again; loans that are over are forgotten.
    std::vector<WatchKey> ended(std::int64_t now_boot_us);
    // When ended() is worth a call; nullopt while nothing is lent.
    std::optional<std::int64_t> next_boot_us() const;
    std::size_t size() const { return until_boot_us_.size(); }

private:
    std::unordered_map<std::uint64_t, std::int64_t> until_boot_us_{};
    std::deque<std::pair<std::int64_t, std::uint64_t>> order_{}; // each of them once, by the end of its first loan
    std::set<WatchKey> touched_{};
};

} // namespace tocsin::heartbeats
