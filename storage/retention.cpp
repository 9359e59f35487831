// SPDX-License-Identifier: Apache-2.0
#include "storage/retention.hpp"

#include "storage/keys.hpp"

#include <algorithm>
#include <vector>

namespace tocsin::storage {

namespace {

constexpr std::int64_t slack_part = 10;                        // an event goes late by this part of its time …
constexpr std::int64_t slack_us_max = RetentionPolicy::day_us; // … and by a day at most: it is work to look
constexpr std::int64_t look_gap_us_max = 3'600'000'000;        // clocks are set
constexpr std::int64_t fruitless_us = 60'000'000;              // then what could not go is tried again
constexpr std::uint64_t compact_part = 2;                      // of a block's rows must be dead to write it anew …
constexpr std::uint64_t compact_part_pressed = 8;              // … where space is short
constexpr std::uint64_t tail_part = 256;                       // of the limit: below, what the tail holds makes no room
constexpr std::uint64_t water_part = 32;                       // of the limit: between full, high and low water

std::int64_t slack_us(std::int64_t age_us) {
    return std::min(age_us / slack_part, slack_us_max);
}

constexpr std::uint64_t rows(const BlockSummary& block) {
    return block.last - block.first + 1;
}

} // namespace

RetentionReport report_retention(const RetentionPolicy& policy, const Blocks& blocks, const TailAge& tail,
                                 const std::array<std::uint64_t, 4>& tail_events, std::int64_t now_us) {
    RetentionReport out{.keep_counters_us = policy.counters_us};
    for (std::size_t rank = 0; rank < out.severities.size(); ++rank) {
        KeptSeverity& kept = out.severities[rank];
        kept.severity = static_cast<Severity>(rank);
        kept.keep_us = policy.age_us[rank];
        kept.events = tail_events[rank];
        std::int64_t oldest = tail_events[rank] == 0 ? ExpiryRule::all : tail.oldest_us[rank];
        for (const BlockSummary& block : blocks) {
            kept.events += block.by_severity[rank];
            oldest = block.by_severity[rank] == 0 ? oldest : std::min(oldest, block.min_received_us);
        }
        if (oldest != ExpiryRule::all) {
            kept.oldest_us = oldest;
            kept.goes_by_us = std::max(now_us, oldest + kept.keep_us) + slack_us(kept.keep_us);
        }
    }
    return out;
}

std::int64_t Retention::due_us(const std::array<std::int64_t, 4>& oldest_us) const {
    std::int64_t due = ExpiryRule::all;
    for (std::size_t rank = 0; rank < oldest_us.size(); ++rank) {
        if (oldest_us[rank] < ExpiryRule::all - 2 * policy_.age_us[rank]) {
            due = std::min(due, oldest_us[rank] + policy_.age_us[rank] + slack_us(policy_.age_us[rank]));
        }
    }
    return due;
}

bool Retention::is_high(const Space& space) const {
    const std::uint64_t step = space.limit_bytes / water_part;
    return space.used_bytes > space.limit_bytes - (pressed_ ? 2 * step : step);
}

void Retention::measure(const State& state) {
    pressed_ = is_high(state.space);
    if (!pressed_ || state.now_us - fruitless_since_us_ > fruitless_us || state.now_us < fruitless_since_us_) {
        fruitless_.clear();
        fruitless_since_us_ = state.now_us;
    }
}

std::optional<UpkeepOrder> Retention::next(const State& state) {
    measure(state);
    look_again_us_ = state.now_us + std::min(look_gap_us_max, slack_us(std::ranges::min(policy_.age_us)));
    if (auto order = finish_dead(state)) {
        return order;
    }
    if (auto order = by_age(state)) {
        return order;
    }
    if (auto order = pressed_ ? by_size(state) : std::nullopt) {
        return order;
    }
    if (state.now_us >= next_forget_us_) {
        return UpkeepOrder{.kind = UpkeepKind::forget, .hour = hour_of(state.now_us - policy_.counters_us)};
    }
    look_again_us_ = std::min(look_again_us_, next_forget_us_);
    if (pressed_) {
        look_again_us_ = std::min(look_again_us_, state.now_us + fruitless_us);
    }
    return std::nullopt;
}

// Blocks that are all dead go; half dead ones are written anew.
std::optional<UpkeepOrder> Retention::finish_dead(const State& state) const {
    const std::uint64_t part = pressed_ ? compact_part_pressed : compact_part;
    for (const BlockSummary& block : state.sealed) {
        if (block.events == 0) {
            return UpkeepOrder{.kind = UpkeepKind::drop, .block = block};
        }
        const std::uint64_t listed = rows(block) - block.removed;
        const std::uint64_t dead = listed - block.events;
        if (dead != 0 && dead >= listed / part) {
            return UpkeepOrder{.kind = UpkeepKind::compact, .block = block};
        }
    }
    return std::nullopt;
}

std::optional<UpkeepOrder> Retention::by_age(const State& state) {
    ExpiryRule rule;
    for (std::size_t rank = 0; rank < rule.received_before_us.size(); ++rank) {
        rule.received_before_us[rank] = state.now_us - policy_.age_us[rank];
    }
    for (const BlockSummary& block : state.sealed) {
        auto look = look_us_.find(block.first);
        if (look == look_us_.end()) {
            std::array<std::int64_t, 4> oldest{};
            for (std::size_t rank = 0; rank < oldest.size(); ++rank) {
                oldest[rank] = block.by_severity[rank] == 0 ? ExpiryRule::all : block.min_received_us;
            }
            look = look_us_.emplace(block.first, due_us(oldest)).first;
        }
        if (look->second <= state.now_us) {
            return UpkeepOrder{.kind = UpkeepKind::expire, .block = block, .rule = rule};
        }
        look_again_us_ = std::min(look_again_us_, look->second);
    }
    const std::int64_t tail_due = state.tail.events == 0 ? ExpiryRule::all : due_us(state.tail.oldest_us);
    if (tail_due <= state.now_us && state.all_sealed) {
        return UpkeepOrder{.kind = UpkeepKind::close_tail};
    }
    look_again_us_ = std::min(look_again_us_, tail_due);
    return std::nullopt;
}

// One who holds more than half of all while others have something, too.
std::optional<std::uint32_t> Retention::greedy_uid(const State& state) const {
    std::map<std::uint32_t, std::uint64_t> held;
    std::uint64_t all = 0;
    for (const BlockSummary& block : state.sealed) {
        for (const Holding& holding : block.holdings) {
            if (holding.uid) {
                held[*holding.uid] += holding.bytes;
            }
            all += holding.bytes;
        }
    }
    const auto most = std::ranges::max_element(held, {}, [](const auto& one) { return one.second; });
    if (held.size() < 2 || most->second <= all / 2) {
        return std::nullopt;
    }
    return most->first;
}

// Whether events of a lower severity are not in sealed blocks yet: they go before others of this one.
bool Retention::newer_hold_less(const State& state, std::size_t rank) {
    const auto lower = std::span(state.tail.oldest_us).first(rank);
    const bool in_tail = std::ranges::any_of(lower, [](std::int64_t oldest) { return oldest != ExpiryRule::all; });
    return !state.all_sealed || (in_tail && state.tail.bytes > state.space.limit_bytes / tail_part);
}

// The oldest block with something of this severity, of one user or of all.
std::optional<UpkeepOrder> Retention::find_victim(const State& state, std::size_t rank,
                                                  std::optional<std::uint32_t> uid) const {
    const std::int64_t mark = uid ? std::int64_t{*uid} : -1;
    for (const BlockSummary& block : state.sealed) {
        const bool has =
            block.by_severity[rank] != 0 &&
            (!uid || std::ranges::any_of(block.holdings, [uid](const Holding& one) { return one.uid == uid; }));
        if (has && !fruitless_.contains({block.first, rank, mark})) {
            UpkeepOrder order{.kind = UpkeepKind::expire, .block = block, .for_space = true};
            order.rule.received_before_us[rank] = ExpiryRule::all;
            order.rule.uid = uid;
            return order;
        }
    }
    return std::nullopt;
}

std::optional<UpkeepOrder> Retention::by_size(const State& state) {
    std::vector<std::optional<std::uint32_t>> whose{std::nullopt};
    if (const auto greedy = greedy_uid(state)) {
        whose.insert(whose.begin(), greedy);
    }
    for (const auto uid : whose) {
        for (std::size_t rank = 0; rank < 4; ++rank) {
            if (rank != 0 && newer_hold_less(state, rank)) {
                return state.all_sealed ? std::optional(UpkeepOrder{.kind = UpkeepKind::close_tail}) : std::nullopt;
            }
            if (auto order = find_victim(state, rank, uid)) {
                return order;
            }
        }
    }
    if (state.all_sealed && state.tail.bytes > state.space.limit_bytes / water_part) {
        return UpkeepOrder{.kind = UpkeepKind::close_tail};
    }
    return std::nullopt;
}

void Retention::looked(const UpkeepOrder& order, const std::array<std::int64_t, 4>& oldest_us, std::uint64_t expired,
                       std::int64_t now_us) {
    if (!order.for_space) {
        // What is due and stays, as pinned events do, is not looked at all the time.
        const std::int64_t gap_us = slack_us(std::ranges::min(policy_.age_us));
        look_us_[order.block.first] = std::max(due_us(oldest_us), now_us + gap_us);
        return;
    }
    if (expired == 0) {
        for (std::size_t rank = 0; rank < 4; ++rank) {
            if (order.rule.received_before_us[rank] == ExpiryRule::all) {
                fruitless_.insert({order.block.first, rank, order.rule.uid ? std::int64_t{*order.rule.uid} : -1});
            }
        }
    }
}

} // namespace tocsin::storage
