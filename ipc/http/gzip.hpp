// SPDX-License-Identifier: Apache-2.0
// The gzip format, as quickly as zlib makes it; the only place that knows zlib.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tocsin::ipc::http {

// Nothing where it would not become smaller.
std::optional<std::string> gzip(std::string_view bytes);

} // namespace tocsin::ipc::http
