// SPDX-License-Identifier: Apache-2.0
#include "jobs/secret.hpp"

#include "core/secret.hpp"

#include <algorithm>
#include <charconv>

namespace tocsin::jobs {

std::string callback_token(std::uint64_t job_id, std::string_view secret) {
    return std::to_string(job_id) + '-' + std::string(secret);
}

std::string callback_address(std::string_view base, std::uint64_t job_id, std::string_view secret) {
    return std::string(base) + "/v1/callbacks/" + callback_token(job_id, secret);
}

std::optional<CallbackToken> read_callback_token(std::string_view text) {
    const std::size_t dash = std::min(text.find('-'), text.size());
    const std::string_view id = text.substr(0, dash);
    CallbackToken token;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), token.job_id);
    token.secret = text.substr(std::min(dash + 1, text.size()));
    const bool whole = error == std::errc{} && end == id.data() + id.size() && !id.empty() && id.front() != '0';
    return whole && is_secret(token.secret) ? std::optional(token) : std::nullopt;
}

} // namespace tocsin::jobs
