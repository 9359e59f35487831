// SPDX-License-Identifier: Apache-2.0
// What a person types for what a request may not do: tocsinctl can ask for a password, a socket cannot.
#pragma once

#include "ipc/http/router.hpp"

#include <string>

namespace tocsin::ipc::http {

// "tocsinctl heartbeats pause backup" of a guarded route; what is not plain text in a shell stays a placeholder. Empty
// where there is none.
std::string command_for(const Route& route, const Request& request);

} // namespace tocsin::ipc::http
