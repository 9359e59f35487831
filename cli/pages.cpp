// SPDX-License-Identifier: Apache-2.0
#include "cli/pages.hpp"

#include "cli/text.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::cli {
namespace {

// Puts pages together.
class PageWriter {
public:
    PageWriter(Session& session, Format format) : session_(session), format_(format) {
        session_.out.write(format == Format::json ? "{\"items\":[" : "");
    }

    // How many events the page had.
    std::size_t add(std::string_view body) {
        switch (format_) {
        case Format::csv:
            return add_csv(body);
        case Format::json:
            return add_json(body);
        case Format::ndjson:
        case Format::table:
        case Format::lines:
            break;
        }
        session_.out.write(body);
        return static_cast<std::size_t>(std::ranges::count(body, '\n'));
    }

    void end() { session_.out.write(format_ == Format::json ? "]}\n" : ""); }

private:
    std::size_t add_csv(std::string_view body) {
        const std::size_t rows = csv_rows(body);
        if (!std::exchange(first_, false)) {
            const std::size_t end = body.find('\n');
            body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
        }
        // A CSV cell may hold what moves a terminal's cursor.
        session_.out.write(session_.out.terminal ? printable_lines(body) : std::string(body));
        return rows == 0 ? 0 : rows - 1;
    }

    std::size_t add_json(std::string_view body) {
        std::size_t rows = 0;
        while (!body.empty()) {
            const std::size_t end = body.find('\n');
            session_.out.write(std::exchange(first_, false) ? "" : ",");
            session_.out.write(body.substr(0, end));
            body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
            ++rows;
        }
        return rows;
    }

    Session& session_;
    Format format_;
    bool first_ = true;
};

Result<int> tell_rest(Session& session, const Result<bool>& more, std::size_t count, const ListHints& hints) {
    if (!more) {
        return std::unexpected(more.error());
    }
    if (count == 0) {
        session.err.line(hints.none);
    } else if (*more && session.out.terminal) {
        session.err.line(hints.more);
    }
    return 0;
}

} // namespace

std::size_t csv_rows(std::string_view text) {
    std::size_t rows = 0;
    bool quoted = false;
    for (const char c : text) {
        quoted = c == '"' ? !quoted : quoted;
        rows += c == '\n' && !quoted ? 1 : 0;
    }
    return rows;
}

std::string_view cursor_of(std::string_view next) {
    constexpr std::string_view key = "cursor=";
    for (const std::string_view before : {"?", "&"}) {
        const std::string wanted = std::string(before) + std::string(key);
        if (const std::size_t place = next.find(wanted); place != std::string_view::npos) {
            const std::string_view rest = next.substr(place + wanted.size());
            return rest.substr(0, rest.find('&'));
        }
    }
    return {};
}

Result<int> write_pages(Session& session, ListRequest request, Format format,
                        const std::function<bool(std::size_t)>& more) {
    std::size_t written = 0;
    const std::string_view accept = format == Format::csv ? "text/csv" : "application/x-ndjson";
    PageWriter writer(session, format);
    std::size_t left = request.limit;
    while (!session.out.gone()) {
        Parameters parameters = request.parameters;
        parameters.emplace_back("limit", std::to_string(left == 0 ? request.page : std::min(left, request.page)));
        std::string address = target(request.path, parameters);
        if (!request.cursor.empty()) {
            address += "&cursor=" + request.cursor;
        }
        const auto page = get(session, std::move(address), accept);
        if (!page) {
            return std::unexpected(page.error());
        }
        if (!page->ok()) {
            return std::unexpected(problem_of(*page));
        }
        const std::size_t rows = writer.add(page->body);
        written += rows;
        if (more && !more(written)) {
            break;
        }
        request.cursor = cursor_of(page->next);
        if (request.cursor.empty() || (left != 0 && rows >= left)) {
            break;
        }
        left -= left == 0 ? 0 : rows;
    }
    writer.end();
    return 0;
}

Result<int> show_pages(Session& session, ListRequest request, Table& table,
                       const std::function<void(const Value&)>& add, const ListHints& hints) {
    std::size_t count = 0;
    const auto use = [&session, &table, &add, &count](const Value::Array& items) {
        std::ranges::for_each(items, add);
        count += items.size();
        if (count > 0) {
            table.write(session.out);
        }
    };
    const auto more = each_page(session, std::move(request), use);
    return tell_rest(session, more, count, hints);
}

Result<int> show_lines(Session& session, ListRequest request, const std::function<void(const Value&)>& add,
                       const ListHints& hints) {
    std::size_t count = 0;
    const auto use = [&add, &count](const Value::Array& items) {
        std::ranges::for_each(items, add);
        count += items.size();
    };
    const auto more = each_page(session, std::move(request), use);
    return tell_rest(session, more, count, hints);
}

} // namespace tocsin::cli
