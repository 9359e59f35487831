// SPDX-License-Identifier: Apache-2.0
// One who follows the log over /v1/stream: shows each event at once, and when the stream ends asks again behind the
// last id.
#pragma once

#include "cli/interrupts.hpp"
#include "cli/session.hpp"
#include "cli/sse.hpp"
#include "cli/table.hpp"

#include <cstdint>

namespace tocsin::cli {

struct FollowRequest {
    Parameters parameters{};
    std::uint64_t after = 0;
    std::uint64_t limit = 0; // events; 0: no limit
};

class Follower {
public:
    Follower(Session& session, Interrupts& interrupts, FollowRequest request);
    // Until a signal, the limit, or an answer that will not get better.
    Result<int> run();

private:
    enum class Ended { done, again };
    Result<Ended> connect();
    bool show(const ServerEvent& event);
    void show_for_people(const Value& event);
    void show_gap(std::string_view data);
    bool done() const;
    void say(std::string_view text);

    Session& session_;
    Interrupts& interrupts_;
    FollowRequest request_;
    SseParser parser_{};
    Table table_;
    std::uint64_t shown_ = 0;
    bool was_connected_ = false;
    bool away_ = false; // and told so
};

} // namespace tocsin::cli
