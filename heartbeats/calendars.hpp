// SPDX-License-Identifier: Apache-2.0
// Each schedule once, however many watches follow it: what means the same is the same object, read from its text the
// first time. Nothing is kept that no watch holds.
#pragma once

#include "core/schedule.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin::heartbeats {

using ParseSchedule =
    std::function<Result<std::shared_ptr<const Schedule>>(std::string_view expression, std::string_view zone)>;

class Calendars {
public:
    explicit Calendars(ParseSchedule parse = &Schedule::parse) : parse_(std::move(parse)) {}

    // invalid_argument naming "schedule" or "zone".
    Result<std::shared_ptr<const Schedule>> find(const std::string& expression, const std::string& zone);
    std::size_t size() const { return known_.size(); }

private:
    static constexpr std::size_t swept_first = 64;
    using Words = std::pair<std::string, std::string>; // expression, zone
    std::shared_ptr<const Schedule> known(const Words& words) const;
    void sweep();

    ParseSchedule parse_;
    std::map<Words, std::weak_ptr<const Schedule>> known_;
    std::size_t sweep_at_ = swept_first; // so many entries are looked through for those that nobody holds
};

} // namespace tocsin::heartbeats
