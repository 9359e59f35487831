// SPDX-License-Identifier: Apache-2.0
// Aligned tables for people. Cells are made printable here, so that no caller can forget; columns keep their width from
// page to page and only grow; on a terminal the last column is cut to what is left of the line.
#pragma once

#include "cli/output.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

struct Cell {
    Cell(std::string_view text,
         Colour colour = Colour::plain); // NOLINT(google-explicit-constructor): rows read as lists
    Cell(const char* given) : Cell(std::string_view(given)) {}
    Cell(const std::string& given) : Cell(std::string_view(given)) {}
    std::string text;
    Colour colour;
};

struct Column {
    std::string_view title;
    bool right = false;       // numbers
    std::size_t at_least = 0; // wide, for tables whose later rows are not known yet
};

class Table {
public:
    explicit Table(std::vector<Column> columns);
    void add(std::vector<Cell> row);
    // Writes the title line (the first time) and the rows since the last call.
    void write(Output& out);

private:
    void write_row(Output& out, const std::vector<Cell>& row) const;
    std::vector<Column> columns_;
    std::vector<std::size_t> widths_{};
    std::vector<std::vector<Cell>> rows_{};
    bool titled_ = false;
};

// "name   value" lines, one under another.
class Sheet {
public:
    void add(std::string_view name, Cell value);
    void write(Output& out) const;

private:
    std::vector<std::pair<std::string, Cell>> rows_{};
};

} // namespace tocsin::cli
