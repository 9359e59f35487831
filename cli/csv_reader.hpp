// SPDX-License-Identifier: Apache-2.0
// CSV (RFC 4180) in pieces of any size: rows come out as soon as they are whole. Cells may hold line breaks; lines end
// with CRLF or LF.
#pragma once

#include "core/error.hpp"
#include "core/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

struct CsvRow {
    std::vector<std::string> cells{};
    std::uint64_t lines = 0; // of the file that it takes up
};

class CsvReader {
public:
    using Use = std::function<Result<void>(CsvRow)>;
    Result<void> feed(std::string_view bytes, const Use& use);
    // A last row may end without a line break; a quote that is still open is an error.
    Result<void> finish(const Use& use);

private:
    static constexpr std::size_t row_bytes_max = 2 * limits::MiB; // an event of 256 KiB, quoted

    Result<void> take(char c, const Use& use);
    Result<void> end_row(const Use& use);
    void end_cell();

    CsvRow row_{};
    std::string cell_{};
    std::size_t bytes_ = 0; // of the row
    bool quoted_ = false;   // between quotes
    bool closed_ = false;   // behind the closing quote, which a second one would take back
};

} // namespace tocsin::cli
