// SPDX-License-Identifier: Apache-2.0
// Keys of every tree: big-endian numbers and bytes, so that LMDB's own order is the order of meaning on any machine.
#pragma once

#include "storage/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::storage {

inline constexpr std::int64_t hour_us = 3'600'000'000;

// Hours since the epoch of an event_time, never below 0.
inline std::uint32_t hour_of(std::int64_t time_us) {
    if (time_us < 0) {
        return 0;
    }
    const std::int64_t hour = time_us / hour_us;
    return hour > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(hour);
}

template <typename T> std::string fixed_key(T value) {
    std::string out;
    put_fixed(out, value);
    return out;
}

inline std::string index_key(std::uint64_t index) {
    return fixed_key(index);
}

// Exactly one big-endian number.
template <typename T> std::optional<T> read_fixed(std::string_view bytes) {
    ByteReader reader(bytes);
    const T value = reader.fixed<T>();
    return reader.done() ? std::optional(value) : std::nullopt;
}

// What is counted by hour and for ever (name, severity), and what a sealed block is indexed by. New dimensions get new
// letters.
enum class Dimension : char {
    name = 'n',
    source = 'o',
    scid = 'c',
    rule = 'r',
    severity = 's',
    environment = 'e',
    type = 't',
    dataset = 'd',
    host = 'h',
    script = 'k', // whether one is asked for
    hour = 'u',   // of event_time
    uid = 'w',    // of the origin
};

// counters: hour u32, dimension, value
inline std::string counter_key(std::uint32_t hour, Dimension dimension, std::string_view value) {
    std::string out;
    out.reserve(sizeof(hour) + 1 + value.size());
    put_fixed(out, hour);
    out += static_cast<char>(dimension);
    out += value;
    return out;
}

// totals: dimension, value
inline std::string total_key(Dimension dimension, std::string_view value) {
    std::string out(1, static_cast<char>(dimension));
    out += value;
    return out;
}

// totals of what even the archive has forgotten: the dimension's letter as a capital
inline std::string forgotten_key(Dimension dimension, std::string_view value) {
    std::string out(1, static_cast<char>(static_cast<char>(dimension) - 'a' + 'A'));
    out += value;
    return out;
}

// idem: first index of the block u64, slice u16
inline std::string idem_key(std::uint64_t first, std::uint16_t slice) {
    std::string out;
    put_fixed(out, first);
    put_fixed(out, slice);
    return out;
}

// sealed: first index of the block u64, then what it is of it
namespace sealed_key {
inline std::string header(std::uint64_t block) {
    return fixed_key(block) + '!';
}
// Rows whose events have expired.
inline std::string dead(std::uint64_t block) {
    return fixed_key(block) + '-';
}
// `run`: the first one in the value
inline std::string times(std::uint64_t block, std::uint32_t run) {
    std::string out = fixed_key(block) + '#';
    put_fixed(out, run);
    return out;
}
// `value`: the first one in the part
inline std::string dictionary(std::uint64_t block, Dimension dimension, std::string_view value) {
    std::string out = fixed_key(block) + static_cast<char>(dimension);
    out += value;
    return out;
}
// `row`: the first one in the value
inline std::string weights(std::uint64_t block, std::uint32_t row) {
    std::string out = fixed_key(block) + '=';
    put_fixed(out, row);
    return out;
}
// `ordinal`: of the first value that is summed here; `part`: of the parts that begin with it
inline std::string sums(std::uint64_t block, Dimension dimension, std::uint32_t ordinal, std::uint16_t part) {
    std::string out = fixed_key(block) + '+' + static_cast<char>(dimension);
    put_fixed(out, ordinal);
    put_fixed(out, part);
    return out;
}
} // namespace sealed_key

namespace meta {
inline constexpr std::string_view schema = "schema";     // u32
inline constexpr std::string_view store_id = "store_id"; // 16 bytes
inline constexpr std::string_view identity = "identity"; // 16 bytes, once restored: in place of store_id to the outside
inline constexpr std::string_view created = "created";   // i64, µs
inline constexpr std::string_view checkpoint =
    "checkpoint";                                      // u64: the last index that counters, totals, blocks, idem hold
inline constexpr std::string_view sealed = "sealed";   // u64: the last index that is read from a sealed block
inline constexpr std::string_view expired = "expired"; // u64: how many events are gone
inline constexpr std::string_view next_index = "next_index"; // u64: only where the log is empty but was not always
} // namespace meta

} // namespace tocsin::storage
