// SPDX-License-Identifier: Apache-2.0
// Whose a submission is, for the order between clients, and whether they are in each other's way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin::storage {

// Opaque numbers; a unit counts within its user.
struct Owner {
    std::uint64_t uid = 0;
    std::uint64_t unit = 0;
    friend bool operator==(const Owner&, const Owner&) = default;
};

enum class Contention : std::uint8_t {
    none,
    lately, // somebody else may come again at any moment
    now,
};

// What clients meet who submit now.
inline constexpr std::string_view inbox_object = "inbox"; // of the errors of those for whom it has no room

struct Pressure {
    Contention contention = Contention::none;
    std::size_t waiting = 0; // their events that the writer has not taken
};

} // namespace tocsin::storage
