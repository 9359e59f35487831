// SPDX-License-Identifier: Apache-2.0
// Serves HTTP/1.1 on one accepted Unix socket. The implementation is a template on its stream (connection_impl.hpp),
// instantiated for the socket here and for an in-memory stream in the tests.
#pragma once

#include "ipc/http/hub.hpp"

#include <memory>

namespace tocsin::ipc::http {

// Takes the descriptor, which must be non-blocking. The connection lives until it ends or is aborted.
void serve_socket(const std::shared_ptr<Hub>& hub, int fd, std::shared_ptr<Peer> peer, Admission admission);

} // namespace tocsin::ipc::http
