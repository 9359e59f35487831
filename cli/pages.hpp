// SPDX-License-Identifier: Apache-2.0
// Many pages of events as one text: NDJSON and CSV as the daemon writes them (one CSV header), JSON as one object of
// all items.
#pragma once

#include "cli/format.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"

#include <cstddef>
#include <functional>
#include <string_view>

namespace tocsin::cli {

// Rows of CSV text: newlines outside quotes.
std::size_t csv_rows(std::string_view text);
// The encoded cursor in the target of a Link header; empty when there is none.
std::string_view cursor_of(std::string_view next);

// What is said about a list instead of its items, and behind the last of them where there are more (on a terminal).
struct ListHints {
    std::string_view none = "No event matches.";
    std::string_view more = "There are more: -n N shows N of them.";
};
// Pages of rows that `add` puts into the table, written as they come.
Result<int> show_pages(Session& session, ListRequest request, Table& table,
                       const std::function<void(const Value&)>& add, const ListHints& hints = {});
// The same of lines that `add` writes itself.
Result<int> show_lines(Session& session, ListRequest request, const std::function<void(const Value&)>& add,
                       const ListHints& hints = {});

// `more` is told how many events were written so far; false stops there.
Result<int> write_pages(Session& session, ListRequest request, Format format,
                        const std::function<bool(std::size_t)>& more = {});

} // namespace tocsin::cli
