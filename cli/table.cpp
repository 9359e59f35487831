// SPDX-License-Identifier: Apache-2.0
#include "cli/table.hpp"

#include "cli/text.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::cli {
namespace {

constexpr std::string_view gap = "  ";
constexpr std::size_t column_most_least = 30; // a local time fits
constexpr std::size_t last_column_least = 10; // a narrow terminal wraps rather than hides everything

} // namespace

Cell::Cell(std::string_view given, Colour wanted) : text(printable(given)), colour(wanted) {}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
    for (const Column& column : columns_) {
        widths_.push_back(std::max(column.at_least, width(column.title)));
    }
}

void Table::add(std::vector<Cell> row) {
    row.resize(columns_.size(), Cell(""));
    for (std::size_t i = 0; i < row.size(); ++i) {
        widths_[i] = std::max(widths_[i], width(row[i].text));
    }
    rows_.push_back(std::move(row));
}

void Table::write(Output& out) {
    if (!std::exchange(titled_, true)) {
        std::vector<Cell> titles;
        titles.reserve(columns_.size());
        for (const Column& column : columns_) {
            titles.emplace_back(column.title, Colour::bold);
        }
        write_row(out, titles);
    }
    for (const std::vector<Cell>& row : rows_) {
        write_row(out, row);
    }
    rows_.clear();
}

void Table::write_row(Output& out, const std::vector<Cell>& row) const {
    std::string line;
    std::size_t used = 0;
    // On a terminal one long name is not to push the other columns off it.
    const std::size_t most = out.columns == 0 ? std::string::npos : std::max(column_most_least, out.columns / 3);
    for (std::size_t i = 0; i < row.size(); ++i) {
        const bool last = i + 1 == row.size();
        const std::size_t column = std::min(widths_[i], most);
        std::string text = last ? row[i].text : fit(row[i].text, most);
        if (last && out.columns > used + last_column_least) {
            text = fit(text, out.columns - used);
        }
        const std::size_t own = width(text);
        const std::size_t pad = own < column ? column - own : 0;
        line += std::string(columns_[i].right ? pad : 0, ' ');
        line += out.paint(row[i].colour, text);
        line += std::string(columns_[i].right ? 0 : pad, ' ');
        line += gap;
        used += std::max(own, column) + gap.size();
    }
    line.resize(line.find_last_not_of(' ') + 1);
    out.line(line);
}

void Sheet::add(std::string_view name, Cell value) {
    rows_.emplace_back(name, std::move(value));
}

void Sheet::write(Output& out) const {
    std::size_t widest = 0;
    for (const auto& [name, value] : rows_) {
        widest = std::max(widest, width(name));
    }
    for (const auto& [name, value] : rows_) {
        out.write(out.paint(Colour::bold, name));
        out.write(std::string(widest - width(name), ' '));
        out.write(gap);
        out.line(out.paint(value.colour, value.text));
    }
}

} // namespace tocsin::cli
