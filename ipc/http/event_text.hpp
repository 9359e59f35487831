// SPDX-License-Identifier: Apache-2.0
// An event as a stream says it.
#pragma once

#include "core/json.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string>

namespace tocsin::ipc::http {

inline void append_event(std::string& text, const Event& event) {
    fmt::format_to(std::back_inserter(text), "id: {}\nevent: event\ndata: ", event.unique_index);
    json::append_object(text, event);
    text += "\n\n";
}

} // namespace tocsin::ipc::http
