// SPDX-License-Identifier: Apache-2.0
// Events as CSV (RFC 4180): a header, then the documented fields in their order; payload and origin as JSON.
#pragma once

#include "core/event.hpp"

#include <string>
#include <string_view>

namespace tocsin::ipc::http {

void append_csv_header(std::string& out);
void append_csv_row(std::string& out, const Event& event);
// Quoted where it must be.
void append_csv_cell(std::string& out, std::string_view text);

} // namespace tocsin::ipc::http
