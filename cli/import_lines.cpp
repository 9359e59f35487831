// SPDX-License-Identifier: Apache-2.0
#include "cli/import_lines.hpp"

#include "cli/options.hpp"
#include "core/event.hpp"
#include "core/hash.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tocsin::cli {
namespace {

constexpr std::size_t line_bytes_max = 2 * limits::MiB;
constexpr std::uint64_t second_seed = 1;

// What only the daemon says of an event.
constexpr std::array<std::string_view, 9> daemons{"unique_index",  "spark_report_id", "spark_report_url",
                                                  "received_time", "cause",           "cause_depth",
                                                  "host",          "host_index",      "origin"};
constexpr std::array<std::string_view, 3> numbers{"scid", "event_rule_id", "count"};

template <typename Names> bool is_one_of(const Names& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

// What tells an event from another of the same content: where and when it was taken in first.
bool is_of_identity(std::string_view name) {
    return name == "unique_index" || name == "host" || name == "received_time";
}

// The same for the same event of the same export, also when its report came later.
std::string key_of(std::string_view content, std::string_view identity, std::uint64_t line) {
    const std::string whole =
        fmt::format("{}\n{}", content, identity.empty() ? fmt::format("line {}", line) : std::string(identity));
    return fmt::format("import-{:016x}{:016x}", hash64(whole), hash64(whole, second_seed));
}

} // namespace

Result<void> ImportLines::take(std::string_view bytes, std::string& lines) {
    if (rules_.format == ImportFormat::csv) {
        auto read = csv_.feed(bytes, [this, &lines](const CsvRow& row) { return take_row(row, lines); });
        if (!read) {
            read.error().object = fmt::format("line {}", line_ + 1);
        }
        return read;
    }
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
        rest_ += bytes.substr(0, end);
        take_line(std::exchange(rest_, {}), lines);
        bytes.remove_prefix(end + 1);
    }
    rest_ += bytes;
    if (rest_.size() > line_bytes_max) {
        return fail(Code::limit_exceeded, "import", fmt::format("line {}", line_ + 1),
                    "is longer than 2 MiB; an event is at most 256 KiB");
    }
    return {};
}

Result<void> ImportLines::finish(std::string& lines) {
    if (rules_.format == ImportFormat::csv) {
        auto read = csv_.finish([this, &lines](const CsvRow& row) { return take_row(row, lines); });
        if (!read) {
            read.error().object = fmt::format("line {}", line_ + 1);
        }
        return read;
    }
    if (!rest_.empty()) {
        take_line(std::exchange(rest_, {}), lines);
    }
    return {};
}

// What cannot be read goes on as it is: the daemon says what is wrong with it.
void ImportLines::take_line(std::string_view line, std::string& lines) {
    ++line_;
    std::string content;
    std::string identity;
    bool keyed = false;
    bool own = false;
    json::ObjectWriter writer(content);
    const auto read = parser_.object(line, [&](std::string_view name, const Scalar& value) {
        if (is_of_identity(name)) {
            identity += fmt::format("{}=", name);
            json::append_scalar(identity, value);
        }
        if (is_one_of(daemons, name) || (name == "spark_script" && !rules_.scripts)) {
            return;
        }
        keyed = keyed || name == "idempotency_key";
        own = own || (name == "event_src" && value == Scalar(daemon_source));
        writer.add(name, value);
    });
    if (!read) {
        lines += line;
    } else if (own) {
        ++left_out_;
    } else {
        if (!keyed && rules_.keys) {
            writer.add("idempotency_key", std::string_view(key_of(content, identity, line_)));
        }
        writer.close();
        lines += content;
    }
    lines += '\n';
}

Result<void> ImportLines::take_row(const CsvRow& row, std::string& lines) {
    if (row.lines > 1) { // its event stands for the last of its lines
        lines.append(static_cast<std::size_t>(row.lines - 1), '\n');
        line_ += row.lines - 1;
    }
    if (columns_.empty()) {
        columns_ = row.cells;
        ++line_;
        lines += '\n';
        return {};
    }
    const bool blank = row.cells.size() == 1 && row.cells.front().empty();
    if (blank) {
        ++line_;
        lines += '\n';
        return {};
    }
    if (row.cells.size() != columns_.size()) {
        return fail(Code::invalid_argument, "import", "",
                    fmt::format("has {} cells, the first line names {} columns", row.cells.size(), columns_.size()));
    }
    take_line(event_of_row(row), lines);
    return {};
}

// An empty cell is a field without a value.
std::string ImportLines::event_of_row(const CsvRow& row) const {
    std::string event;
    json::ObjectWriter writer(event);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const std::string& cell = row.cells[i];
        if (cell.empty()) {
            continue;
        }
        if (const auto number = is_one_of(numbers, columns_[i]) ? to_integer(cell) : std::nullopt) {
            writer.add(columns_[i], Scalar(*number));
            continue;
        }
        const auto payload = columns_[i] == "payload" ? json::minify(cell) : Result<std::string>(std::string());
        if (payload && !payload->empty()) {
            writer.add("payload", RawJson{*payload});
        } else {
            writer.add(columns_[i], std::string_view(cell));
        }
    }
    writer.close();
    return event;
}

} // namespace tocsin::cli
