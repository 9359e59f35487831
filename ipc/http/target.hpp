// SPDX-License-Identifier: Apache-2.0
// The request target: its path split before it is decoded (so %2F stays inside a name), its query as pairs. Characters
// that people type into a shell (", <, >, |) are taken as they are; a broken escape, U+0000 or invalid UTF-8 is not.
#pragma once

#include "core/error.hpp"
#include "ipc/http/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::ipc::http {

struct Target {
    std::vector<std::string> segments; // one trailing slash is dropped; "/" has none
    Parameters parameters;
};

// Takes /path?query and the absolute form http://host/path?query.
Result<Target> parse_target(std::string_view target);

// Everything but letters, digits and -._~ as %XX.
std::string percent_encode(std::string_view text);

} // namespace tocsin::ipc::http
