// SPDX-License-Identifier: Apache-2.0
#include "jobs/products.hpp"

#include "core/limits.hpp"
#include "core/utf8.hpp"
#include "jobs/clear_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <vector>

namespace tocsin::jobs {

namespace {

constexpr std::uint64_t slice_bytes = 1 * limits::MiB; // in one turn of the loop
constexpr std::string_view lock_suffix = ".lock";
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::unexpected<Error> system_error(const std::filesystem::path& path, int error) {
    return fail(Code::unavailable, "jobs", path.string(), ::strerror(error));
}

std::uint64_t bytes_below(const std::filesystem::path& path) {
    std::uint64_t bytes = 0;
    std::error_code error;
    std::filesystem::recursive_directory_iterator at(path, error);
    for (; !error && at != std::filesystem::recursive_directory_iterator{}; at.increment(error)) {
        std::error_code unknown;
        const bool regular = at->symlink_status(unknown).type() == std::filesystem::file_type::regular;
        const std::uint64_t size = regular ? at->file_size(unknown) : 0;
        bytes += unknown ? 0 : size;
    }
    return bytes;
}

std::string lock_name(std::uint64_t id) {
    return std::to_string(id) + std::string(lock_suffix);
}

// Of a folder or a lock; nothing where the name is neither.
std::optional<std::uint64_t> id_of(std::string_view name) {
    if (name.ends_with(lock_suffix)) {
        name.remove_suffix(lock_suffix.size());
    }
    std::uint64_t id = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), id);
    const bool whole = parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size();
    return whole ? std::optional(id) : std::nullopt;
}

// A directory in another, made where it is missing.
Fd enter(int parent, const std::string& name) {
    if (::mkdirat(parent, name.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
        return {};
    }
    return Fd(::openat(parent, name.c_str(), directory_flags));
}

bool is_sealed(int fd) {
    constexpr int wanted = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    const int seals = ::fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & wanted) == wanted;
}

} // namespace

Result<void> Products::open() {
    if (fd_.valid()) {
        return {};
    }
    if ((::mkdir(folder_.c_str(), S_IRWXU) != 0 && errno != EEXIST) || ::chmod(folder_.c_str(), S_IRWXU) != 0) {
        return system_error(folder_, errno);
    }
    fd_ = Fd(::open(folder_.c_str(), directory_flags));
    if (!fd_.valid()) {
        return system_error(folder_, errno);
    }
    bytes_ = bytes_below(folder_);
    return {};
}

void Products::set_bytes_max(std::uint64_t bytes_max) {
    bytes_max_ = bytes_max;
    bytes_ = fd_.valid() ? bytes_below(folder_) : 0;
}

// Read-only: enough for flock(), and the helper cannot fill the disk by it.
Result<Fd> Products::lock(std::uint64_t id) {
    if (auto opened = open(); !opened) {
        return std::unexpected(opened.error());
    }
    constexpr int flags = O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    Fd fd(::openat(fd_.get(), lock_name(id).c_str(), flags, S_IRUSR | S_IWUSR));
    if (!fd.valid()) {
        return system_error(folder_ / lock_name(id), errno);
    }
    return fd;
}

void Products::forget_lock(std::uint64_t id) {
    if (fd_.valid()) {
        ::unlinkat(fd_.get(), lock_name(id).c_str(), 0);
    }
}

void Products::sweep(const std::function<bool(std::uint64_t id)>& unfinished, std::uint64_t oldest) {
    if (!open()) {
        return;
    }
    std::vector<std::uint64_t> locks;
    std::vector<std::uint64_t> folders;
    std::error_code error;
    std::filesystem::directory_iterator at(folder_, error);
    for (; !error && at != std::filesystem::directory_iterator{}; at.increment(error)) {
        const std::string name = at->path().filename().string();
        const auto id = id_of(name);
        if (id && !unfinished(*id)) {
            (name.ends_with(lock_suffix) ? locks : folders).push_back(*id);
        }
    }
    std::ranges::for_each(locks, [this](std::uint64_t id) { forget_lock(id); });
    for (const std::uint64_t id : folders) {
        if (id <= oldest) {
            try_forget(id);
        }
    }
}

