// SPDX-License-Identifier: Apache-2.0
// What a TCP listener asks of a request before anything else: that it was meant for this address (Host), and that no
// other site's page sends it (Origin). Anybody on the machine can connect there, and a browser connects for any page:
// without the first, a name that a foreign site points here would do (DNS rebinding). Who it is, a token says
// (ipc/http/tokens.hpp).
#pragma once

#include "ipc/http/message.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::ipc::http {

struct Doorway {
    bool compat = false;              // of [compat] listen: the older systems' routes alone
    std::vector<std::string> hosts{}; // as a Host header says it, in lower case: "127.0.0.1:7878", "localhost:7878"
};

// `address` as configured: "127.0.0.1:7878", "[::1]:7878", "localhost:7878".
Doorway doorway_at(std::string_view address, bool compat);

// 421 for another place's request, 403 for another site's; none for ours.
std::optional<Response> refuse_misled(const Doorway& doorway, const Request& request);

// What follows "Bearer " in an Authorization header; empty for anything else.
std::string_view bearer_token(std::string_view authorization);

// 401: no token, or one that is not good any more.
Response ask_for_token(bool given);

} // namespace tocsin::ipc::http
