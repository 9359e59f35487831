// SPDX-License-Identifier: Apache-2.0
// What becomes of a datagram: read, attributed to its sender, and handed to the heartbeats as a beat, a text or the end
// of a watch. The socket is somebody else's, so that this is tested without one.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "ipc/notify/cgroup_units.hpp"
#include "ipc/notify/datagram.hpp"
#include "ipc/notify/message.hpp"
#include "ipc/notify/outstanding.hpp"
#include "ipc/notify/sender.hpp"
#include "ipc/notify/server.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace tocsin::ipc::notify {

class Face : public std::enable_shared_from_this<Face> {
public:
    Face(Heartbeats& heartbeats, const Clock& clock, std::filesystem::path cgroups)
        : heartbeats_(heartbeats), clock_(clock), units_(std::move(cgroups)) {}

    // The datagram's descriptors are closed with it, but for a barrier's.
    void take(Datagram& datagram);

    void on_trouble(std::function<void(const std::string&)> handler) { trouble_ = std::move(handler); }
    void on_dropped(std::function<void(const tocsin::Sender&)> handler) { dropped_ = std::move(handler); }
    const Counts& counts() const { return counts_; }
    const Outstanding& outstanding() const { return outstanding_; }

private:
    void take_barrier(Datagram& datagram);
    void take_from(const Sender& sender, const Message& message);
    void answered(std::uint64_t beat, const Result<Watch>& result);
    // Counts it, and tells the first of its kind.
    void lose(std::uint64_t Counts::* count, std::string_view what, const std::string& why);
    // It is one too many of somebody's.
    void drop(const tocsin::Sender& sender, std::string_view what, const std::string& why);

    Heartbeats& heartbeats_;
    const Clock& clock_;
    CgroupUnits units_;
    Outstanding outstanding_{};
    Counts counts_{};
    std::set<std::string, std::less<>> told_{};
    std::function<void(const std::string&)> trouble_{};
    std::function<void(const tocsin::Sender&)> dropped_{};
};

} // namespace tocsin::ipc::notify
