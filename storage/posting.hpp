// SPDX-License-Identifier: Apache-2.0
// The rows of a block that hold one value, in the smallest of three codings: differences between neighbours, one bit a
// row, or runs. docs/schema.md gives the bytes.
#pragma once

#include "storage/bytes.hpp"
#include "storage/row_set.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::storage {

enum class Coding : std::uint8_t { list, bitmap, runs };

struct Posting {
    std::uint32_t rows = 0; // how many
    Coding coding = Coding::list;
    std::string_view bytes{};
};

// Appends the posting of these ascending rows, of a block of `universe` rows; `scratch` is the caller's, reused.
void put_posting(std::string& out, std::span<const std::uint32_t> rows, std::uint32_t universe, std::string& scratch);
// Without looking at its rows; the reader's flag says whether it was whole.
Posting read_posting(ByteReader& in, std::uint32_t universe);

// False where the bytes are not what put_posting() makes.
bool add_rows(const Posting& posting, RowSet& rows);
// How many of its rows are among these.
std::optional<std::uint32_t> count_rows(const Posting& posting, const RowSet& rows);
// add_rows() with a code for each of its rows: nothing of the size of the block is touched for a value that few have.
bool put_code(const Posting& posting, std::uint32_t code, std::span<std::uint32_t> codes);

} // namespace tocsin::storage
