// SPDX-License-Identifier: Apache-2.0
// What must go, and when: by age of each severity, and by size, info first and critical last, the oldest first, of a
// user who holds more than half before anybody else's. Decides from the summaries of blocks alone; the writer's thread
// asks it, others look at what it did through Health.
#pragma once

#include "core/retention.hpp"
#include "storage/blocks.hpp"
#include "storage/expiry.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>

namespace tocsin::storage {

struct RetentionPolicy {
    static constexpr std::int64_t day_us = 24LL * 3600 * 1'000'000;
    std::array<std::int64_t, 4> age_us{30 * day_us, 90 * day_us, 365 * day_us, 365 * day_us}; // by severity
    std::int64_t counters_us = 1'825 * day_us; // of the archive's hours and the counters'
    std::uint64_t keep_free_bytes = 0;         // of the file system; the larger of both
    double keep_free_share = 0;
};

// What has gone since the start, and why: events, by severity.
struct Expired {
    std::array<std::uint64_t, 4> by_age{};
    std::array<std::uint64_t, 4> for_space{};
};

// How full the store is.
struct Space {
    std::uint64_t used_bytes = 0;
    std::uint64_t limit_bytes = 0; // that clients may fill
};

enum class UpkeepKind : std::uint8_t { seal, expire, compact, drop, close_tail, forget };

struct UpkeepOrder {
    UpkeepKind kind = UpkeepKind::seal;
    BlockSummary block{};
    ExpiryRule rule{};      // expire
    bool for_space = false; // expire
    std::uint32_t hour = 0; // forget: what is before
};

// Of the tail, whose events wait for no block to be full where they should go.
struct TailAge {
    std::uint64_t events = 0;
    std::uint64_t bytes = 0; // as they were sent
    std::array<std::int64_t, 4> oldest_us{ExpiryRule::all, ExpiryRule::all, ExpiryRule::all, ExpiryRule::all};
};

// For people: the events of the blocks and of the tail, by severity and age.
RetentionReport report_retention(const RetentionPolicy& policy, const Blocks& blocks, const TailAge& tail,
                                 const std::array<std::uint64_t, 4>& tail_events, std::int64_t now_us);

class Retention {
public:
    explicit Retention(const RetentionPolicy& policy) : policy_(policy) {}

    struct State {
        std::span<const BlockSummary> sealed{}; // by index
        bool all_sealed = true;                 // no block waits to be sealed
        TailAge tail{};
        std::int64_t now_us = 0;
        Space space{};
    };
    // The next thing to do; none: nothing before look_again_us().
    std::optional<UpkeepOrder> next(const State& state);
    std::int64_t look_again_us() const { return look_again_us_; }
    // Space is short: events go before their time.
    bool is_pressed() const { return pressed_; }
    bool changes(const Space& space) const { return pressed_ || is_high(space); }

    // After an expiry: what it left of the block.
    void looked(const UpkeepOrder& order, const std::array<std::int64_t, 4>& oldest_us, std::uint64_t expired,
                std::int64_t now_us);
    void dropped(std::uint64_t first) { look_us_.erase(first); }
    // Hours before this one were forgotten, or there were none.
    void forgot(std::int64_t now_us) { next_forget_us_ = now_us + forget_gap_us; }

    static constexpr std::int64_t forget_gap_us = 3'600'000'000;

private:
    bool is_high(const Space& space) const;
    void measure(const State& state);
    std::optional<UpkeepOrder> finish_dead(const State& state) const;
    std::optional<UpkeepOrder> by_age(const State& state);
    std::optional<UpkeepOrder> by_size(const State& state);
    std::optional<UpkeepOrder> find_victim(const State& state, std::size_t rank,
                                           std::optional<std::uint32_t> uid) const;
    static bool newer_hold_less(const State& state, std::size_t rank);
    std::optional<std::uint32_t> greedy_uid(const State& state) const;
    // From which severities' time on a block, of which only bounds are known, must be looked at.
    std::int64_t due_us(const std::array<std::int64_t, 4>& oldest_us) const;

    RetentionPolicy policy_;
    bool pressed_ = false;
    std::map<std::uint64_t, std::int64_t> look_us_{}; // by first index of a block: when its age is next looked at
    // (block, severity, uid) from which nothing could be taken for space; forgotten after a while.
    std::set<std::tuple<std::uint64_t, std::size_t, std::int64_t>> fruitless_{};
    std::int64_t fruitless_since_us_ = 0;
    std::int64_t next_forget_us_ = 0;
    std::int64_t look_again_us_ = 0;
};

} // namespace tocsin::storage
