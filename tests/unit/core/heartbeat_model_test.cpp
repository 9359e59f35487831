// SPDX-License-Identifier: Apache-2.0
// The state machine against a slow and obvious model of it, through seeded random histories. The model knows no due
// times: it looks at every single second.
#include "core/heartbeat_deadline.hpp"
#include "core/heartbeat_runs.hpp"
#include "core/limits.hpp"
#include "tests/unit/core/watch_support.hpp"

#include <gtest/gtest.h>

#include <random>
#include <sstream>

namespace tocsin::watches {
namespace {

struct Terms {
    std::int64_t interval = 0; // all in seconds; with a period it is none
    std::int64_t grace = 0;
    std::int64_t period = 0; // of the slots
    std::int64_t early = 0;
    std::int64_t limit = 0;
};

class Model {
public:
    explicit Model(const Terms& terms) : s_(terms), deadline_(s_.period > 0 ? slot(0, true) : s_.interval) {}

    void second_passes(std::int64_t t) {
        bool overran = false;
        for (Under& run : runs_) {
            if (s_.limit > 0 && !run.told && t >= run.since + s_.limit) {
                tell("overrun " + run.id, run.since + s_.limit);
                run.told = true;
                overran = true;
            }
        }
        std::erase_if(runs_, [t](const Under& run) { return t >= run.since + 72 * 3600; });
        if (state_ == "started" && runs_.empty()) {
            state_ = t > deadline_ ? "late" : "up";
        }
        const bool waits = state_ == "up" || state_ == "late" || state_ == "started";
        if (overran && !limited() && waits && t >= deadline_ + s_.grace) {
            deadline_ = s_.period > 0 ? std::max(slot(t, false), deadline_) : t + s_.interval;
        }
        if (waits && !limited() && t >= deadline_ + s_.grace) {
            tell("missed", deadline_ + s_.grace);
            state_ = "down";
        } else if (state_ == "up" && t >= deadline_) {
            state_ = "late";
        }
    }

    void beat(std::int64_t t, BeatKind kind, const std::string& id) {
        bool ended = false;
        if (kind == BeatKind::ok || kind == BeatKind::finish || kind == BeatKind::fail) {
            ended = std::erase_if(runs_, [&id](const Under& run) { return id.empty() || run.id == id; }) > 0;
        }
        const bool was_down = state_ == "down";
        const bool early = kind == BeatKind::start || (kind != BeatKind::alive && !ended);
        const std::int64_t next = s_.period > 0 ? slot(t, early) : t + s_.interval;
        deadline_ = s_.period > 0 && !was_down ? std::max(next, deadline_) : next;
        if (kind == BeatKind::fail) {
            tell("failed", t);
            state_ = "down";
            return;
        }
        if (kind == BeatKind::start) {
            std::erase_if(runs_, [&id](const Under& run) { return run.id == id; });
            if (runs_.size() == limits::runs_max) {
                runs_.erase(runs_.begin());
            }
            runs_.push_back({id, t, false});
        }
        for (Under& run : runs_) {
            if (kind == BeatKind::alive && (id.empty() || run.id == id)) {
                run.since = t;
                run.told = false;
            }
        }
        if (was_down) {
            tell("recovered", t);
        }
        state_ = runs_.empty() ? "up" : "started";
    }

    std::string state() const { return state_; }
    std::int64_t deadline() const { return deadline_; }
    std::vector<std::string> told{};

private:
    struct Under {
        std::string id;
        std::int64_t since;
        bool told;
    };

    bool limited() const {
        return s_.limit > 0 && std::ranges::any_of(runs_, [](const Under& run) { return !run.told; });
    }
    void tell(const std::string& what, std::int64_t t) { told.push_back(what + " @" + std::to_string(t)); }
    // The first slot that a beat at t does not count for. Wall time begins at a full hour, and so do the slots.
    std::int64_t slot(std::int64_t t, bool early) const {
        const std::int64_t reach = early ? std::min(s_.early, s_.period / 2) : 0;
        std::int64_t at = 0;
        while (at <= t || (reach > 0 && at - t <= reach)) {
            at += s_.period;
        }
        return at;
    }

