// SPDX-License-Identifier: Apache-2.0
// The secret of one run (core/secret.hpp), by which a report may come later: "<job id>-<64 hexadecimal digits>". The id
// finds the job, the digits are compared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::jobs {

std::string callback_token(std::uint64_t job_id, std::string_view secret);
// `base` is "" or a URL without a trailing slash.
std::string callback_address(std::string_view base, std::uint64_t job_id, std::string_view secret);

struct CallbackToken {
    std::uint64_t job_id = 0;
    std::string_view secret{}; // a view of what was read
};
// nullopt for anything that callback_token() would not have made.
std::optional<CallbackToken> read_callback_token(std::string_view text);

} // namespace tocsin::jobs
