// SPDX-License-Identifier: Apache-2.0
// One datagram off a Unix socket with all that the kernel says about its sender, and the descriptors that came along,
// owned from the first moment.
#pragma once

#include "core/fd.hpp"

#include <optional>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace tocsin::ipc::notify {

struct Datagram {
    std::string bytes{};
    std::optional<ucred> credentials{}; // none: sent before anybody asked for them
    Fd pidfd{};                         // of the sender, where the kernel has it
    std::vector<Fd> descriptors{};
    bool cut = false; // longer than a message may be; its bytes are not all there
};

// Asks the kernel for the senders' credentials and, where it can, their pidfds.
bool ask_for_senders(int socket);

// 0: received; else the errno, EAGAIN where nothing waits.
int receive(int socket, Datagram& out);

} // namespace tocsin::ipc::notify
