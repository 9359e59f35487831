// SPDX-License-Identifier: Apache-2.0
#include "jobs/spark/work_directory.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>

namespace tocsin::jobs::spark {

namespace {

constexpr int first_free_fd = 10; // the script's descriptors are put below

} // namespace

Result<WorkDirectory> WorkDirectory::open(const std::string& path) {
    const Fd low(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    if (!low.valid() || ::fstat(low.get(), &status) != 0) {
        return fail(Code::unavailable, "spark", path, std::string("cannot be used: ") + ::strerror(errno));
    }
    if (status.st_uid != ::geteuid() || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(Code::not_authorized, "spark", path, "must belong to the helper's user alone (mode 0700)");
    }
    Fd fd(::fcntl(low.get(), F_DUPFD_CLOEXEC, first_free_fd));
    if (!fd.valid()) {
        return fail(Code::unavailable, "spark", path, ::strerror(errno));
    }
    return WorkDirectory(path, std::move(fd));
}

bool WorkDirectory::try_lock() const {
    return ::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0;
}

Result<void> WorkDirectory::empty() const {
    std::error_code error;
    std::filesystem::directory_iterator entries("/proc/self/fd/" + std::to_string(fd_.get()), error);
    while (!error && entries != std::filesystem::directory_iterator{}) {
        std::filesystem::remove_all(entries->path(), error);
        if (!error) {
            entries.increment(error);
        }
    }
    if (error) {
        return fail(Code::unavailable, "spark", path_, "cannot be emptied: " + error.message());
    }
    return {};
}

} // namespace tocsin::jobs::spark
