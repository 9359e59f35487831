// SPDX-License-Identifier: Apache-2.0
#include "jobs/script_check.hpp"

#include "core/fd.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>

namespace tocsin::jobs {

namespace {

constexpr int links_max = 16; // symbolic links followed on the way

std::unexpected<Error> refuse(const std::string& path, std::string reason) {
    return fail(Code::not_authorized, "script", path, std::move(reason));
}

std::unexpected<Error> refuse_errno(const std::string& path, int error) {
    const bool missing = error == ENOENT || error == ENOTDIR;
    return fail(missing ? Code::not_found : Code::not_authorized, "script", path, ::strerror(error));
}

// Ownership and mode of one component; a link has no mode of its own.
Result<void> check_owner(const struct stat& status, const std::string& path, std::uint32_t owner_uid) {
    if (status.st_uid != 0 && status.st_uid != owner_uid) {
        const std::string allowed = owner_uid == 0 ? "root" : "root or uid " + std::to_string(owner_uid);
        return refuse(path, "belongs to uid " + std::to_string(status.st_uid) + "; it must belong to " + allowed);
    }
    const bool sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0 && status.st_uid == 0;
    if (!S_ISLNK(status.st_mode) && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky) {
        return refuse(path, "may be written by others; remove that with chmod go-w");
    }
    return {};
}

Result<void> check_file(const struct stat& status, const std::string& path) {
    if (!S_ISREG(status.st_mode)) {
        return refuse(path, "is not a regular file");
    }
    if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) {
        return refuse(path, "is not executable; chmod +x makes it so");
    }
    return {};
}

// Walks a path from the root, a component a step.
class Walk {
public:
    Walk(std::string path, std::uint32_t owner_uid) : rest_(std::move(path)), owner_uid_(owner_uid) {}

    Result<std::string> run() {
        auto done = enter_root();
        while (done && !rest_.empty()) {
            const std::size_t end = std::min(rest_.find('/'), rest_.size());
            const std::string name = rest_.substr(0, end);
            rest_.erase(0, std::min(end + 1, rest_.size()));
            done = name.empty() || name == "." ? Result<void>{} : step(name);
        }
        if (done) {
            done = check_file(status_, at_);
        }
        return done ? Result<std::string>(at_) : std::unexpected(done.error());
    }

private:
    Result<void> enter_root() {
        at_.clear();
        return open(AT_FDCWD, "/");
    }

    Result<void> open(int parent, const std::string& name) {
        Fd fd(::openat(parent, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!fd.valid() || ::fstat(fd.get(), &status_) != 0) {
            return refuse_errno(at_.empty() ? "/" : at_, errno);
        }
        fd_ = std::move(fd);
        return check_owner(status_, at_.empty() ? "/" : at_, owner_uid_);
    }

    Result<void> step(const std::string& name) {
        const Fd parent = std::move(fd_);
        const std::string parent_path = at_;
        if (name == "..") {
            at_.resize(at_.empty() ? 0 : at_.rfind('/'));
        } else {
            at_ += '/' + name;
        }
        if (auto opened = open(parent.get(), name); !opened || !S_ISLNK(status_.st_mode)) {
            return opened;
        }
        return follow(parent.get(), parent_path);
    }

    // The link that was just opened is replaced by what it says, seen from its directory.
    Result<void> follow(int parent, const std::string& parent_path) {
        std::array<char, PATH_MAX> target{};
        const ssize_t size = ::readlinkat(fd_.get(), "", target.data(), target.size());
        if (size <= 0 || ++links_ > links_max) {
            return refuse_errno(at_, size < 0 ? errno : ELOOP);
        }
        const std::string_view said(target.data(), static_cast<std::size_t>(size));
        rest_ = rest_.empty() ? std::string(said) : std::string(said) + '/' + rest_;
        if (said.starts_with('/')) {
            return enter_root();
        }
        at_ = parent_path;
        return open(parent, ".");
    }

    std::string rest_;
    std::uint32_t owner_uid_;
    std::string at_{}; // where fd_ is, without a trailing slash: empty is the root
    Fd fd_{};
    struct stat status_{};
    int links_ = 0;
};

} // namespace

Result<std::string> check_script(const std::string& path, std::uint32_t owner_uid) {
    if (!path.starts_with('/') || path.size() >= PATH_MAX) {
        return refuse(path, "is not an absolute path of a sensible length");
    }
    return Walk(path, owner_uid).run();
}

} // namespace tocsin::jobs
