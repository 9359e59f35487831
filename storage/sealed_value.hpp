// SPDX-License-Identifier: Apache-2.0
// What every value of a sealed block begins with: its version, and a checksum that fails as well under another key.
// Of a value with records the checksum covers the table alone; each group of records has one of its own.
#pragma once

#include "core/error.hpp"
#include "storage/lmdb_env.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::storage {

inline constexpr std::size_t sealed_bytes_max = 64 * 1024 - 16;  // with LMDB's page header: 16 whole pages
inline constexpr std::size_t sealed_part_bytes = 16 * 1024 - 16; // what parts of dictionaries and the like aim at
inline constexpr std::size_t sealed_head_bytes = 11;

// One row to write of a sealed block.
struct SealedRow {
    Tree tree = Tree::sealed;
    std::string key{};
    std::string value{};
    friend bool operator==(const SealedRow&, const SealedRow&) = default;
};

// `checked` is covered by the checksum and shorter than 64 KiB, `rest` is not covered.
SealedRow seal_row(Tree tree, std::string key, std::string_view checked, std::string_view rest = {});

struct OpenedValue {
    std::string_view checked{};
    std::string_view rest{};
};
Result<OpenedValue> open_sealed(std::string_view key, std::string_view value);

// `key` says which value; used where the bytes are sound and yet make no sense.
std::unexpected<Error> sealed_damaged(std::string_view key, std::string_view what);

} // namespace tocsin::storage
