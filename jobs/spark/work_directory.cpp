// SPDX-License-Identifier: Apache-2.0
#include "jobs/spark/work_directory.hpp"

#include "jobs/clear_directory.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace tocsin::jobs::spark {

namespace {

constexpr int first_free_fd = 10;            // the script's descriptors are put below
constexpr std::size_t entries_a_turn = 1000; // removed before the messages are looked at again

// The first of a list, as systemd gives it; absolute, else not taken.
std::string base_directory() {
    for (const char* name : {"RUNTIME_DIRECTORY", "TMPDIR"}) {
        const char* const value = std::getenv(name);
        const std::string path = value != nullptr ? std::string(value).substr(0, std::strcspn(value, ":")) : "";
        if (path.starts_with('/')) {
            return path;
        }
    }
    return "/tmp";
}

} // namespace

Result<WorkDirectory> WorkDirectory::make() {
    std::string path = base_directory() + "/tocsin-spark-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
        return fail(Code::unavailable, "spark", path, std::string("cannot be made: ") + ::strerror(errno));
    }
    const Fd low(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    Fd fd(::fcntl(low.get(), F_DUPFD_CLOEXEC, first_free_fd));
    if (!low.valid() || !fd.valid()) {
        const int error = errno;
        ::rmdir(path.c_str());
        return fail(Code::unavailable, "spark", path, ::strerror(error));
    }
    return WorkDirectory(std::move(path), std::move(fd));
}

bool WorkDirectory::remove_some() {
    if (!fd_.valid()) {
        return true;
    }
    ::fchmod(fd_.get(), S_IRWXU);
    const auto empty = clear_some(fd_.get(), entries_a_turn);
    if (empty && !*empty) {
        return false;
    }
    ::rmdir(path_.c_str());
    fd_.reset();
    return true;
}

} // namespace tocsin::jobs::spark
