// SPDX-License-Identifier: Apache-2.0
// One connection to the daemon's socket: sends one request at a time and receives its answer, never waiting. Nothing of
// it raises SIGPIPE.
#pragma once

#include "lib/descriptor.hpp"
#include "lib/reader.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tocsin::lib {

class Connection {
public:
    enum class State : unsigned char { idle, waiting, answered, garbled, broken }; // garbled: that is no HTTP

    // Connects; 0, or what errno says. `epoll` then tells what comes in.
    int open(const std::string& path, int epoll);
    void close();
    bool is_open() const { return static_cast<bool>(socket_); }
    bool served() const { return served_; } // has answered before
    bool has_sent() const { return sent_ > 0; }

    // `text` stays where it is till the answer, or close().
    State start(std::string_view text);
    // Goes on with what is under way. Without a request: idle, or broken where the daemon has closed.
    State pump();
    Answer answer(); // once answered; the connection is then idle, or closed where it is not kept

private:
    bool send(); // false when nothing more can be sent, ever
    State receive();
    void want_write(bool wanted);

    Descriptor socket_{};
    int epoll_ = -1;
    bool writing_ = false; // epoll tells of room, too
    bool broken_ = false;  // for sending; what has come in is still read
    bool served_ = false;
    std::string_view text_{};
    std::size_t sent_ = 0;
    std::optional<Reader> reader_{};
};

} // namespace tocsin::lib
