// SPDX-License-Identifier: Apache-2.0
// One stream of a command on its way to where it belongs: from the pipe the command writes, unchanged and at once, to a
// descriptor of ours; what passed is remembered by a Tail. Never waits by itself, so that signals are seen meanwhile; a
// reader that left closes the pipe, so that the command learns it as it would without us.
#pragma once

#include "cli/tail.hpp"
#include "core/fd.hpp"

#include <cstddef>
#include <poll.h>
#include <string>

namespace tocsin::cli {

class Forward {
public:
    // `source` is the reading end of a pipe, and becomes non-blocking.
    Forward(Fd source, int destination, Tail& tail);

    // Nothing more comes, and all of it was passed on.
    bool done() const { return !source_.valid() && !pending(); }
    bool pending() const { return passed_ < buffer_.size(); }
    // What the next step() waits for; descriptor -1 when done.
    struct pollfd wanted() const;
    void step(short happened);

    // Takes in what the pipe holds now, also while the destination is slow: afterwards the tail has all that a command
    // wrote which has ended. At most what a pipe holds, since others may still write to it.
    void drain();
    // The pipe, blocking again, where somebody still holds its other end; none where it ended.
    Fd release_source();

private:
    // How many bytes came; at its end the pipe is closed.
    std::size_t take(std::size_t most);
    void pass();

    Fd source_;
    int destination_;
    Tail& tail_;
    bool is_socket_ = false;
    std::size_t write_most_; // that does not block once the destination is said to be writable
    std::string buffer_{};
    std::size_t passed_ = 0;
};

} // namespace tocsin::cli
