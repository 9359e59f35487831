// SPDX-License-Identifier: Apache-2.0
// The questions of EventReader as tasks of the reader pool.
#pragma once

#include "storage/reader_pool.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace tocsin::storage {

struct QueryBounds {
    std::int64_t query_us_max = 30'000'000; // then it is refused
    std::int64_t page_us_max = 1'000'000;   // then a page ends with what was found, and its cursor says how far it came
};

// limit_exceeded: what a query answers beyond its time.
Error too_long();

std::unique_ptr<Task> get_task(const Post& post, std::uint64_t index, Done<Event> done);

struct PageRequest {
    Filter filter;
    std::size_t limit = limits::page_default;
    std::string cursor;
};
std::unique_ptr<Task> page_task(const Post& post, QueryBounds bounds, PageRequest request, Done<Page> done);

std::unique_ptr<Task> count_task(const Post& post, QueryBounds bounds, Filter filter, Done<std::uint64_t> done);

struct FollowRequest {
    std::uint64_t after = 0;
    Filter filter;
    std::size_t limit = limits::page_default;
};
std::unique_ptr<Task> follow_task(const Post& post, FollowRequest request, Done<Slice> done);

} // namespace tocsin::storage
