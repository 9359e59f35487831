// SPDX-License-Identifier: Apache-2.0
// Datagrams of the notify socket.
#include "fuzz.hpp"
#include "ipc/notify/message.hpp"

#include "core/event.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto message = tocsin::ipc::notify::parse_message({reinterpret_cast<const char*>(data), size});
    if (message) {
        tocsin::fuzz::expect(tocsin::valid_utf8(message->status), "a status is text");
        tocsin::fuzz::expect(!message->interval_us || *message->interval_us > 0, "an interval is above 0");
    }
    return 0;
}
