// SPDX-License-Identifier: Apache-2.0
#include "jobs/clear_directory.hpp"

#include "core/fd.hpp"

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>

namespace tocsin::jobs {

namespace {

constexpr std::size_t slice = 4096; // of remove_directory

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};
using Listing = std::unique_ptr<DIR, CloseDirectory>;

bool is_dots(const char* name) {
    return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

// A script may have taken its own rights away.
Fd open_directory(int parent, const char* name) {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    Fd fd(::openat(parent, name, flags));
    if (!fd.valid() && errno == EACCES && ::fchmodat(parent, name, S_IRWXU, 0) == 0) {
        fd = Fd(::openat(parent, name, flags));
    }
    return fd;
}

// What lies deeper is moved up to the top and removed there, so nothing here is recursive.
class Clearing {
public:
    Clearing(int top, std::size_t entries_max) : top_(top), left_(entries_max) {}

    // 0 or errno.
    int run() {
        int error = 0;
        do {
            found_ = false;
            error = each(top_, false);
        } while (error == 0 && found_ && left_ > 0);
        return error;
    }
    bool empty() const { return !found_; }

private:
    int each(int directory, bool inner) {
        const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const Listing listing(copy >= 0 ? ::fdopendir(copy) : nullptr);
        if (!listing) {
            return errno;
        }
        while (left_ > 0) {
            errno = 0;
            const dirent* entry = ::readdir(listing.get());
            if (entry == nullptr) {
                return errno;
            }
            if (is_dots(entry->d_name)) {
                continue;
            }
            found_ = true;
            if (const int error = inner ? lift(directory, entry->d_name) : remove(entry->d_name); error != 0) {
                return error;
            }
        }
        return 0;
    }

    // Of the top.
    int remove(const char* name) {
        --left_;
        if (::unlinkat(top_, name, 0) == 0 || errno == ENOENT) {
            return 0;
        }
        const Fd inside = open_directory(top_, name);
        if (!inside.valid()) {
            return errno;
        }
        ::fchmod(inside.get(), S_IRWXU);
        if (const int error = each(inside.get(), true); error != 0 || left_ == 0) {
            return error;
        }
        return ::unlinkat(top_, name, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENOTEMPTY ? 0 : errno;
    }

    // Of a directory in the top.
    int lift(int directory, const char* name) {
        --left_;
        if (::unlinkat(directory, name, 0) == 0 || errno == ENOENT) {
            return 0;
        }
        const Fd inside = open_directory(directory, name); // to move it, its own ".." must be writable
        if (!inside.valid()) {
            return errno;
        }
        ::fchmod(inside.get(), S_IRWXU);
        std::string unused;
        do {
            unused = ".lifted-" + std::to_string(next_++);
        } while (::faccessat(top_, unused.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
        return ::renameat(directory, name, top_, unused.c_str()) == 0 ? 0 : errno;
    }

    int top_;
    std::size_t left_;
    bool found_ = false;
    std::size_t next_ = 0;
};

} // namespace

Result<bool> clear_some(int directory, std::size_t entries_max) {
    Clearing clearing(directory, entries_max);
    if (const int error = clearing.run(); error != 0) {
        return fail(Code::unavailable, "jobs", "directory", std::string("cannot be emptied: ") + ::strerror(error));
    }
    return clearing.empty();
}

Result<void> remove_directory(int parent, const std::string& name) {
    const Fd directory = open_directory(parent, name.c_str());
    if (!directory.valid() && errno == ENOENT) {
        return {};
    }
    if (!directory.valid()) {
        return fail(Code::unavailable, "jobs", name, std::string("cannot be opened: ") + ::strerror(errno));
    }
    Result<bool> empty = false;
    while (empty && !*empty) {
        empty = clear_some(directory.get(), slice);
    }
    if (!empty) {
        return std::unexpected(empty.error());
    }
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
        return fail(Code::unavailable, "jobs", name, std::string("cannot be removed: ") + ::strerror(errno));
    }
    return {};
}

} // namespace tocsin::jobs
