// SPDX-License-Identifier: Apache-2.0
#include "cli/csv_reader.hpp"

#include <utility>

namespace tocsin::cli {

Result<void> CsvReader::feed(std::string_view bytes, const Use& use) {
    for (const char c : bytes) {
        if (auto taken = take(c, use); !taken) {
            return taken;
        }
    }
    return {};
}

Result<void> CsvReader::take(char c, const Use& use) {
    if (++bytes_ > row_bytes_max) {
        return fail(Code::limit_exceeded, "import", "", "a row is longer than 2 MiB; is a quote missing?");
    }
    if (c == '\n') {
        ++row_.lines;
    }
    if (quoted_) {
        closed_ = c == '"';
        quoted_ = c != '"';
        if (quoted_) {
            cell_ += c;
        }
        return {};
    }
    switch (c) {
    case '"':
        if (!closed_ && !cell_.empty()) {
            return fail(Code::invalid_argument, "import", "", "a quote stands in the middle of a cell");
        }
        if (closed_) { // it was doubled: one of them is meant
            cell_ += c;
        }
        quoted_ = true;
        closed_ = false;
        return {};
    case ',':
        end_cell();
        return {};
    case '\r':
        return {};
    case '\n':
        return end_row(use);
    default:
        if (closed_) {
            return fail(Code::invalid_argument, "import", "", "something stands behind a closing quote");
        }
        cell_ += c;
        return {};
    }
}

void CsvReader::end_cell() {
    row_.cells.push_back(std::exchange(cell_, {}));
    closed_ = false;
}

Result<void> CsvReader::end_row(const Use& use) {
    end_cell();
    bytes_ = 0;
    return use(std::exchange(row_, {}));
}

Result<void> CsvReader::finish(const Use& use) {
    if (quoted_) {
        return fail(Code::invalid_argument, "import", "", "the file ends within a quoted cell; it was cut off");
    }
    if (bytes_ == 0) {
        return {};
    }
    row_.lines += 1;
    return end_row(use);
}

} // namespace tocsin::cli
