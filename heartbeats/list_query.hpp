// SPDX-License-Identifier: Apache-2.0
// What a list of watches is asked: the keys source, scid and state as plain equalities, and the opaque cursor of a
// page, which belongs to its filter. Wrong ones are invalid_argument naming the key.
#pragma once

#include "core/heartbeat.hpp"
#include "core/ports.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::heartbeats {

struct ListQuery {
    std::vector<std::string> sources{}; // sorted, once each; empty: any
    std::vector<std::int64_t> scids{};
    std::vector<WatchState> states{};
    bool matches(const Watch& watch) const;
    std::uint64_t hash() const;
};

Result<ListQuery> parse_query(const ListFilter& filter);

std::string encode_cursor(const ListQuery& query, const WatchKey& last);
Result<WatchKey> decode_cursor(const ListQuery& query, std::string_view text);

} // namespace tocsin::heartbeats
