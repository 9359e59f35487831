// SPDX-License-Identifier: Apache-2.0
// The job's own directory: the daemon made it, the helper takes it for one run at a time and empties it first. The lock
// keeps a rerun waiting while the tree of an earlier run (of a daemon that died) is still being ended in there.
#pragma once

#include "core/error.hpp"
#include "jobs/fd.hpp"

#include <string>

namespace tocsin::jobs::spark {

class WorkDirectory {
public:
    WorkDirectory() = default;
    // Must be a directory of this user that nobody else may enter.
    static Result<WorkDirectory> open(const std::string& path);
    bool try_lock() const;
    Result<void> empty() const;
    int fd() const { return fd_.get(); }

private:
    WorkDirectory(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    std::string path_{};
    Fd fd_{};
};

} // namespace tocsin::jobs::spark
