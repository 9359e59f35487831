// SPDX-License-Identifier: Apache-2.0
// Errors as RFC 9457 problem documents: type, title, status, code, detail, errors[]; and what an NDJSON body adds.
#pragma once

#include "core/error.hpp"
#include "ipc/http/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::ipc::http {

// How far an NDJSON body came: lines kept (blank ones too), and the indexes of its events so far.
struct Progress {
    std::uint64_t accepted = 0;
    std::uint64_t first = 0; // 0: none yet
    std::uint64_t last = 0;
};

// `status` replaces that of the code (405 is a NotFound).
Response problem(const Error& error, std::optional<Progress> progress = std::nullopt,
                 std::optional<unsigned> status = std::nullopt);

// invalid_argument about one named thing of the request: a header, a parameter, a member of the body.
Error bad_request(std::string_view what, std::string reason);

} // namespace tocsin::ipc::http
