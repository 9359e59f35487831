// SPDX-License-Identifier: Apache-2.0
// Unix sockets that a face is reached on, of either type: bound without a moment in which a stranger could use them,
// and the file that stands for them. Descriptors are non-blocking and close-on-exec.
#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"
#include "ipc/access.hpp"

#include <filesystem>
#include <optional>
#include <string_view>
#include <sys/types.h>

namespace tocsin::ipc {

struct SocketPlace {
    std::string_view face; // for messages: "http", "notify"
    std::filesystem::path path{};
    int type = 0; // SOCK_STREAM or SOCK_DGRAM
};

// Mode 0660 and the group where there is one, else 0600. A socket that nobody answers on is replaced; conflict when
// somebody does, or when something else is in its place.
Result<Fd> bind_socket(const SocketPlace& place, const AccessPolicy& access);

// A descriptor that was handed over becomes as ours are.
Result<void> make_ours(std::string_view face, int fd);

std::unexpected<Error> socket_error(const SocketPlace& place, std::string_view doing, int error);

// The file of a bound socket, told from another that was put in its place.
class SocketFile {
public:
    SocketFile() = default;
    explicit SocketFile(std::filesystem::path path);
    // As it was when this was made. False for a socket whose file was never known.
    bool there() const;
    bool known() const { return id_.has_value(); }
    // Only while it is still the same.
    void remove();

private:
    struct Id {
        dev_t device = 0;
        ino_t inode = 0;
        friend bool operator==(const Id&, const Id&) = default;
    };
    static std::optional<Id> identify(const std::filesystem::path& path);

    std::filesystem::path path_{};
    std::optional<Id> id_{};
};

} // namespace tocsin::ipc
