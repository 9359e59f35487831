// SPDX-License-Identifier: Apache-2.0
// What a look at a store found wrong, and how far it is. All are counted, the first ones told.
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::storage {

inline constexpr std::size_t problems_max = 100; // told; the rest is only counted

struct Problems {
    std::uint64_t count = 0;
    std::vector<std::string> told{};

    void add(std::string what) {
        ++count;
        if (told.size() < problems_max) {
            told.push_back(std::move(what));
        }
    }
};

// Of what ("pages", "events"), how many bytes or events are done, and of how many.
using Progress = std::function<void(std::string_view what, std::uint64_t done, std::uint64_t all)>;

// Why a store was not opened: a newer version of Tocsin made it, which this one will not understand however often it
// tries.
bool is_from_newer_version(const Error& error);

} // namespace tocsin::storage
