// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/memfd.hpp"

#include "ipc/dbus/handle.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tocsin::ipc::dbus {

namespace {

constexpr int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

std::unexpected<Error> failed(int error) {
    return fail(Code::unavailable, "memfd", "", "the answer cannot be put into memory (" + reason_of(-error) + ")");
}

} // namespace

Memfd::~Memfd() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Result<Memfd> Memfd::sealed(std::string_view bytes) {
    Memfd file(::memfd_create("tocsin", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (file.get() < 0) {
        return failed(errno);
    }
    while (!bytes.empty()) {
        const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            return failed(errno);
        }
        bytes.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    if (::fcntl(file.get(), F_ADD_SEALS, all_seals) < 0 || ::lseek(file.get(), 0, SEEK_SET) < 0) {
        return failed(errno);
    }
    return file;
}

} // namespace tocsin::ipc::dbus
