// SPDX-License-Identifier: Apache-2.0
// The questions of StatisticsReader as tasks of the reader pool.
#pragma once

#include "core/statistics.hpp"
#include "storage/query.hpp"
#include "storage/reader_pool.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tocsin::storage {

std::unique_ptr<Task> totals_task(const Post& post, QueryBounds bounds, Filter filter, std::vector<GroupKey> by,
                                  Done<Totals> done);
std::unique_ptr<Task> hourly_task(const Post& post, QueryBounds bounds, PageRequest request, Done<HourPage> done);
// A day of one name, from its first hour on.
std::unique_ptr<Task> histogram_task(const Post& post, std::string event_name, std::int64_t day_us,
                                     Done<DayCounts> done);

} // namespace tocsin::storage
