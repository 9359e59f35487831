// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: bytes as a sealed memory file, the way large answers leave: the reader knows they cannot change.
#pragma once

#include "core/error.hpp"

#include <string_view>
#include <utility>

namespace tocsin::ipc::dbus {

class Memfd {
public:
    // Read from the start; nobody can write, grow, shrink or unseal it.
    static Result<Memfd> sealed(std::string_view bytes);
    ~Memfd();
    Memfd(Memfd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Memfd& operator=(Memfd&&) = delete;
    int get() const { return fd_; }

private:
    explicit Memfd(int fd) : fd_(fd) {}
    int fd_;
};

} // namespace tocsin::ipc::dbus
