// SPDX-License-Identifier: Apache-2.0
// Listening on a network address, where one is configured.
#pragma once

#include "core/error.hpp"

#include <string_view>

namespace tocsin::ipc::http {

// "127.0.0.1:7878", "[::1]:7878" or "localhost:7878" (127.0.0.1); a non-blocking, close-on-exec listener.
Result<int> listen_tcp(std::string_view address);

// Whether only this machine can reach it.
bool is_loopback(std::string_view address);

// Answers go out as they are written.
void send_at_once(int fd);

} // namespace tocsin::ipc::http
