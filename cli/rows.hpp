// SPDX-License-Identifier: Apache-2.0
// Lists for programs, one item a line: NDJSON, each item as the daemon gave it; CSV (RFC 4180) with a header, a column
// for each of the keys that are named, empty where an item has none.
#pragma once

#include "cli/format.hpp"
#include "cli/session.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

using Keys = std::span<const std::string_view>;

class RowWriter {
public:
    // csv, else NDJSON. A header is written at once, so that a list without items has one, too.
    RowWriter(Output& out, Format format, Keys keys);
    void add(const Value& item);

private:
    void add_csv(const Value& item);
    void write_row(std::string row);
    Output& out_;
    bool csv_;
    std::vector<std::string_view> keys_;
};

// All of it, page after page.
Result<int> write_rows(Session& session, ListRequest request, Keys keys);
// One page as the daemon gives it, of at most as many items as it gives at once.
Result<int> write_json_page(Session& session, const ListRequest& request);

} // namespace tocsin::cli
