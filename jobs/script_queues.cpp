// SPDX-License-Identifier: Apache-2.0
#include "jobs/script_queues.hpp"

#include "core/error.hpp"

namespace tocsin::jobs {

void ScriptQueues::add(const std::string& script, Turn turn) {
    const auto found = queues_.try_emplace(script).first;
    found->second.turns.insert(turn);
    changed(found);
}

void ScriptQueues::remove(const std::string& script, Turn turn) {
    const auto found = queues_.find(script);
    if (found != queues_.end() && found->second.turns.erase(turn) > 0) {
        changed(found);
    }
}

void ScriptQueues::run_begins(const std::string& script) {
    const auto found = queues_.try_emplace(script).first;
    ++found->second.running;
    changed(found);
}

void ScriptQueues::run_ends(const std::string& script) {
    const auto found = queues_.find(script);
    if (found == queues_.end() || found->second.running == 0) {
        fatal("jobs: a run ends that did not begin");
    }
    --found->second.running;
    changed(found);
}

void ScriptQueues::set_limits(ScriptLimits limits) {
    limits_ = std::move(limits);
    for (auto found = queues_.begin(); found != queues_.end();) {
        changed(found++);
    }
}

bool ScriptQueues::may_run(std::string_view script, const Queue& queue) const {
    const auto limit = limits_.find(script);
    return limit == limits_.end() || queue.running < limit->second;
}

void ScriptQueues::changed(Found found) {
    Queue& queue = found->second;
    if (queue.head) {
        heads_.erase(*queue.head);
        queue.head.reset();
    }
    if (!queue.turns.empty() && may_run(found->first, queue)) {
        queue.head = *queue.turns.begin();
        heads_.insert(*queue.head);
    }
    if (queue.turns.empty() && queue.running == 0) {
        queues_.erase(found);
    }
}

} // namespace tocsin::jobs
