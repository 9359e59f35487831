// SPDX-License-Identifier: Apache-2.0
// What a client's headers ask of an answer: its media type (Accept), its coding (Accept-Encoding), and whether it has
// it already (If-None-Match). The one reader of each; several headers of one name come joined by commas.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace tocsin::ipc::http {

// The position of the type that the client likes best of those offered: by the highest q, which each type has from the
// range that names it most closely; among equals the one whose range is closer, then the one whose range comes first,
// then ours. Nothing where none is acceptable, or nothing was asked for.
std::optional<std::size_t> choose_type(std::string_view accept, std::span<const std::string_view> offered);

// Whether the answer is better sent gzipped.
bool wants_gzip(std::string_view accept_encoding);

// Whether one of the list, or "*", is this tag; W/ makes no difference.
bool names_tag(std::string_view if_none_match, std::string_view tag);

} // namespace tocsin::ipc::http
