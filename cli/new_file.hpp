// SPDX-License-Identifier: Apache-2.0
// A file that appears under its name only when it is whole and on the disk, and never in place of another one. Until
// then it has a name of its own beside it, and goes when it is given up.
#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"

#include <string>

namespace tocsin::cli {

class NewFile {
public:
    // conflict where `path` exists.
    static Result<NewFile> create(std::string path);
    NewFile(NewFile&& other) noexcept = default;
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile();

    int get() const { return fd_.get(); }
    const std::string& path() const { return path_; }
    Result<void> keep();

private:
    NewFile(std::string path, std::string temporary, Fd fd)
        : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}
    std::string path_;
    std::string temporary_;
    Fd fd_;
};

// not_authorized, not_found, storage_full, conflict or unavailable, with the system's reason.
Error file_problem(int number, std::string path);

} // namespace tocsin::cli
