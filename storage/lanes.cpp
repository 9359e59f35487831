// SPDX-License-Identifier: Apache-2.0
#include "storage/lanes.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tocsin::storage {

namespace {

using std::chrono::microseconds;

constexpr std::chrono::milliseconds now_window{20}; // since two were in each other's way
constexpr std::chrono::seconds lately_window{10};
constexpr std::size_t users_kept = 16;   // beyond: who is idle is forgotten
constexpr std::size_t lanes_kept = 16;   // of one user
constexpr std::size_t bytes_per_us = 64; // about what the writer writes
constexpr std::size_t room_min = 8 * limits::KiB;
constexpr std::size_t room_max = 512 * limits::KiB;
constexpr std::size_t room_lately = 8; // times that of now
constexpr std::size_t op_cost = 256;   // beside its bytes
constexpr std::size_t little_bytes = 4 * limits::KiB;
constexpr int average_of = 8; // commits
constexpr microseconds flush_min{50};
constexpr microseconds flush_max{20'000};
constexpr microseconds pause_min{200};
constexpr microseconds pause_max{2'000};

std::uint64_t cost_of(Lanes::Duration time) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<microseconds>(time).count()) * bytes_per_us;
}

} // namespace

void Lanes::push(Op op, Instant now) {
    if (last_ != op.owner) {
        mixed_ = last_ ? std::optional(now) : std::nullopt;
        find(op.owner, now);
        last_ = op.owner;
    }
    User& user = *last_user_;
    if (user.load.weight == 0) {
        user.tag = std::max(user.tag, tag_);
    }
    if (last_lane_->ops.empty()) {
        last_lane_->tag = std::max(last_lane_->tag, user.lane_tag);
    }
    user.seen = now;
    user.load.add(op);
    load_.add(op);
    last_lane_->ops.push_back(std::move(op));
}

void Lanes::find(const Owner& owner, Instant now) {
    if (!users_.contains(owner.uid) && users_.size() >= users_kept) {
        forget_idle(now);
    }
    last_user_ = &users_[owner.uid];
    auto& lanes = last_user_->lanes;
    if (!lanes.contains(owner.unit) && lanes.size() >= lanes_kept) {
        std::erase_if(lanes, [](const auto& lane) { return lane.second.ops.empty(); });
    }
    last_lane_ = &lanes[owner.unit];
}

void Lanes::forget_idle(Instant now) {
    served_.clear();
    std::erase_if(users_, [now](const auto& entry) {
        return entry.second.load.weight == 0 && now - entry.second.seen > now_window;
    });
}

// Of somebody who was just answered and has not come back yet.
bool Lanes::is_ahead(const User& user) const {
    return std::ranges::any_of(served_, [&user](const User* other) {
        return other != &user && other->load.weight == 0 && other->tag < user.tag;
    });
}

Lanes::Duration Lanes::pause() const {
    return std::clamp<Duration>(flush_, pause_min, pause_max);
}

Lanes::Instant Lanes::ready_at() const {
    if (empty()) {
        return Instant::max();
    }
    const bool all_ahead = std::ranges::all_of(
        users_, [this](const auto& entry) { return entry.second.load.weight == 0 || is_ahead(entry.second); });
    return all_ahead ? served_at_ + pause() : Instant::min();
}

Lanes::User* Lanes::next_user(bool first, Instant now) {
    User* next = nullptr;
    for (auto& [uid, user] : users_) {
        const bool may = user.load.weight != 0 && (!first || now >= served_at_ + pause() || !is_ahead(user));
        if (may && (next == nullptr || user.tag < next->tag)) {
            next = &user;
        }
    }
    return next;
}

// Of a user of whom something waits.
Lanes::Lane& Lanes::next_lane(User& user) {
    auto next = user.lanes.begin();
    for (auto at = user.lanes.begin(); at != user.lanes.end(); ++at) {
        if (!at->second.ops.empty() && (next->second.ops.empty() || at->second.tag < next->second.tag)) {
            next = at;
        }
    }
    return next->second;
}

// Of a commit, in bytes: as much as is written in half the time of a flush, while somebody else waits for it.
std::size_t Lanes::room(Instant now) const {
    const Contention how = contention(now);
    if (how == Contention::none) {
        return std::numeric_limits<std::size_t>::max();
    }
    const std::size_t room = std::clamp<std::size_t>(cost_of(flush_) / 2, room_min, room_max);
    return how == Contention::now ? room : room * room_lately;
}

void Lanes::take(std::vector<Op>& into, Load& taken, Instant now) {
    const std::size_t room_bytes = room(now);
    std::size_t own_bytes = 0;
    std::vector<const User*> chosen;
    while (!empty()) {
        const bool first = chosen.empty();
        User* user = next_user(first, now);
        if (user == nullptr) {
            break;
        }
        Lane& lane = next_lane(*user);
        const Op& op = lane.ops.front();
        const bool fits =
            taken.weight + op.weight() <= limits::commit_events && taken.bytes + op.bytes <= limits::commit_bytes;
        if ((!into.empty() && !fits) || (!first && own_bytes + op.bytes > room_bytes)) {
            break;
        }
        own_bytes += first && op.bytes > room_bytes ? 0 : op.bytes; // beside a large one the others have their room
        taken.add(op);
        if (first || chosen.back() != user) {
            chosen.push_back(user);
        }
        move_one(*user, lane, into);
    }
    taken_bytes_ = taken.bytes;
    chosen_any_ = !chosen.empty();
    if (chosen_any_) {
        served_ = std::move(chosen);
    }
}

void Lanes::move_one(User& user, Lane& lane, std::vector<Op>& into) {
    Op& op = lane.ops.front();
    tag_ = std::max(tag_, user.tag);
    user.lane_tag = std::max(user.lane_tag, lane.tag);
    user.tag += op.bytes + op_cost;
    lane.tag += op.bytes + op_cost;
    user.load.remove(op);
    load_.remove(op);
    into.push_back(std::move(op));
    lane.ops.pop_front();
}

void Lanes::served(Duration time, Instant now) {
    if (taken_bytes_ <= little_bytes) {
        flush_ += (std::clamp<Duration>(time, flush_min, flush_max) - flush_) / average_of;
    }
    if (!std::exchange(chosen_any_, false)) {
        return; // a commit of effects alone
    }
    served_at_ = now;
    std::ranges::sort(served_);
    const auto repeated = std::ranges::unique(served_);
    served_.erase(repeated.begin(), repeated.end());
    for (auto& [uid, user] : users_) {
        if (std::ranges::binary_search(served_, &user)) {
            user.tag += cost_of(flush_) / served_.size();
        }
    }
}

Contention Lanes::contention(Instant now) const {
    if (!mixed_) {
        return Contention::none;
    }
    const Duration since = now - *mixed_;
    return since <= now_window ? Contention::now : since <= lately_window ? Contention::lately : Contention::none;
}

Load Lanes::load_of(std::uint64_t uid) const {
    const auto found = users_.find(uid);
    return found == users_.end() ? Load{} : found->second.load;
}

} // namespace tocsin::storage
