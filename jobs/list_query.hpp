// SPDX-License-Identifier: Apache-2.0
// What a list of jobs asks for, and the page that is being filled.
#pragma once

#include "core/ports.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::jobs {

struct ListQuery {
    std::vector<JobState> states{}; // alternatives; empty: any
    std::vector<std::string> scripts{};
    std::vector<std::uint64_t> indexes{};
    std::uint64_t before = 0; // ids below; 0: from the newest
    std::uint64_t hash = 0;   // of the filter

    bool matches(const Job& job) const;
    bool is_about(const Job& job) const; // one of `indexes`, or one that joined
    // No finished job can match.
    bool unfinished_only() const;
};

// Keys: state, script, unique_index. invalid_argument names what is wrong: an unknown key, a value, a cursor of another
// filter.
Result<ListQuery> parse_list(const ListFilter& filter, std::string_view cursor);

struct ListRequest {
    ListQuery query{};
    std::size_t limit = 0;
    std::size_t bytes = 0;
    ListPage<Job> page{};
    Done<ListPage<Job>> done{};

    // False when the page is full, which sets its cursor.
    bool add(Job job);
    void answer() { done(std::move(page)); }
};

} // namespace tocsin::jobs
