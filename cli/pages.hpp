// SPDX-License-Identifier: Apache-2.0
// Many pages of events as one text: NDJSON and CSV as the daemon writes them (one CSV header), JSON as one object of
// all items.
#pragma once

#include "cli/session.hpp"
#include "cli/table.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace tocsin::cli {

enum class Format : std::uint8_t { table, json, ndjson, csv };
std::optional<Format> format_from(std::string_view text);

// Rows of CSV text: newlines outside quotes.
std::size_t csv_rows(std::string_view text);
// The encoded cursor in the target of a Link header; empty when there is none.
std::string_view cursor_of(std::string_view next);

// Pages of rows that `add` puts into the table, written as they come; the last line on a terminal says how to see more.
Result<int> show_pages(Session& session, ListRequest request, Table& table,
                       const std::function<void(const Value&)>& add, std::string_view more_hint);

// `more` is told how many events were written so far; false stops there.
Result<int> write_pages(Session& session, ListRequest request, Format format,
                        const std::function<bool(std::size_t)>& more = {});

} // namespace tocsin::cli
