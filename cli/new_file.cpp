// SPDX-License-Identifier: Apache-2.0
#include "cli/new_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tocsin::cli {
namespace {

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
}

Error there_already(const std::string& path) {
    return {.code = Code::conflict,
            .context = "write",
            .object = path,
            .reason = "is there already, and nothing is overwritten; give another name"};
}

// Without ever replacing anything, also where the file system knows no such renaming.
int rename_new(const std::string& from, const std::string& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return errno;
    }
    if (::link(from.c_str(), to.c_str()) != 0) {
        return errno;
    }
    ::unlink(from.c_str());
    return 0;
}

} // namespace

Error file_problem(int number, std::string path) {
    Code code = Code::unavailable;
    if (number == ENOENT || number == ENOTDIR) {
        code = Code::not_found;
    } else if (number == EACCES || number == EPERM || number == EROFS) {
        code = Code::not_authorized;
    } else if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
        code = Code::storage_full;
    }
    return {.code = code, .context = "write", .object = std::move(path), .reason = ::strerror(number)};
}

Result<NewFile> NewFile::create(std::string path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0) {
        return std::unexpected(there_already(path));
    }
    std::string temporary = path + ".XXXXXX";
    Fd fd(::mkostemp(temporary.data(), O_CLOEXEC)); // 0600
    if (!fd.valid()) {
        return std::unexpected(file_problem(errno, path));
    }
    return NewFile(std::move(path), std::move(temporary), std::move(fd));
}

NewFile::~NewFile() {
    if (fd_.valid()) {
        ::unlink(temporary_.c_str());
    }
}

Result<void> NewFile::keep() {
    if (::fsync(fd_.get()) != 0 && errno != EINVAL) {
        return std::unexpected(file_problem(errno, path_));
    }
    if (const int rc = rename_new(temporary_, path_); rc != 0) {
        return std::unexpected(rc == EEXIST ? there_already(path_) : file_problem(rc, path_));
    }
    fd_.reset(); // from here on it is not ours to remove
    const Fd directory(::open(directory_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid() || (::fsync(directory.get()) != 0 && errno != EINVAL)) {
        return std::unexpected(file_problem(errno, path_));
    }
    return {};
}

} // namespace tocsin::cli