Result<void> Products::forget(std::uint64_t id) {
    if (auto opened = open(); !opened) {
        return opened;
    }
    const std::string name = std::to_string(id);
    bytes_ -= std::min(bytes_, bytes_below(folder_ / name));
    return remove_directory(fd_.get(), name);
}

bool Products::reserve(std::uint64_t bytes) {
    if (bytes_ > bytes_max_ || bytes > bytes_max_ - bytes_) {
        return false;
    }
    bytes_ += bytes;
    return true;
}

// ---- one run ----

void ProductIntake::begin(const protocol::Product& product, const Fd* data) {
    abandon();
    path_ = product.path;
    if (data == nullptr || !data->valid()) {
        return drop("its descriptor did not arrive");
    }
    if (const auto why = problem(product, data->get()); !why.empty()) {
        return drop(why);
    }
    from_ = Fd(::fcntl(data->get(), F_DUPFD_CLOEXEC, 0));
    if (!from_.valid()) {
        return drop(::strerror(errno));
    }
    if (auto opened = open_target(); !opened) {
        drop(opened.error().reason);
    }
}

// Reserves its bytes where there is none.
std::string_view ProductIntake::problem(const protocol::Product& product, int data) {
    struct stat status{};
    if (const auto wrong = protocol::product_path_problem(product.path); !wrong.empty()) {
        return wrong;
    }
    if (utf8_valid_prefix(product.path) != product.path.size() || has_control_character(product.path)) {
        return "its name is not UTF-8";
    }
    if (!is_sealed(data) || ::fstat(data, &status) != 0 || !S_ISREG(status.st_mode)) {
        return "came without seals";
    }
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    if (files_ >= protocol::product_files_max || bytes > protocol::product_file_bytes ||
        bytes > protocol::product_job_bytes - bytes_) {
        return "is beyond the limits of one job";
    }
    if (!products_->open() || !products_->reserve(bytes)) {
        enough_ = true;
        return "jobs.products_max is reached; raise it, or remove products that nobody needs and reload";
    }
    size_ = left_ = bytes;
    return {};
}

Result<void> ProductIntake::open_target() {
    Fd at = enter(products_->folder_fd(), std::to_string(id_));
    std::string_view rest = path_;
    for (std::size_t end = rest.find('/'); at.valid() && end != std::string_view::npos; end = rest.find('/')) {
        at = enter(at.get(), std::string(rest.substr(0, end)));
        rest.remove_prefix(end + 1);
    }
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    to_ = at.valid() ? Fd(::openat(at.get(), std::string(rest).c_str(), flags, S_IRUSR | S_IWUSR)) : Fd();
    if (!to_.valid()) {
        return system_error(path_, errno);
    }
    parent_ = std::move(at);
    ++files_;
    return {};
}

bool ProductIntake::step() {
    if (!to_.valid()) {
        return true;
    }
    if (left_ > 0) {
        auto at = static_cast<off_t>(size_ - left_); // the helper has the same description: its offset is anywhere
        const ssize_t size = ::sendfile(to_.get(), from_.get(), &at, std::min(left_, slice_bytes));
        if (size <= 0 && errno != EINTR) {
            drop(size == 0 ? "is shorter than it was" : ::strerror(errno));
            return true;
        }
        left_ -= size > 0 ? static_cast<std::uint64_t>(size) : 0;
    }
    if (left_ > 0) {
        return false;
    }
    bytes_ += std::exchange(size_, 0);
    from_.reset();
    to_.reset();
    return true;
}

void ProductIntake::drop(std::string_view why) {
    if (dropped_++ == 0) {
        reason_ = in_quotes(path_) + ": " + std::string(why);
    }
    abandon();
}

// What is half copied is removed.
void ProductIntake::abandon() {
    if (to_.valid()) {
        ::unlinkat(parent_.get(), path_.substr(path_.rfind('/') + 1).c_str(), 0);
    }
    products_->give_back(std::exchange(size_, 0));
    from_.reset();
    to_.reset();
    parent_.reset();
}

} // namespace tocsin::jobs
