// SPDX-License-Identifier: Apache-2.0
#include "cli/rows.hpp"

#include "cli/text.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::cli {
namespace {

void append_cell(std::string& row, std::string_view text) {
    const bool plain = text.find_first_of(",\"\r\n") == std::string_view::npos &&
                       (text.empty() || (text.front() != ' ' && text.back() != ' '));
    if (plain) {
        row += text;
        return;
    }
    row += '"';
    for (const char c : text) {
        row += c;
        row += c == '"' ? "\"" : "";
    }
    row += '"';
}

} // namespace

RowWriter::RowWriter(Output& out, Format format, Keys keys)
    : out_(out), csv_(format == Format::csv), keys_(keys.begin(), keys.end()) {
    if (!csv_) {
        return;
    }
    std::string header;
    for (const std::string_view key : keys_) {
        header += header.empty() ? "" : ",";
        append_cell(header, key);
    }
    write_row(std::move(header));
}

void RowWriter::add(const Value& item) {
    if (csv_) {
        add_csv(item);
    } else {
        out_.line(item.json());
    }
}

void RowWriter::add_csv(const Value& item) {
    std::string row;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        row += i == 0 ? "" : ",";
        append_cell(row, item[keys_[i]].text());
    }
    write_row(std::move(row));
}

// A cell may hold what moves a terminal's cursor.
void RowWriter::write_row(std::string row) {
    out_.write((out_.terminal ? printable_lines(row) : std::move(row)) + "\r\n");
}

Result<int> write_rows(Session& session, ListRequest request, Keys keys) {
    RowWriter writer(session.out, session.format, keys);
    const auto use = [&writer](const Value::Array& items) {
        for (const Value& item : items) {
            writer.add(item);
        }
    };
    const auto more = each_page(session, std::move(request), use);
    return more ? Result<int>(0) : std::unexpected(more.error());
}

Result<int> write_json_page(Session& session, const ListRequest& request) {
    Parameters parameters = request.parameters;
    parameters.emplace_back("limit", std::to_string(std::min(request.limit, limits::page_max)));
    std::string address = target(request.path, parameters);
    if (!request.cursor.empty()) {
        address += "&cursor=" + request.cursor;
    }
    return answer(session, get(session, std::move(address)), {});
}

} // namespace tocsin::cli
