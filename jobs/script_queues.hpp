// SPDX-License-Identifier: Apache-2.0
// Whose turn it is: the queued jobs of each script in their order, and over all scripts that may run one more now, the
// first. A script at its limit holds up nobody else, and nothing here looks at more than one job of a script.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin::jobs {

using Turn = std::pair<std::int64_t, std::uint64_t>; // due in boot time, id
// How many runs of a script there may be at the same time; a script that is not here has no limit.
using ScriptLimits = std::map<std::string, unsigned, std::less<>>;

class ScriptQueues {
public:
    void add(const std::string& script, Turn turn);
    // Nothing where it does not stand there.
    void remove(const std::string& script, Turn turn);
    void run_begins(const std::string& script);
    void run_ends(const std::string& script);
    void set_limits(ScriptLimits limits);

    std::optional<Turn> first() const { return heads_.empty() ? std::nullopt : std::optional(*heads_.begin()); }
    std::size_t scripts() const { return queues_.size(); }

private:
    struct Queue {
        std::set<Turn> turns{};
        unsigned running = 0;
        std::optional<Turn> head{}; // what stands in heads_
    };
    using Found = std::map<std::string, Queue, std::less<>>::iterator;
    bool may_run(std::string_view script, const Queue& queue) const;
    void changed(Found found);

    std::map<std::string, Queue, std::less<>> queues_{}; // of scripts that wait or run
    std::set<Turn> heads_{};                             // of those that may run one more
    ScriptLimits limits_{};
};

} // namespace tocsin::jobs
