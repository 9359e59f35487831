// SPDX-License-Identifier: Apache-2.0
// How the older systems said things: the envelope with its code inside, {"detail": …}, lines of text, times without a
// zone. And what several of them asked for.
#pragma once

#include "core/time.hpp"
#include "ipc/http/message.hpp"
#include "ipc/http/router.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::ipc::http::compat {

// ---- answers ----

// {"status":true,"response":…,"error":{"internal":null,"external":null}}; `response` is JSON.
Response envelope(std::string_view response);
// The same with status false; `response` 0 is null. HTTP says 200 as it always did, but 403 where nobody may.
Response envelope_refusal(const Error& error, unsigned response);
// {"detail":"…"}, or where single fields are wrong a list of {"type","loc","msg"}; `where` is "body" or "query".
Response detail_refusal(const Error& error, std::string_view where);
Response text_reply(std::string body);
Response text_refusal(const Error& error);
// A page without scripts, links or fonts from elsewhere, and none can be put into it.
Response page_reply(std::string body);

// ---- texts ----

// "2026-01-02T03:00:04[.500000]", the local time of a zone.
std::string naive_time(std::int64_t us, const Zone& zone);
// For a page: & < > " ' as entities.
std::string escape_html(std::string_view text);
// The value of a field of a posted form, or "": multipart/form-data where the type says so, else
// application/x-www-form-urlencoded.
std::string form_value(std::string_view content_type, std::string_view body, std::string_view name);
// A plain text of valid UTF-8 without U+0000, at most `max` bytes of what came; what is no text becomes '?'.
std::string kept_text(std::string_view bytes, std::size_t max);
// Only digits, and at least one.
bool is_number(std::string_view text);
// Segments of a path as one name.
std::string joined(std::span<const std::string> segments);

// Made by the daemon itself, which the older systems knew nothing of: their lists leave these names out.
bool is_own_name(std::string_view event_name);

} // namespace tocsin::ipc::http::compat
