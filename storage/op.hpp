// SPDX-License-Identifier: Apache-2.0
// One operation on its way to the writer: all or nothing.
#pragma once

#include "core/limits.hpp"
#include "core/ports.hpp"
#include "storage/owner.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tocsin::storage {

struct Op {
    bool effect = false; // of a reader, not of a client
    Owner owner{};       // of a client
    std::vector<Event> events{};
    std::vector<TableChange> rows{};
    std::string cursor_name{};
    std::uint64_t cursor = 0;
    std::int64_t patience_us = 0; // of an effect
    Done<Receipt> done{};
    std::size_t bytes = 0;      // set by Inbox::push()
    std::uint64_t sequence = 0; // of an operation with rows: set by Inbox::push()

    // What it counts against the bounds.
    std::size_t weight() const { return std::max<std::size_t>(1, events.size() + rows.size()); }
};

// What several operations count.
struct Load {
    std::size_t weight = 0;
    std::size_t bytes = 0;
    void add(const Op& op) {
        weight += op.weight();
        bytes += op.bytes;
    }
    void remove(const Op& op) {
        weight -= op.weight();
        bytes -= op.bytes;
    }
};

} // namespace tocsin::storage
