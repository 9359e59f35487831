// SPDX-License-Identifier: Apache-2.0
#include "storage/file_io.hpp"

#include "storage/lmdb_env.hpp"

#include <fcntl.h>

#include <cerrno>
#include <system_error>

namespace tocsin::storage {

int read_at(int fd, std::string& into, std::uint64_t offset) {
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t got = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
        if (got == 0) {
            return EIO;
        }
        if (got < 0 && errno != EINTR) {
            return errno;
        }
        done += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    return 0;
}

int read_up_to(int fd, std::string& into, std::size_t size) {
    into.resize(size);
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got = ::read(fd, into.data() + done, size - done);
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return errno;
        }
        done += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    into.resize(done);
    return 0;
}

int write_whole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(fd, bytes.data(), bytes.size());
        if (put < 0 && errno != EINTR) {
            return errno;
        }
        bytes.remove_prefix(put > 0 ? static_cast<std::size_t>(put) : 0);
    }
    return 0;
}

int flush_file(int fd) {
    return ::fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
}

int flush_entries(const std::string& directory) {
    const Fd handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return handle.get() < 0 ? errno : flush_file(handle.get());
}

Error file_error(int number, std::string context, std::string object) {
    return Error{.code = commit_failure(number) == CommitFailure::full ? Code::storage_full : Code::unavailable,
                 .context = std::move(context),
                 .object = std::move(object),
                 .reason = std::generic_category().message(number)};
}

} // namespace tocsin::storage
