// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/csv.hpp"

#include "core/json.hpp"

#include <algorithm>

namespace tocsin::ipc::http {
namespace {

constexpr std::string_view line_end = "\r\n";

std::string text_of(const Scalar& value) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        return std::string(*text);
    }
    if (const auto* raw = std::get_if<RawJson>(&value)) {
        return std::string(raw->text);
    }
    std::string out;
    if (const auto* time = std::get_if<TimeUs>(&value)) {
        append_time(out, time->us);
    } else {
        json::append_scalar(out, value);
    }
    return out;
}

// Fields come in the documented order, so the columns between two of them are the empty ones.
class RowWriter {
public:
    explicit RowWriter(std::string& out) : out_(out) {}
    void add(std::string_view key, const Scalar& value) {
        const auto& names = event_field_names();
        const auto found = std::find(names.begin() + column_, names.end(), key);
        if (found == names.end()) {
            return;
        }
        advance_to(found - names.begin());
        append_csv_cell(out_, text_of(value));
    }
    void close() {
        advance_to(static_cast<std::ptrdiff_t>(event_field_names().size()) - 1);
        out_ += line_end;
    }

private:
    void advance_to(std::ptrdiff_t column) {
        out_.append(static_cast<std::size_t>(column - column_), ',');
        column_ = column;
    }
    std::string& out_;
    std::ptrdiff_t column_ = 0;
};

} // namespace

void append_csv_cell(std::string& out, std::string_view text) {
    const bool plain = text.find_first_of(",\"\r\n") == std::string_view::npos &&
                       (text.empty() || (text.front() != ' ' && text.back() != ' '));
    if (plain) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        out += c;
        if (c == '"') {
            out += c;
        }
    }
    out += '"';
}

void append_csv_header(std::string& out) {
    bool first = true;
    for (const std::string_view name : event_field_names()) {
        out += first ? "" : ",";
        first = false;
        out += name;
    }
    out += line_end;
}

void append_csv_row(std::string& out, const Event& event) {
    RowWriter row(out);
    describe(event, [&row](std::string_view key, const Scalar& value) { row.add(key, value); });
    row.close();
}

} // namespace tocsin::ipc::http
