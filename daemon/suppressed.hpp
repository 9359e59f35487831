// SPDX-License-Identifier: Apache-2.0
// What was not taken in so that others have their share, as events: one intake.suppressed of each source and period
// that tells how much it was, since a flood must not become a flood of events about it. A source is a user and his
// unit, as the kernel or the bus says. Who owns it calls tell() when a period is over, and at the end.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin::daemon {

enum class Suppression : std::uint8_t {
    rate,     // a request, for the sender's rate
    queue,    // a submission, since as much of the sender's waits as may
    datagram, // a beat by datagram, since too many wait
};
inline constexpr std::array<std::string_view, 3> suppressions = {"rate", "queue", "datagram"};
using SuppressedCounts = std::array<std::uint64_t, suppressions.size()>; // in their order

class Suppressed {
public:
    // `begin`: a period begins; call tell() when it is over.
    Suppressed(StateStore& store, const Clock& clock, std::function<void()> begin)
        : store_(store), clock_(clock), begin_(std::move(begin)) {}

    void add(const Sender& sender, Suppression reason);
    void tell();
    // Since the start.
    const SuppressedCounts& counts() const { return counts_; }

private:
    struct Told {
        SuppressedCounts counts{};
        std::int64_t since_us = 0;
    };
    // nullopt: everybody for whom there was no room.
    using Source = std::optional<std::pair<std::optional<std::uint32_t>, std::string>>;

    Event event_of(const Source& source, const Told& told) const;

    StateStore& store_;
    const Clock& clock_;
    std::function<void()> begin_;
    std::map<Source, Told> sources_{};
    SuppressedCounts counts_{};
};

} // namespace tocsin::daemon