    Terms s_;
    std::int64_t deadline_;
    std::string state_ = "up";
    std::vector<Under> runs_{};
};

// The real one, woken only when it asked to be.
class Real {
public:
    explicit Real(const Terms& s) {
        configure(
            watch_,
            {.interval_us = s.period > 0 ? 0 : s.interval * second,
             .grace_us = s.grace * second,
             .schedule = s.period > 0 ? fake_schedule("every " + std::to_string(s.period) + "s", "").value() : nullptr,
             .early_us = s.early * second,
             .run_limit_us = s.limit * second},
            at(0));
    }
    void go(std::int64_t t) {
        for (auto due = next_due_boot_us(watch_); due && *due <= at(t * second).boot_us;
             due = next_due_boot_us(watch_)) {
            const std::int64_t due_us = std::max(*due - at(0).boot_us, now_us_);
            now_us_ = due_us;
            tell(time_passed(watch_, at(due_us)), due_us);
        }
        now_us_ = t * second;
    }
    void beat(std::int64_t t, BeatKind kind, const std::string& id) {
        tell(watches::beat(watch_, t * second, kind, id), t * second);
    }
    const Watch& watch() const { return watch_; }
    std::vector<std::string> told{};

private:
    void tell(const std::vector<Happened>& happened, std::int64_t us) {
        for (const Happened& one : happened) {
            std::string name(event_name(one.transition).substr(10));
            std::int64_t when_us = wall_start + us;
            if (one.transition == Transition::missed) {
                when_us = watch_.deadline_us + watch_.grace_us;
            } else if (one.transition == Transition::overrun) {
                name += " " + one.run;
                when_us = one.at_us;
            }
            told.push_back(name + " @" + std::to_string((when_us - wall_start) / second));
        }
    }

    Watch watch_{.key = {"pump", 3}};
    std::int64_t now_us_ = 0;
};

Terms random_terms(std::mt19937& random) {
    const auto pick = [&random](std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
    };
    Terms terms{.interval = pick(5, 200), .grace = pick(1, 60)};
    if (pick(0, 1) == 1) {
        constexpr std::array<std::int64_t, 4> periods{20, 60, 90, 400}; // each divides an hour
        terms.interval = 0;
        terms.period = periods.at(static_cast<std::size_t>(pick(0, 3)));
        terms.early = pick(0, 30);
    }
    terms.limit = pick(0, 1) * pick(3, 300);
    return terms;
}

void run_history(unsigned seed) {
    std::mt19937 random(seed);
    const Terms terms = random_terms(random);
    Model model(terms);
    Real real(terms);
    std::int64_t t = 0;
    for (int step = 0; step < 150; ++step) {
        const std::int64_t until = t + static_cast<std::int64_t>(random() % (random() % 8 == 0 ? 900 : 90));
        while (t < until) {
            model.second_passes(++t);
        }
        real.go(t);
        ASSERT_EQ(real.told, model.told) << "seed " << seed << " step " << step << " before the beat";
        ASSERT_EQ(to_string(real.watch().state), model.state()) << "seed " << seed << " step " << step;
        const auto kind = static_cast<BeatKind>(random() % 5);
        const std::string id = std::array<std::string, 3>{"", "a", "b"}.at(random() % 3);
        model.beat(t, kind, id);
        real.beat(t, kind, id);
        ASSERT_EQ(real.told, model.told) << "seed " << seed << " step " << step;
        ASSERT_EQ(to_string(real.watch().state), model.state()) << "seed " << seed << " step " << step;
        ASSERT_EQ((real.watch().deadline_us - wall_start) / second, model.deadline()) << "seed " << seed;
    }
}

TEST(WatchModel, AgreesThroughRandomHistories) {
    for (unsigned seed = 1; seed <= 400; ++seed) {
        ASSERT_NO_FATAL_FAILURE(run_history(seed));
    }
}

// Whatever came, an older beat changes nothing at all.
TEST(WatchModel, OldBeatsNeverMoveAnything) {
    std::mt19937 random(5);
    for (int round = 0; round < 300; ++round) {
        const Terms terms = random_terms(random);
        Watch watch = terms.period > 0 ? watch_by("every 60s", 5 * second, second, terms.limit * second)
                                       : watch_of(terms.interval * second, second, terms.limit * second);
        std::int64_t t = 0;
        for (int step = 0; step < 30; ++step) {
            t += 1 + static_cast<std::int64_t>(random() % 100);
            time_passed(watch, at(t * second));
            beat(watch, t * second, static_cast<BeatKind>(random() % 5), random() % 2 == 0 ? "" : "a");
            const Watch before = watch;
            Beat old = beat_at(t * second - 1 - static_cast<std::int64_t>(random() % 1'000) * second,
                               static_cast<BeatKind>(random() % 5), "a");
            old.interval_us = second;
            old.status = "old";
            ASSERT_TRUE(apply_beat(watch, old, {}, at(t * second)).empty());
            ASSERT_EQ(watch, before);
        }
    }
}

} // namespace
} // namespace tocsin::watches
