// SPDX-License-Identifier: Apache-2.0
// What clients have submitted and the writer has not taken: a lane for each user, within it one for each of his units.
// A lane keeps its order. Between lanes the one goes first that was served least, counted in bytes and flushes; who was
// away has no claim to what he left. One client alone is served as if there were no lanes. While several come, a commit
// carries little more than the flush costs that all of them wait for, and who is ahead lets those who were just
// answered come back first: so a flood makes nobody's answer take more than about twice its time.
#pragma once

#include "storage/op.hpp"

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <vector>

namespace tocsin::storage {

class Lanes {
public:
    using Instant = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    void push(Op op, Instant now);
    bool empty() const { return load_.weight == 0; }
    // Before that nothing is to be taken: somebody who was just answered may come back first.
    Instant ready_at() const;
    // What the next commit shall carry, to the end of `into`, which may hold effects already that make up `taken`.
    void take(std::vector<Op>& into, Load& taken, Instant now);
    // The commit of what was taken has ended.
    void served(Duration time, Instant now);

    Contention contention(Instant now) const;
    const Load& load() const { return load_; }
    Load load_of(std::uint64_t uid) const;
    std::size_t users() const { return users_.size(); } // that are remembered

private:
    struct Lane {
        std::uint64_t tag = 0; // what it was served, and what it did not claim
        std::list<Op> ops{};
    };
    struct User {
        std::uint64_t tag = 0;
        std::uint64_t lane_tag = 0; // of the lane that was served last
        Load load{};
        Instant seen{};
        std::map<std::uint64_t, Lane> lanes{}; // by unit
    };

    void find(const Owner& owner, Instant now);
    void forget_idle(Instant now);
    bool is_ahead(const User& user) const;
    User* next_user(bool first, Instant now);
    static Lane& next_lane(User& user);
    void move_one(User& user, Lane& lane, std::vector<Op>& into);
    std::size_t room(Instant now) const;
    Duration pause() const;

    std::map<std::uint64_t, User> users_{}; // by uid
    Load load_{};
    std::optional<Owner> last_{}; // who pushed last, and where
    User* last_user_ = nullptr;
    Lane* last_lane_ = nullptr;
    std::optional<Instant> mixed_{};    // when somebody else than before pushed
    std::uint64_t tag_ = 0;             // of the user who was served last
    std::vector<const User*> served_{}; // by the last commit
    Instant served_at_{};
    bool chosen_any_ = false;
    std::size_t taken_bytes_ = 0;                    // of the last commit, effects included
    Duration flush_{std::chrono::microseconds{500}}; // what a commit of little takes, on average
};

} // namespace tocsin::storage
