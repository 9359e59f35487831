// SPDX-License-Identifier: Apache-2.0
// The account of beats that were taken off the socket and are not durable yet: how many there may be, and which of them
// a barrier waits for. A barrier's descriptor is closed when everything received before it is kept; behind a beat that
// could not be stored it stays open until storing works again, so that its sender sees a time-out and no false promise.
#pragma once

#include "core/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace tocsin::ipc::notify {

class Outstanding {
public:
    static constexpr std::size_t beats_max = 4'096;
    static constexpr std::size_t beats_per_source_max = 256; // so that one source takes nobody else's room
    static constexpr std::size_t barriers_max = 64;

    enum class End : std::uint8_t {
        kept,     // durable, and with it whatever could not be stored before
        refused,  // nothing is to be kept
        unstored, // not durable, and perhaps never
    };

    bool full() const { return open_.size() >= beats_max; }
    bool full(std::string_view source) const;

    // A beat is under way; its number.
    std::uint64_t begin(const std::string& source);
    void end(std::uint64_t beat, End how);

    // False: one barrier too many, closed at once.
    bool hold(Fd barrier);

    std::size_t beats() const { return open_.size(); }
    std::size_t barriers() const { return barriers_.size(); }

private:
    struct Barrier {
        std::uint64_t upto = 0;
        Fd descriptor{};
    };
    bool settled(std::uint64_t upto) const;
    void release();

    std::map<std::uint64_t, std::string> open_{}; // number → source
    std::map<std::string, std::size_t, std::less<>> by_source_{};
    std::deque<Barrier> barriers_{};
    std::uint64_t last_ = 0;
    std::uint64_t unstored_first_ = 0; // 0: none
    std::uint64_t unstored_last_ = 0;
};

} // namespace tocsin::ipc::notify
