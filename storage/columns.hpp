// SPDX-License-Identifier: Apache-2.0
// Up to 1,024 events as columns of what filters ask: the newest events in memory, and a decoded chunk of the log, look
// the same to a query. Strings are codes into a table of the owner.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>

namespace tocsin::storage {

inline constexpr std::size_t rows_per_chunk = 1'024;

// Bits of a row: severity and type, then "this field is there".
namespace bits {
inline constexpr std::uint32_t severity_mask = 0x3;
inline constexpr std::uint32_t dataset = 1U << 2;
inline constexpr std::uint32_t scid = 1U << 3;
inline constexpr std::uint32_t event_rule_id = 1U << 4;
inline constexpr std::uint32_t environment = 1U << 5;
inline constexpr std::uint32_t host = 1U << 6;
inline constexpr std::uint32_t event_id = 1U << 7;
inline constexpr std::uint32_t spark_script = 1U << 8;
inline constexpr std::uint32_t count = 1U << 9;
inline constexpr std::uint32_t origin = 1U << 10;
inline constexpr std::uint32_t summary = 1U << 11;
inline constexpr std::uint32_t payload = 1U << 12;
inline constexpr std::uint32_t idempotency_key = 1U << 13;
inline constexpr std::uint32_t description = 1U << 14;
inline constexpr std::uint32_t event_rule = 1U << 15;
inline constexpr std::uint32_t gem_full_path = 1U << 16;
inline constexpr std::uint32_t content_hash = 1U << 17;
inline constexpr std::uint32_t cause = 1U << 18;
inline constexpr std::uint32_t cause_depth = 1U << 19;
inline constexpr std::uint32_t host_index = 1U << 20;
inline constexpr std::uint32_t known = (1U << 21) - 1;
} // namespace bits

// Code of a string that is not there.
inline constexpr std::uint32_t no_code = 0;

struct Columns {
    template <typename T> using Column = std::array<T, rows_per_chunk>;
    Column<std::int64_t> event_time_us;
    Column<std::int64_t> received_time_us;
    Column<std::int64_t> scid;
    Column<std::int64_t> event_rule_id;
    Column<std::uint32_t> bits;
    Column<std::uint32_t> name;
    Column<std::uint32_t> source;
    Column<std::uint32_t> environment;
    Column<std::uint32_t> event_id;
    Column<std::uint32_t> host;
    Column<std::uint32_t> count;
};

} // namespace tocsin::storage
