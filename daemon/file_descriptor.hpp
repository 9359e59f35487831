// SPDX-License-Identifier: Apache-2.0
// A descriptor that is closed when it goes out of scope. −1 is none.
#pragma once

#include <unistd.h>
#include <utility>

namespace tocsin::daemon {

class FileDescriptor {
public:
    FileDescriptor() = default;
    explicit FileDescriptor(int fd) : fd_(fd) {}
    FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~FileDescriptor() {
        if (fd_ >= 0) {
            close(fd_);
        }
    }
    int get() const { return fd_; }

private:
    int fd_ = -1;
};

} // namespace tocsin::daemon
