// SPDX-License-Identifier: Apache-2.0
// The rows that readers keep beside the log: read by key, by range, or all at start. Writing them is the writer's.
#pragma once

#include "storage/reader_pool.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::storage {

inline constexpr std::size_t row_key_bytes_max = 500;
inline constexpr std::size_t row_value_bytes_max = limits::MiB;
inline constexpr std::size_t scan_bytes_max = 16 * limits::MiB; // of one answer; fewer rows than asked then

// invalid_argument for a row that could not be stored.
Result<void> check_row(const TableChange& row);

struct ScanRequest {
    Table table = Table::watches;
    std::string after;
    std::size_t limit = limits::page_default;
    bool descending = false;
};
Result<std::vector<Row>> scan_rows(const Txn& txn, const ScanRequest& request);
Result<void> each_row(const Txn& txn, Table table, const std::function<void(const Row&)>& use);

std::unique_ptr<Task> scan_task(const Post& post, ScanRequest request, Done<std::vector<Row>> done);
std::unique_ptr<Task> load_task(const Post& post, Table table, std::string key, Done<std::optional<std::string>> done);

} // namespace tocsin::storage
