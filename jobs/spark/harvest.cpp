// SPDX-License-Identifier: Apache-2.0
#include "jobs/spark/harvest.hpp"

#include "core/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

namespace tocsin::jobs::spark {

namespace {

constexpr std::size_t entries_max = 16 * protocol::product_files_max; // looked at; the rest is dropped unseen
constexpr std::size_t slice_bytes = 1 * limits::MiB;

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

// A path is followed part by part, so that no link in it is: O_NOFOLLOW looks at the last alone.
Fd open_beneath(int directory, std::string_view path, int flags) {
    Fd at(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    while (at.valid()) {
        const std::size_t end = path.find('/');
        const std::string name(path.substr(0, end));
        if (end == std::string_view::npos) {
            return Fd(::openat(at.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
        }
        at = Fd(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        path.remove_prefix(end + 1);
    }
    return at;
}

// As many bytes as it had when it was looked at; fewer where it shrank since.
bool copy(int from, int to, std::uint64_t bytes) {
    while (bytes > 0) {
        const ssize_t size = ::sendfile(to, from, nullptr, std::min<std::uint64_t>(bytes, slice_bytes));
        if (size == 0) {
            return true;
        }
        if (size < 0 && errno != EINTR) {
            return false;
        }
        bytes -= size > 0 ? static_cast<std::uint64_t>(size) : 0;
    }
    return true;
}

// Invalid, with errno, where there is no memory for it.
Fd seal_copy(int from, std::uint64_t bytes) {
    Fd file(::memfd_create("tocsin-product", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    constexpr int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    if (!file.valid() || !copy(from, file.get(), bytes) || ::fcntl(file.get(), F_ADD_SEALS, seals) != 0) {
        const int error = errno;
        file.reset();
        errno = error;
    }
    return file;
}

// A name that the script chose, for a message.
std::string printable(std::string name) {
    constexpr std::size_t shown_max = 200;
    name.resize(std::min(name.size(), shown_max));
    std::ranges::replace_if(name, [](char byte) { return byte < 0x20 || byte == 0x7f; }, '?'); // above ASCII, too
    return '"' + name + '"';
}

} // namespace

Harvest::Harvest(int directory) : directory_(directory) {
    list(directory, "");
    std::ranges::sort(paths_);
    for (std::size_t i = protocol::product_files_max; i < paths_.size(); ++i) {
        drop(paths_[i], "there are more than " + std::to_string(protocol::product_files_max) + " files");
    }
    paths_.resize(std::min(paths_.size(), protocol::product_files_max));
}

void Harvest::list(int directory, const std::string& prefix) {
    const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, CloseDirectory> listing(copy >= 0 ? ::fdopendir(copy) : nullptr);
    while (listing) {
        const dirent* const entry = ::readdir(listing.get());
        if (entry == nullptr) {
            return;
        }
        if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (++seen_ > entries_max) {
            return drop(prefix, "there are more than " + std::to_string(entries_max) + " entries");
        }
        look_at(directory, prefix + entry->d_name, entry->d_name);
    }
}

void Harvest::look_at(int directory, const std::string& path, const char* name) {
    struct stat status{};
    if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return;
    }
    if (const auto problem = protocol::product_path_problem(path); !problem.empty()) {
        return drop(path, problem);
    }
    if (S_ISREG(status.st_mode)) {
        paths_.push_back(path);
    } else if (!S_ISDIR(status.st_mode)) {
        drop(path, "is not a regular file");
    } else {
        const Fd inside(::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        inside.valid() ? list(inside.get(), path + '/') : drop(path, "cannot be read");
    }
}

std::optional<Sheaf> Harvest::next() {
    while (at_ < paths_.size()) {
        if (auto sheaf = take(paths_[at_++])) {
            return sheaf;
        }
    }
    return std::nullopt;
}

// Not blocking, should it have become a pipe meanwhile: other processes of this user may still be there.
std::optional<Sheaf> Harvest::take(const std::string& path) {
    const Fd file = open_beneath(directory_, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat status{};
    if (!file.valid() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        drop(path, "cannot be read");
        return std::nullopt;
    }
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    if (bytes > protocol::product_file_bytes || bytes > protocol::product_job_bytes - bytes_) {
        const bool alone = bytes > protocol::product_file_bytes;
        drop(path, alone ? "is larger than 64M" : "would make more than 256M of this job");
        return std::nullopt;
    }
    Fd data = seal_copy(file.get(), bytes);
    if (!data.valid() || ::fstat(data.get(), &status) != 0) {
        drop(path, ::strerror(errno));
        return std::nullopt;
    }
    bytes_ += bytes;
    return Sheaf{{.path = path, .bytes = static_cast<std::uint64_t>(status.st_size)}, std::move(data)};
}

void Harvest::give_up(std::string_view why) {
    for (; at_ < paths_.size(); ++at_) {
        drop(paths_[at_], why);
    }
}

void Harvest::drop(const std::string& path, std::string_view why) {
    if (dropped_++ == 0) {
        reason_ = printable(path) + ": " + std::string(why);
    }
}

} // namespace tocsin::jobs::spark
