// SPDX-License-Identifier: Apache-2.0
// A schedule that is plain to see through: "every 1h" has a slot at each multiple of an hour since the epoch; "at A B
// C" has those, in seconds since the epoch, and no other.
#pragma once

#include "core/schedule.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace tocsin {

class EverySchedule final : public Schedule {
public:
    EverySchedule(std::string expression, std::string zone, std::int64_t period_us)
        : expression_(std::move(expression)), zone_(std::move(zone)), period_us_(period_us) {}
    const std::string& expression() const override { return expression_; }
    const std::string& zone() const override { return zone_; }
    std::optional<std::int64_t> next_after(std::int64_t wall_us) const override {
        return (wall_us / period_us_ + 1) * period_us_;
    }
    std::optional<std::int64_t> last_until(std::int64_t wall_us) const override {
        return wall_us / period_us_ * period_us_;
    }

private:
    std::string expression_;
    std::string zone_;
    std::int64_t period_us_;
};

class ListedSchedule final : public Schedule {
public:
    explicit ListedSchedule(std::string expression) : expression_(std::move(expression)) {
        std::istringstream words(expression_.substr(3));
        for (std::int64_t slot_s = 0; words >> slot_s;) {
            slots_us_.push_back(slot_s * 1'000'000);
        }
    }
    const std::string& expression() const override { return expression_; }
    const std::string& zone() const override { return zone_; }
    std::optional<std::int64_t> next_after(std::int64_t wall_us) const override {
        const auto found = std::ranges::upper_bound(slots_us_, wall_us);
        return found == slots_us_.end() ? std::nullopt : std::optional(*found);
    }
    std::optional<std::int64_t> last_until(std::int64_t wall_us) const override {
        const auto found = std::ranges::upper_bound(slots_us_, wall_us);
        return found == slots_us_.begin() ? std::nullopt : std::optional(*std::prev(found));
    }

private:
    std::string expression_;
    std::string zone_ = "UTC";
    std::vector<std::int64_t> slots_us_{};
};

inline Result<std::shared_ptr<const Schedule>> fake_schedule(std::string_view expression, std::string_view zone) {
    if (zone == "Mars/Olympus") {
        return fail(Code::invalid_argument, "schedule", "zone", "\"Mars/Olympus\" is not a time zone");
    }
    if (expression.starts_with("every ")) {
        if (const auto period = parse_duration_us(expression.substr(6))) {
            return std::make_shared<EverySchedule>(std::string(expression), zone.empty() ? "UTC" : std::string(zone),
                                                   *period);
        }
    }
    if (expression.starts_with("at ")) {
        return std::make_shared<ListedSchedule>(std::string(expression));
    }
    return fail(Code::invalid_argument, "schedule", "schedule", "\"" + std::string(expression) + "\" is no schedule");
}

} // namespace tocsin
